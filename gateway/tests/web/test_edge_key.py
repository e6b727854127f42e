import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from gateway.middleware import EdgeKey

FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Port": "443",
    "X-Request-ID": "0123456789",
    "X-Real-IP": "203.0.113.7",
    "Forwarded": "for=203.0.113.7",
    "Via": "1.1 edge",
}


@pytest.fixture
def receive():
    """The request as the web sees it behind the middleware."""
    seen = []

    def pass_on(**headers):
        EdgeKey(lambda request: seen.append(request) or HttpResponse())(
            RequestFactory().get("/", headers=headers)
        )
        return seen[-1]

    return pass_on


def test_believes_no_forwarded_header_without_the_key(receive):
    request = receive(**FORWARDED)

    assert not request.from_edge
    assert not request.headers.keys() & FORWARDED.keys()
    assert request.META["REMOTE_ADDR"] == "127.0.0.1"
    assert not request.is_secure()


def test_believes_the_edge(receive):
    request = receive(**FORWARDED, **{"X-Edge-Key": settings.EDGE_KEY})

    assert request.from_edge
    assert request.META["REMOTE_ADDR"] == "203.0.113.7"
    assert request.is_secure()


def test_shows_the_key_to_nobody_behind_it(receive):
    request = receive(**{"X-Edge-Key": settings.EDGE_KEY})

    assert settings.EDGE_KEY not in str(request.META)


@pytest.mark.parametrize(
    "key", ["wrong", settings.EDGE_KEY + "x", f"{settings.EDGE_KEY},{settings.EDGE_KEY}", "é"]
)
def test_takes_no_other_key(receive, key):
    request = receive(**FORWARDED, **{"X-Edge-Key": key})

    assert not request.from_edge


@pytest.mark.parametrize("address", ["", "203.0.113.7, 10.0.0.1", "nonsense", "203.0.113.7:80"])
def test_takes_one_address_or_none(receive, address):
    request = receive(**{"X-Edge-Key": settings.EDGE_KEY, "X-Forwarded-For": address})

    assert request.META["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize(
    "name", ["EDGE_KEY", "GATEWAY_SECRET_KEY", "GATEWAY_DATABASE_URL", "KEYS_PUBLIC", "KEYS_PRIVATE"]
)
def test_does_not_start_without_what_it_needs(name):
    started = start(**{name: ""})

    assert started.returncode == 1
    assert started.stdout == ""
    assert started.stderr == f"manage.py: {name} is not set.\n"


def test_does_not_start_with_a_short_key():
    started = start(EDGE_KEY="short")

    assert started.returncode == 1
    assert started.stderr == "manage.py: EDGE_KEY must have at least 32 characters.\n"


def test_does_not_start_without_its_private_keys(tmp_path):
    started = start(KEYS_PRIVATE=str(tmp_path))

    assert started.returncode == 1
    assert "must hold exactly one active access key" in started.stderr
    assert started.stderr.count("\n") == 1


def start(**changes):
    command = [sys.executable, "manage.py", "serve"]
    folder = settings.BASE_DIR.parent
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "gateway.settings"} | changes
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30)
