"""The picture of the polling simulation: mean delay of each order of polling as bars of a logarithmic scale, with D*."""

import math
from pathlib import Path

FILE = Path(__file__).parent.parent / "docs" / "pictures" / "polling-delay.svg"
WIDTH, LEFT, RIGHT, TOP, ROW, FOOT = 720, 150, 90, 44, 34, 34

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.quiet { fill: #59636e }
.rule { stroke: #d1d9e0; fill: none }
.ours { fill: #0969da }
.other { fill: #8c959f }
.bound { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 3; fill: none }
.boundtext { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .rule { stroke: #3d444d }
  .ours { fill: #4493f8 }
  .other { fill: #656c76 }
  .bound { stroke: #ff7b72 }
  .boundtext { fill: #ff7b72 }
}
"""


def write_picture(means: dict[str, float], bound: float, file: Path = FILE) -> None:
    """Draw mean delays in seconds by policy; those called ours stand out."""
    low, high = 10.0, 10.0 ** math.ceil(math.log10(max(means.values())))
    bottom = TOP + ROW * len(means)

    def place(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(seconds / low) / math.log(high / low)

    parts = []
    for power in range(1, round(math.log10(high)) + 1):
        x = place(10.0**power)
        parts.append(f'<path class="rule" d="M{x:.1f} {TOP}V{bottom}"/>')
        parts.append(f'<text class="quiet" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10**power:,} s</text>')
    for index, (name, seconds) in enumerate(means.items()):
        y = TOP + index * ROW
        kind = "ours" if name.startswith("ours") else "other"
        parts.append(f'<text x="{LEFT - 10}" y="{y + 22}" text-anchor="end">{name}</text>')
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y + 7}" width="{place(seconds) - LEFT:.1f}" height="{ROW - 14}" rx="2"/>')
        parts.append(f'<text x="{place(seconds) + 8:.1f}" y="{y + 22}">{seconds:,.0f} s</text>')
    parts.append(f'<path class="bound" d="M{place(bound):.1f} {TOP - 8}V{bottom}"/>')
    parts.append(f'<text class="boundtext" x="{place(bound):.1f}" y="{TOP - 14}" text-anchor="middle">D* {bound:.0f} s</text>')
    delays = "; ".join(f"{name} {seconds:,.0f} s" for name, seconds in means.items())
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + FOOT}" width="{WIDTH}" role="img">\n'
        f"<title>Mean detection delay by order of polling, logarithmic</title>\n<desc>{delays}; least possible {bound:.0f} s</desc>\n"
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n",
        encoding="utf-8",
    )
