"""The bars of the table as SVG."""

from html import escape
from typing import Any, Final

from contestants import EDGE, ENVOY, HAPROXY, LABELS, NGINX
from report import KINDS, case_label

_COLORS: Final = {EDGE: "#0b6e4f", ENVOY: "#7a5195", HAPROXY: "#3b6fb6", NGINX: "#8a8f98"}
_LEFT, _WIDTH, _BAR, _GAP = 150, 560, 16, 14


def svg(document: dict[str, Any]) -> str:
    """CPU for a request, a group of bars for each case. Django would be some thirty times as wide: a note."""
    groups: dict[str, list[dict[str, Any]]] = {}
    rows = sorted(document["rows"], key=lambda r: (KINDS.index(r["tokens"]), r["algorithm"]))
    for r in rows:
        if r["contestant"] in _COLORS:
            groups.setdefault(case_label(r), []).append(r)
    scale = _WIDTH / max(r["cpu_us"] for group in groups.values() for r in group)
    parts, y = [_text(_LEFT, 22, "CPU microseconds per request", "bold")], 40
    for label, group in groups.items():
        parts.append(_text(_LEFT - 10, y + _BAR * len(group) / 2 + 4, label, anchor="end"))
        for r in group:
            parts.append(_bar(r, y, r["cpu_us"] * scale))
            y += _BAR
        y += _GAP
    for name, color in _COLORS.items():
        parts.append(f'<rect x="{_LEFT}" y="{y}" width="12" height="12" fill="{color}"/>')
        parts.append(_text(_LEFT + 18, y + 10, LABELS[name]))
        y += 18
    for note in _notes(rows):
        parts.append(_text(_LEFT, y + 12, note))
        y += 18
    size = f'viewBox="0 0 {_LEFT + _WIDTH + 70} {y + 12}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img">'
    )
    title = "<title>CPU per request of the edge and its rivals</title>"
    return "\n".join([head, title, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _bar(r: dict[str, Any], y: float, width: float) -> str:
    color = _COLORS[r["contestant"]]
    rect = f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 2}" fill="{color}"/>'
    return rect + _text(_LEFT + width + 5, y + 11, f"{r['cpu_us']:,.0f}")


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"{LABELS[r['contestant']]}, {case_label(r)}: {r['cpu_us']:,.0f}"
        for r in rows
        if r["contestant"] not in _COLORS and r["tokens"] == "one"
    ]


def _text(x: float, y: float, text: str, weight: str = "normal", anchor: str = "start") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} font-weight="{weight}">{escape(text)}</text>'
