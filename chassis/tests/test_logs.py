import io
import json
import logging

import pytest

from chassis import logs

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.fixture
def lines():
    root = logging.getLogger()
    before = (root.handlers, root.level)
    logs.configure("wallet")
    written = io.StringIO()
    root.handlers[0].setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers, root.level = before
    logs.clear()


def test_writes_one_json_object_a_line_with_extras_and_request_id(lines):
    logs.bind(request_id="r-12345678")

    logging.getLogger("x").info("Did a thing.", extra={"amount_minor": 5})

    (line,) = lines()
    assert (line["event"], line["service"], line["level"]) == ("Did a thing.", "wallet", "info")
    assert (line["amount_minor"], line["request_id"]) == (5, "r-12345678")


def test_keeps_a_line_break_inside_its_line(lines):
    logging.getLogger("x").info("Broken.", extra={"path": "/a\nb\x1b[31m"})

    assert lines()[0]["path"] == "/a\nb\x1b[31m"


@pytest.mark.parametrize("name", ["password", "access", "refresh_token", "Authorization", "client_secret"])
def test_removes_values_under_secret_names(lines, name):
    logging.getLogger("x").info("Sent.", extra={"data": {name: "hunter2"}})

    assert lines()[0]["data"] == {name: "[removed]"}


@pytest.mark.case("D8")
@pytest.mark.logs_tokens
def test_removes_tokens_wherever_they_stand(lines):
    logging.getLogger("x").info(
        "Got %s.", TOKEN, extra={"items": [f"Bearer {TOKEN}"], "other": OSError(TOKEN)}
    )

    assert TOKEN not in json.dumps(lines())


def test_leaves_out_the_request_that_django_adds_to_a_refusal(lines):
    logging.getLogger("x").warning("Forbidden.", extra={"request": Shown("<GET '/?code=123456'>")})

    assert "123456" not in json.dumps(lines())
    assert "request" not in lines()[0]


class Shown:
    """Django's request shows its query to whoever prints it."""

    def __init__(self, text):
        self._text = text

    def __repr__(self):
        return self._text


@pytest.mark.case("D8")
@pytest.mark.logs_tokens
def test_removes_tokens_from_tracebacks(lines):
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logging.getLogger("x").exception("Failed.")

    text = json.dumps(lines())
    assert "ValueError" in text
    assert TOKEN not in text
