"""Step that executes a layer on the array."""

from collections.abc import Iterator, Sequence

from ..lower.layer import Layer
from ..plan.buffers import Buffers
from ..plan.kernel_blocks import filter_phases, tile_width, uses_row_filters
from ..plan.layer_plan import LayerPlan
from ..plan.resident_tensor import ResidentTensor
from ..plan.tensor_view import TensorView
from ..plan.tiling import plan_layer
from .instruction_stream import InstructionStream
from .layer_emitter import emit_layer
from .step import OperationStep, StepMemory
from .weight_loader import layer_constants

__all__ = ["ArrayStep"]


class ArrayStep(OperationStep[Layer]):
    """Step for a :class:`Layer`. It implements :class:`Step`."""

    produces_blocks = True

    @property
    def macs(self) -> int:
        """Number of multiply-accumulate operations."""
        return self.operation.macs

    def output_view(self) -> TensorView | None:
        """Return the layout of the output, or ``None`` if the output cannot stay on chip."""
        layer = self.operation
        if layer.batch > 1 or layer.out_size > 1:
            return None
        return TensorView(shape=(layer.out_h, layer.out_w, layer.out_c))

    def input_view(self, number: int) -> TensorView | None:
        """Return the layout of the input, or ``None`` if the input cannot be on chip."""
        layer = self.operation
        if layer.batch > 1:
            return None
        overread = self.config.rows
        if uses_row_filters(layer, self.config):
            # the filter of every phase has as many taps as the longest
            phases, _ = filter_phases(layer, layer.kernel_w)
            overread += (-layer.kernel_w % phases) * layer.in_c
        return TensorView(
            shape=(layer.in_h, layer.in_w, layer.in_c), top=layer.pad_top, left=layer.pad_left,
            bottom=layer.pad_bottom, right=layer.pad_right, halo=layer.halo, overread=overread)

    def plan(self, budget: int, sources: Sequence[ResidentTensor | None],
             target: ResidentTensor | None) -> LayerPlan:
        """Return the plan of the layer; see :meth:`Step.plan`."""
        return plan_layer(self._transformed(sources, target), self.config, budget=budget,
                          input_on_chip=sources[0] is not None,
                          output_on_chip=target is not None)

    def buffer_sizes(self, plan: LayerPlan) -> Buffers[int]:
        """Return the sizes in bytes of the step's own buffers."""
        return Buffers(
            inputs=() if plan.input_on_chip else (plan.input_bytes,) * plan.input_buffers,
            outputs=() if plan.output_on_chip else (plan.output_bytes,) * plan.output_buffers,
            parameters=(plan.parameter_bytes,))

    def constants(self, plan: LayerPlan, sources: Sequence[ResidentTensor | None],
                  target: ResidentTensor | None) -> bytes:
        """Return the parameters and weights of the layer."""
        return layer_constants(self._transformed(sources, target), plan, self.config)

    def generate(self, stream: InstructionStream, plan: LayerPlan,
                 memory: StepMemory) -> Iterator[int]:
        """Emit the layer; see :meth:`Step.generate`."""
        source, target = memory.sources[0], memory.target
        layer = self._transformed(memory.sources, target)
        if source is not None and source.contiguous:
            source = source.reshaped((layer.in_h, layer.in_w, layer.in_c))
        if target is not None and target.contiguous:
            target = target.reshaped((layer.out_h, layer.out_w, layer.out_c))
        return emit_layer(stream, layer, plan, memory, source, target)

    def _transformed(self, sources: Sequence[ResidentTensor | None],
                     target: ResidentTensor | None) -> Layer:
        """Return the layer in the form that runs fastest with these tensors on chip.

        The positions become one row if no tensor has a halo between its rows.
        """
        layer = self.operation
        if all(tensor is None or tensor.contiguous for tensor in (*sources, target)):
            layer = layer.flattened().folded(tile_width(layer, self.config))
        return layer.widened(self.config.rows, self.config.cols)
