"""The chart: the cost of an item by hand, in streamkit and in its peers, on a logarithmic scale."""

from __future__ import annotations

from math import ceil, floor, log10
from xml.sax.saxutils import escape

from benchmarks.store import Results, Row
from benchmarks.workload import HAND, OURS
from benchmarks.workloads import WORKLOADS

SHOWN = (
    ("chain over a range, to a list", 3),
    ("chain over an async generator, to a list", 10),
    ("concurrent map, one tick each, unordered", 64),
    ("merge", 1_000),
    ("broadcast to folds", 10),
    ("group_by, a count per key", 10_000),
)
CONTENDERS = (HAND, OURS, "streamable", "reactivex", "aiostream")
WIDTH, LEFT, RIGHT = 800, 112, 90
BAR, STEP, HEAD, TOP, GAP = 12, 16, 22, 62, 8
STYLE = """
svg{color:#1f2328;font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
text{fill:currentColor}
.n{font-size:15px;font-weight:600}.h{font-weight:600}.e{text-anchor:end}.c{text-anchor:middle}
.card{fill:#fff;stroke:#d0d7de}.tick{stroke:#d8dee4}.q{color:#57606a}
rect.hand{fill:#8c959f}rect.ours{fill:#0067a8}rect.peer{fill:#d9a66b}.ours{font-weight:600}
@media(prefers-color-scheme:dark){
svg{color:#e6edf3}.card{fill:#0d1117;stroke:#30363d}.tick{stroke:#262c34}.q{color:#9aa4af}
rect.hand{fill:#6e7681}rect.ours{fill:#6cb6ff}rect.peer{fill:#a8743c}}
"""


def text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


class Scale:
    """From microseconds to where a bar ends."""

    def __init__(self, values: list[float]) -> None:
        self.low, self.high = floor(log10(min(values))), ceil(log10(max(values)))

    def __call__(self, micros: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (log10(micros) - self.low) / (self.high - self.low)

    def ticks(self, top: float, bottom: float) -> list[str]:
        marks: list[str] = []
        for power in range(self.low, self.high + 1):
            at = self(10**power)
            marks.append(f'<path class="tick" d="M{at:g} {top:g}V{bottom:g}"/>')
            marks.append(text(at, top - 5, f"{10**power:g} µs", "c q"))
        return marks


def bar(name: str, row: Row, y: float, scale: Scale) -> list[str]:
    """One contender: its bar and its figure, or why it has none."""
    marks = [text(LEFT - 8, y + BAR - 2, name, "e" if name in (HAND, OURS) else "e q")]
    if "seconds" not in row:
        return [*marks, text(LEFT + 6, y + BAR - 2, row.get("says", "not measured").split(":")[0], "q")]
    micros = 1e6 * row["seconds"]
    kind = {HAND: "hand", OURS: "ours"}.get(name, "peer")
    end = max(scale(micros), LEFT + 1)
    shown = f"{micros:.0f}" if micros >= 100 else f"{micros:.3g}" if micros >= 10 else f"{micros:.2f}"
    size = f'width="{end - LEFT:.1f}" height="{BAR}" rx="2"'
    return [
        *marks,
        f'<rect class="{kind}" x="{LEFT}" y="{y:g}" {size}/>',
        text(round(end + 6), y + BAR - 2, shown, kind),
    ]


def chart(results: Results) -> str:
    """The whole picture, for one version of Python."""
    rows = {(job, name): results.row(*job, name) for job in SHOWN for name in CONTENDERS}
    scale = Scale([1e6 * row["seconds"] for row in rows.values() if "seconds" in row] or [1.0, 10.0])
    marks: list[str] = []
    y = TOP + GAP / 2
    for job, size in SHOWN:
        marks.append(text(LEFT, y + 15, f"{job}; {size:,} {WORKLOADS[job].size}", "h"))
        y += HEAD
        for name in CONTENDERS:
            marks += bar(name, rows[(job, size), name], y, scale)
            y += STEP
        y += GAP
    height = y + 6
    title = f"Microseconds an item costs, Python {results.short}"
    body = [
        f"<title>{title}</title><desc>Bars on a logarithmic scale; shorter is better.</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
        text(14, 26, title, "n"),
        text(WIDTH - 14, 26, "logarithmic; shorter is better", "e q"),
        *scale.ticks(TOP - 4, height - 12),
        *marks,
    ]
    size_ = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size_}>', *body, "</svg>\n"])
