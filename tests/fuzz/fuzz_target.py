"""Throw bytes at the check of request targets: what it takes means one thing to whoever reads it."""

import posixpath
from urllib.parse import unquote_to_bytes

from gateway.edge.paths import NotCanonical, canonical_path
from gateway.routes import RouteTable

TABLE = RouteTable()


def try_target(data: bytes) -> None:
    """Raises: AssertionError."""
    try:
        path = canonical_path(data)
    except NotCanonical:
        return
    assert data.partition(b"?")[0] == path
    assert canonical_path(path) == path
    assert data.isascii()
    assert data.translate(None, bytes(range(33)) + b'\x7f"<>\\^`{|}#') == data
    decoded = unquote_to_bytes(path)
    again = unquote_to_bytes(decoded)
    route = TABLE.find(path)
    for seen in (decoded, again):
        # Whatever a server behind decodes and tidies up, it stays where it was let in.
        tidy = posixpath.normpath(seen.decode()).encode()
        assert TABLE.find(tidy) == route or (seen.endswith(b"/") and TABLE.find(seen) == route), seen
    if route is not None:
        assert path.startswith(route.prefix.encode())
