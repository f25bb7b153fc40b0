"""Instructions of the layers of a language model."""

from weft.spec.fixed_point_instructions import RECORD_BYTES, ComputeOp

from .builder import HostArea
from .cache_layout import store_position
from .factors import Integers
from .heads import HeadNorm
from .parameters import Attention, FeedForward, norm_eps, sum_shift
from .parts import Part
from .projection import Exponent
from .step_buffers import StepBuffers
from .vectors import Rows

__all__ = ["LayerEmitter"]

_GAIN_SHIFT = 30
_LARGE = 512            # outputs of a projection that are worth a small last block


class LayerEmitter:
    """Appends the instructions of norms, attention and feed-forward parts.

    Parameters
    ----------
    buffers : :class:`StepBuffers`
    """

    def __init__(self, buffers: StepBuffers) -> None:
        self.buffers, self.builder = buffers, buffers.builder
        self.shape = buffers.model.architecture

    def norm(self, gains: Integers | None) -> None:
        """Append a norm of the residual, with gains with 30 fraction bits if there are any."""
        shape, buffers = self.shape, self.buffers
        self.builder.part = Part.NORM
        if gains is not None:
            self._load_gains(gains)
        row = Rows(buffers.residual, 1, shape.dim, 4 * shape.dim)
        buffers.vectors.norm(row, buffers.inputs, buffers.centered, norm_eps(shape),
                             centered=shape.norm == "layer",
                             gains=None if gains is None else buffers.gains,
                             gain_shift=_GAIN_SHIFT)

    def attention(self, index: int, part: Attention) -> None:
        """Append the attention of layer ``index``, which adds to the residual."""
        buffers, shape = self.buffers, self.shape
        outputs = (2 * shape.kv_heads + shape.heads) * shape.head_size
        # the queries of the last block delay the scores, so it is small
        last = shape.heads // 4 * shape.head_size if outputs > _LARGE else 0
        self.builder.part = Part.QUERY_KEY_VALUE
        buffers.projections.emit_merged(
            (part.k, part.v, part.q), buffers.inputs, buffers.keys, last=last,
            complete=_HeadVectors(self, index, part).follow)
        buffers.attention.attend(index, buffers.query_planes, part.score_shifts.tolist(),
                                 sum_shift(buffers.context), buffers.heads)
        self.builder.part = Part.OUTPUT
        buffers.projections.emit(buffers.projections.store(part.output), buffers.heads,
                                 buffers.residual, add=True)

    def feed_forward(self, part: FeedForward) -> None:
        """Append the feed-forward part, which adds to the residual."""
        buffers, projections = self.buffers, self.buffers.projections
        product = _Product(self, part)
        self.builder.part = Part.GATE_UP
        projections.emit_merged([part.up] if part.gate is None else [part.gate, part.up],
                                buffers.inputs, buffers.gate, complete=product.follow)
        product.end()
        self.builder.part = Part.DOWN
        projections.emit(projections.store(part.down), buffers.products, buffers.residual, add=True,
                         exponent=Exponent(buffers.exponent, part.product_fraction))

    def normalize_and_rotate(self, rows: Rows, norm: HeadNorm | None, table: int, *,
                             keys: bool) -> None:
        """Append the norm and the rotation of heads, in place, as far as the model has them."""
        buffers = self.buffers
        if norm is not None:
            self.builder.part = Part.HEAD_NORM
            self._load_gains(norm.gains)
            buffers.vectors.head_norm(rows, norm, buffers.gains, buffers.function)
        if self.shape.rope is not None:
            self.builder.part = Part.ROTATION
            for first, count in buffers.order.rotated_parts(keys=keys):
                buffers.vectors.rotate(
                    Rows(rows.addr + 4 * first, rows.count, rows.elements, rows.pitch), count,
                    table + 4 * first)

    def _load_gains(self, gains: Integers) -> None:
        address = self.buffers.constants.add(gains.astype("<i4").tobytes())
        self.builder.copy("LOAD", HostArea.CONSTANTS, None, count=1, bytes=4 * len(gains),
                          local_addr=self.buffers.gains, host_addr=address)


class _HeadVectors:
    """Instructions that follow the projection to keys, values and queries.

    Parameters
    ----------
    emitter : :class:`LayerEmitter`
    index : index of the layer.
    part : its parameters.
    """

    def __init__(self, emitter: LayerEmitter, index: int, part: Attention) -> None:
        self.emitter, self.index, self.part = emitter, index, part
        self._cached, self._prepared = False, 0

    def follow(self, outputs: int) -> None:
        """Append those that need only the first ``outputs``."""
        emitter, shape, buffers = self.emitter, self.emitter.shape, self.emitter.buffers
        size = shape.head_size
        if not self._cached and outputs >= 2 * shape.kv_heads * size:
            self._cached = True
            self._cache()
        heads = min(max(0, outputs // size - 2 * shape.kv_heads), shape.heads)
        if heads > self._prepared:
            first, self._prepared = self._prepared, heads
            queries = Rows(buffers.queries + 4 * size * first, heads - first, size, 4 * size)
            emitter.normalize_and_rotate(queries, self.part.q_norm, buffers.rotation, keys=False)
            emitter.builder.part = Part.SCORES
            buffers.vectors.to_planes(queries, buffers.query_planes + 2 * size * first, 2 * size,
                                      size, 15)
        emitter.builder.part = Part.QUERY_KEY_VALUE

    def _cache(self) -> None:
        emitter, shape, buffers = self.emitter, self.emitter.shape, self.emitter.buffers
        keys, both = (Rows(buffers.keys, count, shape.head_size, 4 * shape.head_size)
                      for count in (shape.kv_heads, 2 * shape.kv_heads))
        emitter.normalize_and_rotate(keys, self.part.k_norm,
                                     buffers.rotation + buffers.order.key_rotation, keys=True)
        emitter.builder.part = Part.CACHE
        buffers.vectors.cache(both, buffers.cached, buffers.scales)
        store_position(emitter.builder, buffers.cache, buffers.registers, self.index,
                       buffers.cached, buffers.scales)


class _Product:
    """Instructions that follow the projections to gate and up: activation and product.

    Parameters
    ----------
    emitter : :class:`LayerEmitter`
    part : parameters of the layer.
    """

    def __init__(self, emitter: LayerEmitter, part: FeedForward) -> None:
        self.emitter, self.part = emitter, part
        shape = emitter.shape
        self._size, buffers = shape.feed_forward, emitter.buffers
        self._function = ComputeOp.SIGMOID if shape.activation == "silu" else ComputeOp.GELU_GATE
        self._factor = buffers.function if part.gate is None else buffers.gate
        self._activated = self._measured = self._parts = 0

    def follow(self, outputs: int) -> None:
        """Append those that need only the first ``outputs``."""
        self.emitter.builder.part = Part.ACTIVATION
        before = 0 if self.part.gate is None else self._size    # outputs in front of those of up
        self._activate(outputs)
        ready, buffers = min(outputs - before, self._size), self.emitter.buffers
        if ready > self._measured:
            buffers.vectors.measure_product(
                buffers.up + 4 * self._measured, self._factor + 4 * self._measured,
                ready - self._measured, buffers.measures + RECORD_BYTES * self._parts)
            self._measured, self._parts = ready, self._parts + 1
        self.emitter.builder.part = Part.GATE_UP

    def end(self) -> None:
        """Append the product, whose largest magnitudes have been measured."""
        buffers = self.emitter.buffers
        self.emitter.builder.part = Part.ACTIVATION
        buffers.vectors.product(buffers.up, self._factor, self._size, buffers.products,
                                buffers.measures, self._parts, buffers.exponent)

    def _activate(self, outputs: int) -> None:
        """Append the activation function, whose argument is the gate, or else that of up."""
        buffers, vectors, first = (
            self.emitter.buffers, self.emitter.buffers.vectors, self._activated)
        if self.part.gate is None:
            self._activated = min(outputs, self._size)
            vectors.activate(self._function, buffers.up + 4 * first, self._activated - first,
                             self.part.gate_fraction, buffers.function + 4 * first)
        elif not first and outputs >= self._size:
            self._activated = self._size
            vectors.activate(self._function, buffers.gate, self._size, self.part.gate_fraction,
                             buffers.function)
            vectors.scale_by(buffers.gate, buffers.function, self._size, 15, buffers.gate)
