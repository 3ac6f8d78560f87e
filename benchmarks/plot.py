"""Small plots as SVG, written by hand: bars and lines, readable on a light and on a dark page."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 46
INK, PALE, MARK = "#1f2937", "#d1d5db", "#b91c1c"
COLOURS = ("#2563eb", "#d97706", "#059669", "#7c3aed", "#6b7280")
TICKS = 4

Point = tuple[float, float]


def nice(top: float) -> float:
    """Return a number not below `top`: 1, 2, 2.5, 4, 5, 6 or 8 times a power of ten."""
    if top <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= top:
        power *= 10
    while power > top:
        power /= 10
    return next(
        power * step for step in (1, 2, 2.5, 4, 5, 6, 8, 10) if power * step >= top * (1 - 1e-9)
    )


def short(value: float) -> str:
    """Return a number as a label shows it: `3,400`, `0.85`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def bars(
    title: str, rows: Sequence[tuple[str, float]], unit: str, *, goal: float | None = None
) -> str:
    """Return lying bars with their values; `goal` is a dashed line."""
    left = 190
    top_value = nice(max([value for _, value in rows] + [goal or 0.0]))
    space = (HEIGHT - TOP - BOTTOM) / max(1, len(rows))
    width = WIDTH - left - RIGHT - 60
    parts = []
    for number, (name, value) in enumerate(rows):
        y = TOP + number * space
        length = width * value / top_value
        colour = COLOURS[number % len(COLOURS)]
        parts += [
            _text(left - 8, y + space / 2 + 4, name, anchor="end"),
            (
                f'<rect x="{left}" y="{y + space * 0.18:.1f}" width="{max(length, 1):.1f}" '
                f'height="{space * 0.64:.1f}" rx="3" fill="{colour}"/>'
            ),
            _text(left + length + 6, y + space / 2 + 4, short(value)),
        ]
    if goal is not None:
        x = left + width * goal / top_value
        parts.append(_dashed(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(_text(x, HEIGHT - BOTTOM + 16, f"goal {short(goal)}", "middle", MARK))
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 10, unit, anchor="end"))
    return _svg(title, parts)


def lines(
    title: str,
    series: Sequence[tuple[str, Sequence[Point]]],
    x_unit: str,
    y_unit: str,
    *,
    goal: float | None = None,
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """Return lines from zero; `marks` are moments with a name, `goal` a level."""
    points = [point for _, line in series for point in line]
    x_top = nice(max([x for x, _ in points] + [x for x, _ in marks], default=1.0))
    y_top = nice(max([y for _, y in points] + [goal or 0.0], default=1.0))

    def place(x: float, y: float) -> Point:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * x / x_top,
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(0.0, y) / y_top,
        )

    parts = []
    for tick in range(TICKS + 1):
        x, y = place(x_top * tick / TICKS, y_top * tick / TICKS)
        parts += [
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{PALE}"/>',
            _text(LEFT - 6, y + 4, short(y_top * tick / TICKS), anchor="end"),
            _text(x, HEIGHT - BOTTOM + 16, short(x_top * tick / TICKS), anchor="middle"),
        ]
    for number, (name, line) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(LEFT + 8, TOP + 14 + 16 * number, name, colour=colour))
    if goal is not None:
        _, y = place(0, goal)
        parts.append(_dashed(LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(WIDTH - RIGHT - 4, y - 5, f"goal {short(goal)}", "end", MARK))
    for at, name in marks:
        x, _ = place(at, 0)
        parts.append(_dashed(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(_text(x + 4, HEIGHT - BOTTOM - 8, name, colour=MARK))
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 10, x_unit, anchor="end"))
    parts.append(_text(8, TOP - 12, y_unit))
    return _svg(title, parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>'
    )
    heading = f'<text x="{WIDTH / 2}" y="18" text-anchor="middle" font-weight="600" fill="{INK}">'
    return "\n".join([head, f"{heading}{escape(title)}</text>", *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(text)}</text>"
    )


def _dashed(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{MARK}" '
        'stroke-dasharray="5 4"/>'
    )
