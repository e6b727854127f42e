"""What a supervisor may ask of a running edge, so that processes can be replaced while requests come.

The parent of several workers asks each of them in the same way.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from chassis.metrics import exposition
from gateway.edge.pool import Pool

MAX_HOLD_SECONDS: Final = 30.0

_FIRST_WORD_SECONDS: Final = 2.0

_LOOK_SECONDS: Final = 0.005


class Control:
    """Answers questions, each one line of JSON, on a socket pair that the supervisor made for this process.

    Nobody else can have the other end, so there is no key and no address. A hold ends by itself, and with
    the supervisor: nothing that it forgets keeps requests waiting.
    """

    def __init__(self, pools: Mapping[str, Pool], retire: Callable[[], None]) -> None:
        """retire: what makes the edge hand its listener over and end when its clients have gone."""
        self._pools = pools
        self._retire = retire

    def hold_all(self) -> None:
        """Begin nothing before the parent has told a new worker what is held, which it does at once."""
        until = asyncio.get_running_loop().time() + _FIRST_WORD_SECONDS
        for pool in self._pools.values():
            pool.hold(until)

    async def serve(self, descriptor: int) -> None:
        """Answer until the supervisor closes its end."""
        try:
            await answer_lines(descriptor, self._answer)
        finally:
            self._resume(self._pools)

    async def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        # Any: JSON, of a supervisor that is as old or as young as the shop and need not be as this edge.
        if not self._pools.keys() >= set(question.get("upstreams", ())):
            return {"ok": False}
        match question.get("do"):
            case "look":
                return {"ok": True}
            case "begin":
                self._begin(question["held"])
                return {"ok": True}
            case "hold":
                return {"ok": True, "is_quiet": await self._hold(question)}
            case "resume":
                self._resume(question["upstreams"])
                return {"ok": True}
            case "figures":
                return {"ok": True, "figures": (await asyncio.to_thread(exposition)).decode()}
            case "retire":
                self._retire()
                return {"ok": True}
        return {"ok": False}

    def _begin(self, held: dict[str, float]) -> None:
        now = asyncio.get_running_loop().time()
        for name, pool in self._pools.items():
            if name in held:
                pool.hold(now + min(held[name], MAX_HOLD_SECONDS))
            else:
                pool.resume()

    async def _hold(self, question: dict[str, Any]) -> bool:
        # Whether what was under way has ended, for which is waited.
        pools = [self._pools[name] for name in question["upstreams"]]
        now = asyncio.get_running_loop().time
        began = now()
        for pool in pools:
            pool.hold(began + min(question["seconds"], MAX_HOLD_SECONDS))
        while not all(pool.is_quiet for pool in pools) and now() - began < question["quiet_seconds"]:
            await asyncio.sleep(_LOOK_SECONDS)
        return all(pool.is_quiet for pool in pools)

    def _resume(self, upstreams: Mapping[str, Pool] | list[str]) -> None:
        for name in upstreams:
            self._pools[name].resume()


async def answer_lines(
    descriptor: int, answer: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
) -> None:
    """Answer each line on a socket, JSON both ways, until the other end is closed."""
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=descriptor))
    try:
        async for line in reader:
            writer.write(json.dumps(await answer(json.loads(line))).encode() + b"\n")
    finally:
        writer.close()
