"""Sockets that several processes listen on together, and that nobody else joins by accident."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

BACKLOG: Final = 1024
MAX_WORKERS: Final = 64


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets for each address of the host, over which the kernel spreads connections.

    Those of one address stand together; of each the first listens already, the others are as join() makes
    them. Port 0 is one free port for all.
    Raises: OSError, also when anybody else has the port.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    with ExitStack() as undo:
        sockets: list[socket.socket] = []
        for family, address in addresses:
            first = undo.enter_context(_bind(family, (address[0], port, *address[2:]), joins=()))
            first.listen(BACKLOG)
            port = first.getsockname()[1]
            sockets.append(first)
            for _ in range(count - 1):
                sockets.append(undo.enter_context(join(first)))
        undo.pop_all()
    return sockets


def join(first: socket.socket) -> socket.socket:
    """One more socket where the first one listens. It gets its part of the connections once somebody listens
    on it, and before that none, for nobody might ever accept them. Raises: OSError.
    """
    return _bind(first.family, first.getsockname(), joins=(first,))


def share_of(descriptors: Sequence[int], worker: int, workers: int) -> list[int]:
    """What one of several workers, counted from 0, listens on: no socket is left out, and no worker."""
    return list(descriptors[worker::workers]) or [descriptors[worker % len(descriptors)]]


def _bind(family: int, address: tuple[object, ...], *, joins: Sequence[socket.socket]) -> socket.socket:
    # With SO_REUSEPORT any process of the same user may join, so whoever is first binds without it: that
    # fails when anybody is there. Only then are both marked as willing to share.
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for other in (*joins, *([bound] if joins else [])):
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
