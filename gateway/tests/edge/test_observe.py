"""The access log."""

import io
import json

import pytest

from gateway.edge.observe import Journal, Outcome

OUTCOME = Outcome("GET", "/a", "/a", 200, 0.00125, 11, "127.0.0.1", "0123456789abcdef", "")


def test_a_line_is_json() -> None:
    stream = io.BytesIO()
    journal = Journal(stream)
    journal.note(OUTCOME)

    journal.flush()

    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "service": "edge",
        "event": "request",
        "method": "GET",
        "path": "/a",
        "route": "/a",
        "status": 200,
        "duration_ms": 1.25,
        "bytes": 11,
        "client": "127.0.0.1",
        "sub": "",
        "request_id": "0123456789abcdef",
    }


def test_many_lines_are_written_without_waiting() -> None:
    stream = io.BytesIO()
    journal = Journal(stream)

    for _ in range(1000):
        journal.note(OUTCOME)

    assert stream.getvalue().count(b"\n") > 800


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_a_higher_level_silences_it(level: str) -> None:
    stream = io.BytesIO()
    journal = Journal(stream, level=level)
    journal.note(OUTCOME)

    journal.flush()

    assert stream.getvalue() == b""


def test_a_token_in_a_path_is_removed() -> None:
    stream = io.BytesIO()
    journal = Journal(stream)
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    journal.note(OUTCOME._replace(path=f"/{token}"))

    journal.flush()

    assert json.loads(stream.getvalue())["path"] == "/[removed]"
