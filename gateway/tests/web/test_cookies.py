import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

NAMES = (
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_SAVE_EVERY_REQUEST",
    "CSRF_COOKIE_NAME",
    "CSRF_COOKIE_SECURE",
    "CSRF_USE_SESSIONS",
    "IS_DEVELOPMENT",
)
SHOW = f"""
import json
from django.conf import settings
print(json.dumps([getattr(settings, name) for name in {NAMES}]))
"""


def settings_at(origin):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
        "MERCATO_ORIGIN": origin,
        "MAIL_URL": "smtp://mail.example",
    }
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=settings.BASE_DIR.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(zip(NAMES, json.loads(shown.stdout), strict=True))


@pytest.mark.parametrize("origin", ["https://shop.example", "https://localhost:8443"])
@pytest.mark.case("H5")
def test_binds_cookies_to_the_host_and_to_tls(origin):
    found = settings_at(origin)

    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == ("__Host-sid", "__Host-csrftoken")
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert (found["SESSION_COOKIE_PATH"], found["SESSION_COOKIE_DOMAIN"]) == ("/", None)


@pytest.mark.parametrize("origin", ["https://shop.example", "http://localhost:8000"])
@pytest.mark.case("H5")
def test_keeps_cookies_from_scripts_and_other_sites(origin):
    found = settings_at(origin)

    assert found["SESSION_COOKIE_HTTPONLY"]
    assert found["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert not found["SESSION_SAVE_EVERY_REQUEST"]
    assert not found["CSRF_USE_SESSIONS"]


def test_needs_no_tls_on_this_machine():
    found = settings_at("http://127.0.0.1:8000")

    assert (found["SESSION_COOKIE_NAME"], found["SESSION_COOKIE_SECURE"]) == ("sid", False)
    assert found["IS_DEVELOPMENT"]
