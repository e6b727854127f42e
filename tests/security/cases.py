"""The attacks that this shop must withstand, as data: what is tried, what comes back, and who asks for it.

The requirements are those of OWASP ASVS 5.0, the risks those of the OWASP API Security Top 10 of 2023. Tests
say with `@pytest.mark.case("A1")` which of these they prove; `generate.py` brings both together.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Case:
    """One attack. waits names what has to be built before it can be tried."""

    id: str
    attack: str
    answer: str
    asvs: str
    api: str
    rfc: str
    waits: str = ""


def read(path: Path) -> tuple[Case, ...]:
    """The cases in a file, a line each."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return tuple(Case(*(cell.strip() for cell in line.split("|"))) for line in lines)


CASES: Final = read(Path(__file__).with_name("cases.txt"))

GROUPS: Final = {
    "A": "Forged and malformed tokens",
    "B": "Truly signed tokens that say too much",
    "C": "Keys and their rotation",
    "D": "How a request carries its token",
    "E": "Paths, hosts and methods at the edge",
    "F": "Headers at the edge",
    "G": "Message framing at the edge",
    "H": "Browsers and their sessions",
    "I": "Log-in, sign-up and reset",
    "J": "Refresh tokens",
    "K": "What a caller may do",
    "L": "Staying up",
}
