"""A process that draws: orders on standard input, one JSON array a line; each answered by a length and a PNG.

A process of its own, for the rasteriser keeps the interpreter's lock. It ends when nobody can order any more.
"""

import json
import struct
import sys

from mercato.art import picture, rasterise, scene

LENGTH = struct.Struct("!I")
# In pixels. A little less than the largest rendition, which nobody can tell apart, and a third less work.
WIDTH = 1040
SCENE_WIDTH = 1600


def draw(order: list[str]) -> bytes:
    """The PNG of a scene (its name), or of a picture (kind, style, color and view)."""
    if len(order) == 1:
        return rasterise(scene(order[0]), SCENE_WIDTH)
    kind, style, color, view = order
    return rasterise(picture(kind, style, color, view), WIDTH)


def main() -> None:
    """Draw until the orders end."""
    for line in sys.stdin:
        png = draw(json.loads(line))
        sys.stdout.buffer.write(LENGTH.pack(len(png)) + png)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
