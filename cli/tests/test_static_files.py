"""Static files, wherever they are collected."""

import re

from mercato.home import Home
from mercato.static_files import _UNUSED


def test_the_image_leaves_out_what_one_machine_leaves_out() -> None:
    dockerfile = (Home.at().root / "gateway" / "Dockerfile").read_text()

    assert tuple(re.findall(r"--ignore '?([^\s']+)'?", dockerfile)) == _UNUSED
