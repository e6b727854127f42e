"""The access log."""

import io
import json

import pytest

from gateway.edge.cache import Cache
from gateway.edge.observe import Figures, Journal, Outcome
from gateway.edge.testing import Issuer, RunningEdge, Seen, json_reply

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
        "event": "Answered a request.",
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


def test_a_line_says_why_a_token_was_refused(edge: RunningEdge, issuer: Issuer) -> None:
    token = issuer.mint(aud="banner")

    reply = edge.ask(
        b"GET /api/v1/wallet HTTP/1.1\r\nHost: localhost:8000\r\nAuthorization: Bearer %b\r\n\r\n"
        % token.encode()
    )

    edge.edge.shared.journal.flush()
    (line,) = map(json.loads, edge.log.getvalue().splitlines())
    assert (line["status"], line["token_refused"]) == (401, "audience")
    assert line["request_id"] == reply.json()["request_id"]
    assert "audience" not in reply.body.decode()


def test_many_lines_are_written_without_waiting() -> None:
    stream = io.BytesIO()
    journal = Journal(stream)

    for _ in range(1000):
        journal.note(OUTCOME)

    assert stream.getvalue().count(b"\n") > 800


def test_what_cannot_be_written_does_not_pile_up() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError("no space")

    journal = Journal(Full())
    journal.note(OUTCOME)
    with pytest.raises(OSError, match="no space"):
        journal.flush()

    journal.flush()  # There is nothing left to write.


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_a_higher_level_silences_it(level: str) -> None:
    stream = io.BytesIO()
    journal = Journal(stream, level=level)
    journal.note(OUTCOME)

    journal.flush()

    assert stream.getvalue() == b""


@pytest.mark.case("D8")
def test_a_token_in_a_path_is_removed() -> None:
    stream = io.BytesIO()
    journal = Journal(stream)
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    journal.note(OUTCOME._replace(path=f"/{token}"))

    journal.flush()

    assert json.loads(stream.getvalue())["path"] == "/[removed]"


def samples(figures: Figures) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in figures.collect():
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_no_client_makes_up_figures() -> None:
    figures = Figures({}, Cache(max_bytes=0, max_copy_bytes=0))
    figures.note(OUTCOME)

    for number in range(1000):
        figures.note(OUTCOME._replace(method=f"M{number}", path=f"/{number}"))

    counts = samples(figures)["mercato_http_requests_total"]
    assert [(labels["method"], value) for labels, value in counts] == [("GET", 1), ("other", 1000)]


def test_durations_add_up_over_statuses() -> None:
    figures = Figures({}, Cache(max_bytes=0, max_copy_bytes=0))
    figures.note(OUTCOME)
    figures.note(OUTCOME._replace(status=503, seconds=20.0))

    found = samples(figures)

    assert found["mercato_http_request_seconds_count"] == [({"method": "GET", "route": "/a"}, 2)]
    assert found["mercato_http_request_seconds_sum"][0][1] == pytest.approx(20.00125)
    buckets = {labels["le"]: value for labels, value in found["mercato_http_request_seconds_bucket"]}
    assert (buckets["0.001"], buckets["0.0025"], buckets["10.0"], buckets["+Inf"]) == (0, 1, 1, 2)


def counted(edge: RunningEdge, name: str) -> dict[tuple[str, ...], float]:
    """What a counter has counted, by its labels."""
    found = samples(edge.edge.shared.figures)[name]
    return {tuple(labels.values()): value for labels, value in found if value}


def test_counts_what_the_edge_refuses(edge: RunningEdge) -> None:
    edge.ask(b"GET /nowhere HTTP/1.1\r\nHost: localhost:8000\r\n\r\n")
    edge.ask(b"GET / HTTP/1.1\r\nHost: evil\r\n\r\n")

    assert counted(edge, "mercato_edge_refusals_total") == {("not-found",): 1, ("malformed-request",): 1}


def test_counts_what_becomes_of_calls(edge: RunningEdge) -> None:
    async def fail(seen: Seen) -> None:
        seen.reply(json_reply(status="500 Internal Server Error"))

    async def close(seen: Seen) -> None:
        seen.writer.close()

    edge.run(edge.banners.stop())
    edge.products.behave = fail
    edge.variants.behave = close

    for path in (b"categories", b"products", b"variants", b"placements"):
        edge.ask(b"GET /api/v1/%b HTTP/1.1\r\nHost: localhost:8000\r\n\r\n" % path)

    assert counted(edge, "mercato_upstream_calls_total") == {
        ("catalog_category", "answered"): 1,
        ("catalog_product", "error"): 1,
        ("catalog_variant", "unknown"): 1,
        ("banner", "not-sent"): 1,
    }
    assert counted(edge, "mercato_upstream_seconds_count") == {
        ("catalog_category",): 1,
        ("catalog_product",): 1,
    }
    assert counted(edge, "mercato_edge_retries_total") == {("catalog_variant",): 1}
