"""Animated picture of the systolic array: its registers, cycle by cycle, as one SVG file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from array_flow import Frame, Item

__all__ = ["animate"]

SECONDS = 1.0                           # of a cycle
CELL_WIDTH, CELL_HEIGHT = 104, 92
LEFT, TOP = 132, 76                     # of the array
QUEUE = 40                              # distance of two activations before the left edge
WAITING = 3                             # cycles of which activations are shown before they enter
NAMES = "AB"                            # tiles, each with colours of its own

_STYLE = """
svg{--page:#fff;--ink:#24292f;--dim:#6b7280;--line:#c9ced6;--a:#fdebd3;--as:#a85b00;--b:#dcecfb;
--bs:#0b61a4}
@media(prefers-color-scheme:dark){svg{--page:#16191d;--ink:#e6e8eb;--dim:#9aa3ad;--line:#454c55;
--a:#4a3416;--as:#f0b35c;--b:#173a57;--bs:#79bdf2}}
text{font:15px system-ui,sans-serif;fill:var(--ink);text-anchor:middle}
.page{fill:var(--page)}.cell{fill:none;stroke:var(--line);stroke-width:1.5}.dim{fill:var(--dim)}
.left{text-anchor:start}.head{font-weight:600;font-size:17px;text-anchor:start}
.w{font-weight:700;font-size:21px}.s{font-size:13px}
.fa{fill:var(--a)}.fb{fill:var(--b)}.ta{fill:var(--as)}.tb{fill:var(--bs)}
.oa{fill:var(--as)}.ob{fill:var(--bs)}.o{fill:var(--page);font-weight:600}
.ca,.cb{fill:none;stroke-dasharray:3 2}.ca{stroke:var(--as)}.cb{stroke:var(--bs)}
"""


def _motion(frames: int) -> str:
    """Return the rules that show one frame after another, with what moves arriving smoothly."""
    shown, arrived, period = 100 / frames, 45 / frames, frames * SECONDS
    moves = {"r": f"translateX(-{QUEUE}px)", "d": "translateY(-26px)"}
    rules = [f".f{{visibility:hidden;animation:f {period:g}s step-end infinite}}",
             f"@keyframes f{{0%{{visibility:visible}}{shown:.4f}%{{visibility:hidden}}}}"]
    for name, start in moves.items():
        rules += [f".{name}{{animation:{name} {period:g}s ease-out infinite}}",
                  f"@keyframes {name}{{0%{{transform:{start};opacity:.2}}"
                  f"{arrived:.4f}%,100%{{transform:none;opacity:1}}}}"]
    rules.append("@media(prefers-reduced-motion:reduce)"
                 "{.f,.r,.d{animation-play-state:paused}.r,.d{animation:none}}")
    return "".join(rules)


def _text(x: float, y: float, value: object, kind: str = "") -> str:
    shown = f"{value}".replace("-", "\N{MINUS SIGN}")
    return f'<text x="{x:g}" y="{y:g}"' + (f' class="{kind}"' if kind else "") + f">{shown}</text>"


def _rect(x: float, y: float, width: float, height: float, kind: str, radius: int = 6) -> str:
    return (f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" '
            f'class="{kind}"/>')


def _operand(x: float, y: float, value: int, colour: str) -> str:
    return _rect(x - 16, y - 14, 32, 24, f"o{colour}", 12) + _text(x, y + 3, value, "o")


class _Picture:
    """Drawing of the frames of one recording."""

    def __init__(self, frames: Sequence[Frame], vectors_per_tile: int) -> None:
        self.frames = frames
        self.vectors_per_tile = vectors_per_tile
        self.rows, self.cols = len(frames[0].weights), len(frames[0].weights[0])
        self.width = LEFT + self.cols * CELL_WIDTH + 20
        self.bottom = TOP + self.rows * CELL_HEIGHT
        self.height = self.bottom + 178

    def colour(self, vector: Item) -> str:
        """Return the colour of the tile that a vector is multiplied by."""
        return NAMES[vector.owner // self.vectors_per_tile].lower()

    def cell(self, frame: Frame, row: int, col: int) -> Iterator[str]:
        """Yield the contents of one cell: weight, next weight, operand and partial sum."""
        x, y = LEFT + col * CELL_WIDTH, TOP + row * CELL_HEIGHT
        group = col * len(frame.operands[row]) // self.cols
        weight, shadow = frame.weights[row][col], frame.shadows[row][col]
        operand, total = frame.operands[row][group], frame.sums[row][col]
        if weight:
            yield _rect(x + 3, y + 3, CELL_WIDTH - 6, CELL_HEIGHT - 6,
                        f"f{NAMES[weight.owner].lower()}")
            yield _text(x + 64, y + 50, weight.value, "w")
        if shadow and shadow != weight:
            colour = NAMES[shadow.owner].lower()
            moving = self.arrived(frame, row, col)
            yield (f'<g class="{"d" if moving else ""}">'
                   + _rect(x + 70, y + 8, 28, 20, f"c{colour}", 4)
                   + _text(x + 84, y + 23, shadow.value, f"s t{colour}") + "</g>")
        if operand:
            colour = self.colour(operand)
            yield f'<g class="r">{_operand(x + 24, y + 44, operand.value, colour)}</g>'
        if total:
            text = _text(x + CELL_WIDTH / 2, y + 80, f"Σ {total.value}", f"t{self.colour(total)}")
            yield f'<g class="d">{text}</g>'

    def arrived(self, frame: Frame, row: int, col: int) -> bool:
        """Return whether a shadow register has a new weight in this frame."""
        number = self.frames.index(frame)
        return not number or self.frames[number - 1].shadows[row][col] != frame.shadows[row][col]

    def waiting(self, number: int) -> Iterator[str]:
        """Yield the activations that enter in the next cycles, as they stand at the left edge."""
        for ahead, frame in enumerate(self.frames[number:number + WAITING]):
            for row, item in enumerate(frame.entering):
                if item:
                    y = TOP + row * CELL_HEIGHT + 44
                    yield ('<g class="r">' + _operand(
                        LEFT - 22 - ahead * QUEUE, y, item.value, self.colour(item)) + "</g>")

    def caption(self, number: int) -> str:
        """Return a sentence about one frame."""
        frame = self.frames[number]
        parts = []
        if number and frame.shadows != self.frames[number - 1].shadows:
            tiles = [item.owner for line in frame.shadows for item in line if item]
            parts.append(f"tile {NAMES[max(tiles)]} shifts in")
        first = frame.entering[0]
        if first:
            parts.append(f"vector {first.owner} enters")
        if frame.outputs:
            parts.append(f"sums of vector {frame.outputs[0].owner} leave")
        return f"Cycle {number}" + (": " if parts else "") + ", ".join(parts)

    def outputs(self, frame: Frame) -> Iterator[str]:
        """Yield the finished sums, which leave all columns in the same cycle."""
        y = self.bottom + 34
        for col, item in enumerate(frame.outputs or ()):
            x = LEFT + (col + 0.5) * CELL_WIDTH
            yield f'<g class="d">{_text(x, y, item.value, f"w t{self.colour(item)}")}</g>'

    def legend(self) -> Iterator[str]:
        """Yield the key and the names of both edges."""
        yield _text(20, self.bottom + 32, "finished sums", "left dim")
        y = self.bottom + 78
        yield _operand(36, y, 5, "a") + _text(60, y + 3, "activation, moves right", "left")
        yield _text(296, y + 5, -7, "w") + _text(316, y + 3, "weight, stays", "left")
        yield (_rect(22, y + 20, 28, 20, "cb", 4) + _text(36, y + 35, -7, "s tb")
               + _text(60, y + 35, "next weight, shifts down", "left"))
        yield _text(296, y + 35, "Σ 45", "ta")
        yield _text(320, y + 35, "partial sum, moves down", "left")
        yield _text(20, y + 70, "Orange: tile A and the vectors that it multiplies. Blue: tile B. "
                    "Two columns share", "left dim s")
        yield _text(20, y + 86, "an activation register.", "left dim s")

    def svg(self, first: int) -> Iterator[str]:
        """Yield the parts of the file; frame ``first`` is the one that a still picture shows."""
        count = len(self.frames)
        delays = []
        for number in range(count):
            after = (number - first) % count * SECONDS
            delay = f"{after - count * SECONDS:g}s" if after else "0s"
            delays.append(f".f{number},.f{number} *{{animation-delay:{delay}}}")
        yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
               f'width="{self.width}" height="{self.height}" role="img">')
        yield f"<title>Data moving through a {self.rows} × {self.cols} systolic array</title>"
        yield f"<style>{_STYLE}{_motion(count)}{''.join(delays)}</style>"
        yield f'<rect width="{self.width}" height="{self.height}" rx="10" class="page"/>'
        for row in range(self.rows):
            for col in range(self.cols):
                yield _rect(LEFT + col * CELL_WIDTH + 3, TOP + row * CELL_HEIGHT + 3,
                            CELL_WIDTH - 6, CELL_HEIGHT - 6, "cell")
        yield from self.legend()
        for number, frame in enumerate(self.frames):
            yield f'<g class="f f{number}">' + _text(20, 40, self.caption(number), "head")
            for row in range(self.rows):
                for col in range(self.cols):
                    yield from self.cell(frame, row, col)
            yield from self.waiting(number)
            yield from self.outputs(frame)
            yield "</g>"
        yield "</svg>"


def animate(frames: Sequence[Frame], *, vectors_per_tile: int, first: int) -> str:
    """Return the animation of a recording as SVG.

    Parameters
    ----------
    frames : list of :class:`array_flow.Frame`
    vectors_per_tile : :class:`int`
        Number of vectors of each pass, which have the colour of their tile.
    first : :class:`int`
        Cycle with which the animation begins, and which viewers without animation show.
    """
    parts: Iterable[str] = _Picture(frames, vectors_per_tile).svg(first)
    return "\n".join(parts) + "\n"
