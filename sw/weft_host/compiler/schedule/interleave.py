"""The order in which steps emit their instructions: one after the other, but for two shortcuts.

Tables are read while the step before runs. An elementwise step takes each block of its operand
as soon as the step before has made it, so that neither VECTOR nor who reads the result waits for
a whole tensor.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

__all__ = ["Piece", "interleave"]


@dataclasses.dataclass
class Piece:
    """A step with all it needs to emit its instructions.

    Attributes
    ----------
    early : :class:`bool`
        Its parameters have their place in the scratchpad while the step before runs.
    home : :class:`Home` or :class:`None`
        Of its output.
    blocks : iterator of :class:`int`
        What the step's ``generate`` gives.
    """

    step: Any
    plan: Any
    constants: int
    buffers: dict
    early: bool
    home: Any
    blocks: Iterator[int]

    def prepare(self, stream):
        """Emit what comes before the step's turn."""
        stream.layer = self.step.index
        self.step.prepare(stream, self.plan, self.constants, self.buffers)

    def finish(self, stream):
        """Emit the halo of the output, behind the step's own loads: those are waited for."""
        if self.home is not None:
            stream.layer = self.step.index
            self.home.fill(stream)


def interleave(stream, pieces):
    """Emit all pieces."""
    prepared = -1
    number = 0
    while number < len(pieces):
        piece = pieces[number]
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if prepared < number:
            piece.prepare(stream)
        if following is not None and following.early and not piece.step.uses_tables:
            following.prepare(stream)
            prepared = number + 1
        if following is not None and prepared > number and _follows(piece, following):
            _together(stream, piece, following)
            number += 2
            continue
        while _next(stream, piece) is not None:
            pass
        piece.finish(stream)
        number += 1


def _follows(piece, following):
    """The next step can take blocks of this one's output, and has nothing else to wait for."""
    plan = following.plan
    return (piece.step.makes_blocks and following.step.takes_blocks and plan.kept
            and not any(plan.staged) and piece.step.target in following.step.sources)


def _together(stream, piece, following):
    """Each block of the next step as soon as what it reads has been made."""
    needed = _next(stream, following)
    while (made := _next(stream, piece)) is not None:
        while needed is not None and needed <= made:
            needed = _next(stream, following)
    piece.finish(stream)
    while needed is not None:
        needed = _next(stream, following)
    following.finish(stream)


def _next(stream, piece):
    """Let a step emit up to its next pause; what it tells there, or ``None`` at its end."""
    stream.layer = piece.step.index
    return next(piece.blocks, None)
