"""What was revoked reaches an edge that runs, whatever it has in its memory."""

import time
import uuid
from pathlib import Path

import pytest

from chassis.files import replace_file
from chassis.revocations import REVOCATIONS_FILE, Revocations, sign_revocations
from gateway.edge.testing import ORIGIN, Issuer, RunningEdge

WALLET = b"GET /api/v1/wallet HTTP/1.1\r\nHost: localhost:8000\r\n"


@pytest.mark.case("B13")
def test_a_session_that_was_served_is_refused_within_a_second(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    sid = uuid.uuid4().hex
    request = WALLET + b"Authorization: Bearer %b\r\n\r\n" % issuer.mint(sid=sid).encode()
    edge = RunningEdge(issuer)
    try:
        assert [edge.ask(request).status for _ in range(2)] == [200, 200]

        now = int(time.time())
        signed = sign_revocations(
            Revocations(seq=1, sids=frozenset({sid})), issuer.key, issuer=ORIGIN, now=now
        )
        replace_file(tmp_path / REVOCATIONS_FILE, signed)
        ends_at = time.monotonic() + 1
        while edge.ask(request).status == 200 and time.monotonic() < ends_at:
            time.sleep(0.02)
        served = len(edge.wallet.seen)

        assert edge.ask(request).json()["code"] == "invalid-token"
        assert len(edge.wallet.seen) == served
    finally:
        edge.close()
