"""Names of the parts of a program, to which its instructions are attributed."""

import dataclasses

from .file import Program

__all__ = ["Label", "instruction_labels"]


@dataclasses.dataclass(frozen=True)
class Label:
    """Layer and part that an instruction belongs to.

    Attributes
    ----------
    layer : :class:`str`
        Name of the layer, such as ``"layer 3"``.
    part : :class:`str`
        Name of the part of the layer, such as ``"attention scores"``.
    kind : :class:`str`
        Kind of operation of the part, such as ``"projections"``.
    """

    layer: str
    part: str
    kind: str

    def __str__(self) -> str:
        return self.part if self.layer == self.part else f"{self.layer} {self.part}"


def instruction_labels(program: Program) -> list[Label] | None:
    """Return the label of each instruction, or ``None`` if the program has no complete labels.

    They come from the keys ``layers``, ``instruction_layers``, ``parts`` and ``instruction_parts``
    of ``meta``, which a file may contain in any form.
    """
    meta = program.meta
    try:
        names = {int(layer["index"]): str(layer["name"]) for layer in meta["layers"]}
        parts = [(str(name), str(kind)) for name, kind in meta["parts"]]
        layers, numbers = meta["instruction_layers"], meta["instruction_parts"]
        if not len(layers) == len(numbers) == program.instruction_count or min(
                numbers, default=0) < 0:
            return None
        return [Label(names[layer], *parts[number])
                for layer, number in zip(layers, numbers, strict=True)]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError):
        return None
