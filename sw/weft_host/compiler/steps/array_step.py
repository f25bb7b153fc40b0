"""What the compiler does one after the other, and what each step asks of the tensors it touches."""

import dataclasses

from ..plan import kernel_blocks
from ..plan.allocators import Regions
from ..plan.tiling import plan_layer
from .layer_emitter import Place, generate, layer_constants

__all__ = ["ArrayStep", "View"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """How a step sees a tensor in the scratchpad.

    Attributes
    ----------
    shape : (height, width, channels)
        Its pixels. Without a halo any shape of as many bytes will do.
    top, left, bottom, right : :class:`int`
        Rows and columns around it that are read, too,
    halo : :class:`int`
        and the byte that is to be there.
    surplus : :class:`int`
        Bytes behind the last that are read and meet zero weights.
    """

    shape: tuple[int, int, int]
    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0
    halo: int = 0
    surplus: int = 0

    @property
    def halo_needed(self):
        """Something around the tensor is read."""
        return bool(self.top + self.left + self.bottom + self.right)


class ArrayStep:
    """A :class:`Layer`.

    Attributes
    ----------
    index : :class:`int`
        The operator in the model.
    sources : tuple of :class:`int`
        Root tensors that are read,
    target : :class:`int`
        and the one that is made.
    """

    def __init__(self, layer, config):
        self.layer, self.config = layer, config
        self.index, self.name, self.macs = layer.index, layer.name, layer.macs
        self.sources, self.target = (layer.source,), layer.target

    def describe(self):
        """The step in a few words."""
        return self.layer.describe()

    def makes(self):
        """The :class:`View` that it writes, or ``None`` if the output cannot stay on chip."""
        layer = self.layer
        if layer.batch > 1 or layer.out_size > 1:
            return None
        return View(shape=(layer.out_h, layer.out_w, layer.out_c))

    def reads(self, slot):
        """The :class:`View` that it reads, or ``None`` if the input cannot be on chip."""
        layer = self.layer
        if layer.batch > 1:
            return None
        surplus = self.config.rows
        if kernel_blocks.filters(layer, self.config):
            # every phase has as many taps as the longest
            phases = min(layer.stride_w, layer.kernel_w)
            surplus += (-layer.kernel_w % phases) * layer.in_c
        return View(
            shape=(layer.in_h, layer.in_w, layer.in_c), top=layer.pad_top, left=layer.pad_left,
            bottom=layer.pad_bottom, right=layer.pad_right, halo=layer.halo, surplus=surplus)

    def prepare(self, stream, plan, constants, buffers):
        """Emit what can be done before the step's turn: nothing."""

    uses_tables = False
    makes_blocks = True
    takes_blocks = False

    def _shaped(self, homes):
        """The layer as it runs between these homes: as one row if nothing lies between rows."""
        layer = self.layer
        if all(home is None or home.gapless for home in homes):
            layer = layer.flattened().folded(kernel_blocks.tile_width(layer, self.config))
        return layer.widened(self.config.rows, self.config.cols)

    def plan(self, config, budget, sources, target):
        """The :class:`Plan` between these homes, with ``budget`` bytes for buffers."""
        return plan_layer(self._shaped((*sources, target)), config, budget=budget,
                          fed=sources[0] is not None, kept=target is not None)

    def buffers(self, plan):
        """Sizes of the buffers of a plan, by what they are for."""
        return {"act": [] if plan.fed else [plan.act_bytes] * plan.act_regions,
                "out": [] if plan.kept else [plan.out_bytes] * plan.out_regions,
                "params": [plan.param_bytes]}

    def constants(self, plan, sources, target):
        """Bytes of host memory that it loads."""
        return layer_constants(self._shaped((*sources, target)), plan, self.config)

    def generate(self, stream, plan, place, ring, buffers, sources, target):
        """Emit the step; ``place`` holds host addresses: inputs, output, constants.

        Yields how many bytes of the output have been made.
        """
        inputs, output, constants = place
        layer = self._shaped((*sources, target))
        if sources[0] is not None and sources[0].gapless:
            sources = (sources[0].seen_as((layer.in_h, layer.in_w, layer.in_c)),)
        if target is not None and target.gapless:
            target = target.seen_as((layer.out_h, layer.out_w, layer.out_c))
        elif target is not None:
            target = target.merged(layer.out_c // target.channels)
        yield from generate(stream, layer, plan, Place(inputs[0], output, constants), ring,
                            Regions(tuple(buffers["act"]), tuple(buffers["out"]),
                                    buffers["params"][0]), sources[0], target)
