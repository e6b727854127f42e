"""The pytest plugin of the services (`-p chassis.testing`): keys of its own, and tokens signed with them.

It is loaded before any settings, for those read KEYS_PUBLIC, KEYS_PRIVATE and MERCATO_ORIGIN.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from chassis.testing.forge import Forge, write_keys
from chassis.testing.leaks import leaks

ORIGIN = "http://localhost:8000"
SERVICE_SCOPES = {
    "catalog_category": "catalog:exists",
    "catalog_product": "catalog:exists",
    "catalog_variant": "listings:write catalog:exists",
}
"""What the services with a key of their own may sign for, as the gateway's keyring publishes it."""


def _prepare() -> Path:
    keys_dir = Path(tempfile.mkdtemp(prefix="mercato-keys-"))
    atexit.register(shutil.rmtree, keys_dir, ignore_errors=True)
    write_keys(keys_dir, services=SERVICE_SCOPES)
    os.environ["MERCATO_ORIGIN"] = ORIGIN
    os.environ["KEYS_PUBLIC"] = str(keys_dir / "public")
    os.environ["KEYS_PRIVATE"] = str(keys_dir / "private" / "gateway")
    return keys_dir


_KEYS_DIR = _prepare()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers: which attacks a test tries, and that it logs a token on purpose."""
    config.addinivalue_line("markers", "case(*ids): the attacks of docs/security-cases.md that it tries")
    config.addinivalue_line("markers", "logs_tokens: it logs a token, to see that no line shows it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test during which a token or a secret of that kind was logged or printed."""
    report = yield
    if report.when == "teardown" and report.passed and not item.get_closest_marker("logs_tokens"):
        found = [f"{title}: {leak}" for title, text in report.sections for leak in leaks(text)]
        if found:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} let out:\n" + "\n".join(found)
            report.sections = []  # They would be shown.
    return report


@pytest.fixture(scope="session")
def keys_dir() -> Path:
    """The folder `keys/` of the test run, with private/ and public/."""
    return _KEYS_DIR


@pytest.fixture(scope="session")
def forge(keys_dir: Path) -> Forge:
    """Mints good tokens with the keys of the test run, and bad ones too."""
    return Forge(keys_dir, issuer=ORIGIN)
