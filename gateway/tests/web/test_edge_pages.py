"""The committed pages of the edge."""

import pytest

from gateway.edge.pages import FOLDER
from gateway.staff.management.commands.render_edge_pages import SENTENCES, render


@pytest.mark.parametrize("status", SENTENCES)
def test_are_what_the_template_makes(status: int) -> None:
    assert (FOLDER / f"{status}.html").read_text() == render(status), "run manage.py render_edge_pages"


def test_are_no_others() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{status}.html" for status in SENTENCES}
