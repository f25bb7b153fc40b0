"""Random fixed-point instructions, and variants with step registers, whose contents are 0."""

from weft.spec.fixed_point_instructions import (
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.step_instructions import step_count

__all__ = ["RandomFixedPoint"]

_INPUT = {InputType.INT32: 4, InputType.UINT16: 2, InputType.INT8: 1, InputType.INT16: 2}
_OUTPUT = {OutputType.NONE: 0, OutputType.INT32: 4, OutputType.UINT16: 2, OutputType.INT8: 1,
           OutputType.PLANES: 1, OutputType.INT16: 2}
_OPERAND = {OperandType.NONE: (0, 0), OperandType.INT32: (4, 0), OperandType.UINT16: (2, 0),
            OperandType.ROW: (0, 4), OperandType.FACTOR: (0, 8)}    # bytes of an element, of a row


class RandomFixedPoint:
    """Part of a generator of random instructions, for configurations with ``fixed_point``.

    The ranges that an instruction writes do not overlap its other ranges.
    """

    def _blocks(self, *sizes):
        """Return addresses of disjoint blocks in random order; ``None`` if they do not fit."""
        at = self.spad + self.draw.randrange(8)
        addresses = [0] * len(sizes)
        for index in self.draw.sample(range(len(sizes)), len(sizes)):
            addresses[index] = at
            at += sizes[index] + self.draw.randrange(4)
        return addresses if at <= self.spad_end else None

    def drain_planes(self):
        draw, cols = self.draw, self.config.cols
        scale = draw.choice(tuple(Scale))
        exponent = int(scale == Scale.CHANNELS and draw.random() < 0.5)
        channels, lines = self._small(cols), (self.acc_end - self.acc) // 2
        y, x = self._small(min(4, lines)), self._small(min(6, lines))
        x_pitch = 4 * channels + draw.randrange(4)
        y_pitch = x * x_pitch + draw.randrange(4)
        acc_pitch = min((2 * lines - 2 * x) // max(1, y - 1), draw.choice((0, 2 * x)))
        b_pitch = 8 * channels
        places = self._blocks(y * y_pitch, y * b_pitch, RECORD_BYTES * x)
        if places:
            self.steps.append(("DRAIN_PLANES", dict(
                scale=scale, exponent=exponent, add=draw.randrange(2),
                pre_shift=draw.choice((0, 2, 8, 62)), shift=draw.randrange(0, 50),
                acc_addr=self._address(self.acc, self.acc_end, (y - 1) * acc_pitch + 2 * x),
                out_addr=places[0], acc_pitch=acc_pitch, y_count=y, y_pitch=y_pitch,
                x_count=x, x_pitch=x_pitch,
                channels=channels, b_addr=places[1], b_pitch=b_pitch, row_addr=places[2])))

    def compute(self):
        draw = self.draw
        op = draw.choice(tuple(ComputeOp))
        a_type, out_type = draw.choice(tuple(InputType)), draw.choice(tuple(OutputType))
        b_type, shift = draw.choice(tuple(OperandType)), draw.randrange(-4, 40)
        elements, count = self._small(40), self._small(6)
        if op in (ComputeOp.ADD, ComputeOp.SUBTRACT, ComputeOp.MAXIMUM):
            b_type = draw.choice((OperandType.INT32, OperandType.UINT16, OperandType.ROW))
        elif op == ComputeOp.ROTATE:
            a_type, b_type, out_type = InputType.INT32, OperandType.INT32, OutputType.INT32
            elements += elements % 2
        elif op != ComputeOp.MULTIPLY:
            b_type = OperandType.ROW if op == ComputeOp.EXPONENTIAL else OperandType.NONE
            shift = draw.randrange(4, 25)
        reduce = draw.choice(tuple(Reduction))
        if reduce == Reduction.SQUARES:
            op, b_type, out_type, shift = ComputeOp.MULTIPLY, OperandType.NONE, OutputType.NONE, 0
        row_shift = int(op == ComputeOp.MULTIPLY and not reduce and draw.random() < 0.5)
        of_element, of_row = _OPERAND[b_type]
        a_pitch, b_pitch = elements * _INPUT[a_type], elements * of_element + of_row
        plane = elements * _OUTPUT[out_type]
        out_pitch = plane * (2 if out_type == OutputType.PLANES else 1)
        places = self._blocks(count * out_pitch, count * a_pitch, count * b_pitch,
                              count * RECORD_BYTES)
        if places:
            self.steps.append(("COMPUTE", dict(
                op=op, a_type=a_type, b_type=b_type, out_type=out_type, reduce=reduce,
                row_shift=row_shift, shift=shift, count=count, elements_count=elements,
                out_addr=places[0], out_pitch=out_pitch, a_addr=places[1], a_pitch=a_pitch,
                b_addr=places[2], b_pitch=b_pitch, plane_pitch=plane, row_addr=places[3])))

    def solve(self):
        draw = self.draw
        op = draw.choice(tuple(SolveOp))
        count = self._small(6)
        places = self._blocks(8 * count, RECORD_BYTES * count, 2 * count)
        if places:
            self.steps.append(("SOLVE", dict(
                op=op, count=count, out_addr=places[0], out_pitch=8, a_addr=places[1],
                a_pitch=RECORD_BYTES, constant=1 << draw.randrange(40), b_addr=places[2],
                b_pitch=2)))

    def variant(self):
        """Append a variant with step registers, which is a copy, or has a count of 0."""
        draw = self.draw
        if draw.random() < 0.6:
            draw.choice((self.load, self.store))()
            name, fields = self.steps.pop()
            fields |= {"host_step": draw.randrange(64), "each": 0}
            if draw.random() < 0.3:
                fields |= {"count_step": 1, "count": step_count(
                    draw.randrange(64), draw.choice((0, 1)))}
        else:
            name, count = draw.choice((("MATMUL_RING", "row_count"), ("DRAIN_PLANES", "y_count"),
                                       ("COMPUTE", "elements_count")))
            fields = {count: step_count(draw.randrange(64), draw.choice((0, 5)))}
        self.steps.append((f"{name}_STEP", fields))
