"""The command itself, before any of its parts."""

import subprocess
import sys

INTERRUPTED_IMPORT = """
import signal, sys

class Impatient:
    def find_spec(name, *_):
        if name == "mercato.up":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Impatient)
from mercato.main import main
"""


def test_ctrl_c_in_the_first_moment_needs_no_traceback() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT], capture_output=True, text=True, check=False
    )

    assert (answer.returncode, answer.stderr) == (130, "")
