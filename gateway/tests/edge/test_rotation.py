"""What the edge keeps when keys are rotated under it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.keys import public_jwk
from chassis.testing.forge import new_key
from gateway.edge.testing import Issuer, RunningEdge

REQUEST = b"GET /api/v1/wallet HTTP/1.1\r\nHost: localhost:8000\r\nAuthorization: Bearer %b\r\n\r\n"


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEdge]:
    """An edge with keys of its own, which it looks at with every request."""
    monkeypatch.setattr("chassis.keys.RELOAD_SECONDS", 0.0)
    edge = RunningEdge(Issuer(tmp_path))
    yield edge
    edge.close()


def publish(issuer: Issuer, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    path = issuer.directory / "jwks.json"
    changed = path.with_suffix(".new")
    changed.write_text(json.dumps({"keys": change(json.loads(path.read_text())["keys"])}))
    os.replace(changed, path)


def ask(edge: RunningEdge, token: str) -> int:
    return edge.ask(REQUEST % token.encode()).status


def test_forgets_the_tokens_it_keeps_when_the_keys_change(edge: RunningEdge) -> None:
    token = edge.issuer.mint()
    first = [ask(edge, token), ask(edge, token)]
    asked_before = len(edge.web.seen)

    publish(edge.issuer, lambda keys: [*keys, public_jwk(new_key().private_key, holder="gateway")])

    assert (first, ask(edge, token)) == ([200, 200], 200)
    assert (asked_before, len(edge.web.seen)) == (1, 2)


@pytest.mark.case("A26")
def test_refuses_what_a_withdrawn_key_has_signed(edge: RunningEdge) -> None:
    token = edge.issuer.mint()
    before = ask(edge, token)

    publish(edge.issuer, lambda keys: [public_jwk(new_key().private_key, holder="gateway")])

    assert (before, ask(edge, token)) == (200, 401)
