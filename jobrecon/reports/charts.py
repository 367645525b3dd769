"""Charts as SVG inside the page, in the page's own colours: right in the dark and on paper."""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from jobrecon.reports.formatting import MONTHS, describe_count
from jobrecon.reports.history import SETTLE_BANDS, SettleTimes, TrendDay

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 40


def draw_trend(trend: Sequence[TrendDay]) -> Markup:
    """Open findings at the end of each day as columns, what was new that day as the darker part; days without a run are hatched."""
    if not trend:
        return Markup()
    description = f"{describe_count(trend[-1].open_count, 'finding')} open at the end, {trend[0].open_count:,} on the first day."
    without_run = sum(not day.has_run for day in trend)
    if without_run:
        description += f" On {describe_count(without_run, 'day')} there was no run."
    top = _round_up(max(day.open_count for day in trend))
    step = (WIDTH - LEFT - RIGHT) / len(trend)
    parts = _draw_axis(top)
    for index, day in enumerate(trend):
        x = LEFT + index * step + step * 0.14
        width = step * 0.72
        month = MONTHS[day.date.month - 1]
        tip = f"{day.date.day} {month}: "
        if day.has_run:
            tip += f"{day.open_count:,} open, {day.new_count:,} new, {day.ended_count:,} ended" + (
                "" if day.is_complete else "; incomplete"
            )
            new = min(day.new_count, day.open_count)
            parts.append(
                _bar(x, width, _y(day.open_count, top), _y(0, top), "bar" if day.is_complete else "bar part", tip)
                + _bar(x, width, _y(new, top), _y(0, top), "fresh", tip)
            )
        else:
            parts.append(_bar(x, width, TOP, HEIGHT - BOTTOM, "gap", tip + "no run"))
        if index % 2 == (len(trend) - 1) % 2:
            label = f"{day.date.day} {month}" if index in (0, 1) or day.date.day <= 2 else str(day.date.day)
            parts.append(_text(x + width / 2, HEIGHT - BOTTOM + 16, label, "middle"))
    return _frame("Open findings at the end of each day", description, parts)


def draw_settle_times(settle_times: SettleTimes) -> Markup:
    """How many requests took how long to settle, as columns."""
    counts = settle_times.band_counts
    top = _round_up(max(counts))
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    parts = _draw_axis(top)
    for index, (band, count) in enumerate(zip(SETTLE_BANDS, counts, strict=True)):
        x = LEFT + index * step + step * 0.14
        parts.append(_bar(x, step * 0.72, _y(count, top), _y(0, top), "bar", f"{band}: {describe_count(count, 'request')}"))
        parts.append(
            _text(x + step * 0.36, _y(count, top) - 4 if count < top * 0.9 else _y(count, top) + 14, f"{count:,}", "middle", "count")
        )
        parts.append(_text(x + step * 0.36, HEIGHT - BOTTOM + 16, band, "middle"))
    description = ", ".join(f"{band}: {count:,}" for band, count in zip(SETTLE_BANDS, counts, strict=True)) + "."
    return _frame("Requests by the time they took to settle", description, parts)


def _draw_axis(top: int) -> list[str]:
    values: Sequence[int] = sorted({0, top // 2, top})
    return [
        f'<path class="rule" d="M{LEFT} {_y(value, top):.1f}H{WIDTH - RIGHT}"/>' + _text(LEFT - 6, _y(value, top) + 4, f"{value:,}", "end")
        for value in values
    ]


def _bar(x: float, width: float, top: float, bottom: float, name: str, tip: str) -> str:
    height = max(bottom - top, 0)
    shape = f'<rect class="{name}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1.5">'
    return f"{shape}<title>{escape(tip)}</title></rect>" if height else ""


def _text(x: float, y: float, text: str, anchor: str, name: str = "") -> str:
    style = f' class="{name}"' if name else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _y(value: float, top: int) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _round_up(value: int) -> int:
    """The next of 2, 4, 10, 20, 40, 100, …: an axis ends at a number that is easily read, and so does its half."""
    if value <= 2:
        return 2
    size = 10 ** int(math.log10(value))
    return next(int(step * size) for step in (1, 2, 4, 10, 20) if step * size >= value)


def _frame(title: str, description: str, parts: list[str]) -> Markup:
    key = "".join(character for character in title.lower() if character.isalpha())[:12]
    # Everything that came from outside passed `escape`; the rest is ours.
    return Markup(  # noqa: S704
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>{"".join(parts)}</svg>'
    )
