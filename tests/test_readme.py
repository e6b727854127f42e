"""The quick start of the README, run line by line in a shell against the running system."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def quick_start() -> str:
    section = (ROOT / "README.md").read_text().split("## Quick start", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[1:])


def test_does_what_the_quick_start_says(system):
    script = quick_start().replace("http://localhost:8000", system.origin)
    script = script.replace(".venv/bin/mercato", f"{system.command}")

    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=ROOT, env=system.env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert '"balances"' in done.stdout
    assert '"balance_after_minor"' in done.stdout
    assert done.stdout.rstrip().endswith("401")
