"""From SVG to PNG."""

import resvg_py


def rasterise(svg: str, width: int) -> bytes:
    """The PNG of a picture, `width` pixels wide."""
    # The pictures hold no text, and looking for fonts takes longer than drawing.
    return resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True)
