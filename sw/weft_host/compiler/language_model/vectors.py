"""Instructions COMPUTE and SOLVE by their purpose."""

from weft.spec.fixed_point_extents import FACTOR_BYTES
from weft.spec.fixed_point_instructions import (
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    SolveOp,
)

from .builder import ProgramBuilder, Scratchpad
from .heads import HeadNorm
from .projection import Planes

__all__ = ["Rows", "VectorEmitter"]

class Rows:
    """Rows of int32 numbers in the scratchpad, ``pitch`` bytes apart."""

    def __init__(self, addr: int, count: int, elements: int, pitch: int) -> None:
        self.addr, self.count, self.elements, self.pitch = addr, count, elements, pitch


class VectorEmitter:
    """Appends instructions for vectors.

    Parameters
    ----------
    builder : :class:`ProgramBuilder`
    scratchpad : :class:`Scratchpad`
    most_rows : :class:`int`
        Most rows of an instruction with reductions or factors.
    """

    def __init__(self, builder: ProgramBuilder, scratchpad: Scratchpad, most_rows: int) -> None:
        self.builder = builder
        self.records = scratchpad.take(RECORD_BYTES * most_rows)
        self.factors = scratchpad.take(FACTOR_BYTES * most_rows)

    def compute(self, op: ComputeOp, **fields: int) -> None:
        """Append a COMPUTE."""
        self.builder.add("COMPUTE", op=int(op), **fields)

    def _reduce(self, x: Rows, reduction: Reduction) -> None:
        self.compute(ComputeOp.MULTIPLY, reduce=reduction, a_addr=x.addr, a_pitch=x.pitch,
                     count=x.count, elements_count=x.elements, row_addr=self.records)

    def solve(self, op: SolveOp, count: int, out: int, out_pitch: int, **fields: int) -> None:
        """Append a SOLVE of the records of the last reduction."""
        self.builder.add("SOLVE", op=op, a_addr=self.records, a_pitch=RECORD_BYTES, count=count,
                         out_addr=out, out_pitch=out_pitch, **fields)

    def _reciprocal_root(self, x: Rows, eps: int) -> None:
        self._reduce(x, Reduction.SQUARES)
        self.solve(SolveOp.ROOT, x.count, self.factors, FACTOR_BYTES, constant=eps)

    def norm(self, x: Rows, out: Planes, scratch: int, eps: int, *, centered: bool = False,
             gains: int | None = None, gain_shift: int = 0) -> None:
        """Append the norm of one row, whose output is 16-bit activations.

        Parameters
        ----------
        x : the row.
        out : activations.
        scratch : address of a buffer of the size of the row.
        eps : eps in units of the squares.
        centered : subtract the mean first.
        gains, gain_shift : address of int32 gains and their shift, if there are any.
        """
        if centered:
            self._reduce(x, Reduction.SUM)
            self.solve(SolveOp.MEAN, x.count, self.factors, FACTOR_BYTES, constant=x.elements)
            self.compute(ComputeOp.SUBTRACT, a_addr=x.addr, a_pitch=x.pitch, count=x.count,
                         elements_count=x.elements, b_type=OperandType.ROW, b_addr=self.factors,
                         b_pitch=FACTOR_BYTES, out_type=OutputType.INT32, out_addr=scratch,
                         out_pitch=x.pitch)
            x = Rows(scratch, x.count, x.elements, x.pitch)
        self._reciprocal_root(x, eps)
        fields = dict(a_addr=x.addr, a_pitch=x.pitch, count=x.count, elements_count=x.elements,
                      b_type=OperandType.FACTOR, b_addr=self.factors, b_pitch=FACTOR_BYTES)
        planes = dict(out_type=OutputType.PLANES, out_addr=out.addr, plane_pitch=out.pitch)
        if gains is None:
            self.compute(ComputeOp.MULTIPLY, **fields, **planes)
            return
        self.compute(ComputeOp.MULTIPLY, **fields, out_type=OutputType.INT16, out_addr=scratch,
                     out_pitch=x.pitch)
        self.compute(ComputeOp.MULTIPLY, a_type=InputType.INT16, a_addr=scratch, a_pitch=x.pitch,
                     count=x.count, elements_count=x.elements, b_type=OperandType.INT32,
                     b_addr=gains, shift=gain_shift, **planes)

    def head_norm(self, x: Rows, norm: HeadNorm, gains: int, scratch: int) -> None:
        """Append the norm of each row, in place, with int32 gains at ``gains``.

        ``scratch`` is the address of a buffer for the rows with 16 bits.
        """
        self._reciprocal_root(x, norm.eps)
        pitch = 2 * x.elements
        self.compute(ComputeOp.MULTIPLY, a_addr=x.addr, a_pitch=x.pitch, count=x.count,
                     elements_count=x.elements, b_type=OperandType.FACTOR, b_addr=self.factors,
                     b_pitch=FACTOR_BYTES, out_type=OutputType.INT16, out_addr=scratch,
                     out_pitch=pitch)
        self.compute(ComputeOp.MULTIPLY, a_type=InputType.INT16, a_addr=scratch, a_pitch=pitch,
                     count=x.count, elements_count=x.elements, b_type=OperandType.INT32,
                     b_addr=gains, shift=norm.shift, out_type=OutputType.INT32, out_addr=x.addr,
                     out_pitch=x.pitch)

    def rotate(self, x: Rows, elements: int, table: int) -> None:
        """Append the rotation of the first ``elements`` of each row, in place."""
        self.compute(ComputeOp.ROTATE, a_addr=x.addr, a_pitch=x.pitch, count=x.count,
                     elements_count=elements, b_type=OperandType.INT32, b_addr=table, shift=30,
                     out_type=OutputType.INT32, out_addr=x.addr, out_pitch=x.pitch)

    def to_planes(self, x: Rows, out: int, out_pitch: int, plane_pitch: int, shift: int) -> None:
        """Append the conversion of rows to 16 bits by a shift."""
        self.compute(ComputeOp.MULTIPLY, a_addr=x.addr, a_pitch=x.pitch, count=x.count,
                     elements_count=x.elements, shift=shift, out_type=OutputType.PLANES,
                     out_addr=out, out_pitch=out_pitch, plane_pitch=plane_pitch)

    def cache(self, x: Rows, out: int, scales: int) -> None:
        """Append the conversion of rows to int8, one after the other, with uint16 scales."""
        self._reduce(x, Reduction.MAGNITUDE)
        self.solve(SolveOp.SCALE, x.count, self.factors, FACTOR_BYTES, b_addr=scales, b_pitch=2)
        self.compute(ComputeOp.MULTIPLY, a_addr=x.addr, a_pitch=x.pitch, count=x.count,
                     elements_count=x.elements, b_type=OperandType.FACTOR, b_addr=self.factors,
                     b_pitch=FACTOR_BYTES, out_type=OutputType.INT8, out_addr=out,
                     out_pitch=x.elements)

    def measure_product(self, a: int, b: int, elements: int, record: int) -> None:
        """Append the largest magnitude of the product of two rows, a record at ``record``."""
        self.compute(ComputeOp.MULTIPLY, a_addr=a, b_addr=b, b_type=OperandType.INT32, count=1,
                     elements_count=elements, reduce=Reduction.MAGNITUDE, row_addr=record)

    def product(self, a: int, b: int, elements: int, out: Planes, records: int, parts: int,
                exponent: int) -> None:
        """Append the product of two rows as activations with an exponent at ``exponent``.

        Parameters
        ----------
        a, b : addresses of the rows.
        elements : their length.
        out : activations.
        records, parts : address and number of the largest magnitudes, see
            :meth:`measure_product`.
        exponent : address of a record, whose first int32 becomes the exponent.
        """
        # the exponent of the largest magnitude is the largest exponent
        exponents = records if parts > 1 else exponent
        self.builder.add("SOLVE", op=SolveOp.EXPONENT, a_addr=records, a_pitch=RECORD_BYTES,
                         count=parts, out_addr=exponents, out_pitch=4)
        if parts > 1:
            self.compute(ComputeOp.MULTIPLY, a_addr=exponents, count=1, elements_count=parts,
                         reduce=Reduction.MAXIMUM, row_addr=exponent)
        self.compute(ComputeOp.MULTIPLY, a_addr=a, b_addr=b, b_type=OperandType.INT32, count=1,
                     elements_count=elements, row_shift=1, row_addr=exponent,
                     out_type=OutputType.PLANES, out_addr=out.addr, plane_pitch=out.pitch)

    def activate(self, op: ComputeOp, x: int, elements: int, fraction: int, out: int) -> None:
        """Append SIGMOID or GELU_GATE of a row of int32."""
        self.compute(op, a_addr=x, count=1, elements_count=elements, shift=fraction,
                     out_type=OutputType.INT32, out_addr=out)

    def scale_by(self, x: int, factors: int, elements: int, shift: int, out: int) -> None:
        """Append the product of two rows of int32, shifted."""
        self.compute(ComputeOp.MULTIPLY, a_addr=x, b_addr=factors, b_type=OperandType.INT32,
                     count=1, elements_count=elements, shift=shift, out_type=OutputType.INT32,
                     out_addr=out)

    def widen(self, x: int, factor: int, elements: int, out: int) -> None:
        """Append the product of a row of int8 and a factor."""
        self.compute(ComputeOp.MULTIPLY, a_type=InputType.INT8, a_addr=x, count=1,
                     elements_count=elements, b_type=OperandType.FACTOR, b_addr=factor,
                     out_type=OutputType.INT32, out_addr=out)
