"""Random programs: legal programs without races, and programs with one illegal instruction."""

from support.ordering import accesses_of, with_tokens
from support.random_fixed_point import RandomFixedPoint
from support.random_instructions import (
    CONSTANTS,
    ENTRIES,
    IO,
    IO_BYTES,
    PARAMETERS,
    RandomInstructions,
)
from support.random_ring import RandomRing, RingAccesses
from weft.spec import isa
from weft.spec.isa import Mode
from weft_host.program.file import Program
from weft_host.program.tensor import Tensor, Window
from weft_host.program.validate import check_program

__all__ = ["MEMORY_BYTES", "random_program", "illegal_programs"]

MEMORY_BYTES = 1 << 16


class _Generator(RandomRing, RandomFixedPoint, RandomInstructions):
    """Generator of random instructions, with a prologue that defines all state and an epilogue that
    stores it."""

    def prologue(self):
        """Write all memory that the program may read."""
        for name, low, high in (("LOAD", self.spad, self.spad_end),
                                ("LOAD_WGT", self.tile * self.config.tile_bytes,
                                 self.tile_end * self.config.tile_bytes)):
            while low < high:
                size = min(high - low, PARAMETERS - CONSTANTS)
                self.steps.append((name, dict(count=1, bytes=size, host_addr=CONSTANTS,
                                              local_addr=low)))
                low += size
        self.matmul(everything=True)
        for channel in range(0, self.config.param_channels, max(self.channels, self.config.cols)):
            self.params(everything=True, channel=channel)
        if self.has_tables:
            self.table(0)
            self.table(1)

    def epilogue(self):
        """Store the accumulators, as many as fit, and the scratchpad."""
        at = self.spad
        cols = min(self.config.cols, (self.spad_end - at) // 4)
        fits = max(1, min(self.acc_end - self.acc, (self.spad_end - at) // (4 * cols), 16))
        self.steps.append(("DRAIN", dict(
            mode=Mode.RAW, channels=cols, y_count=1, x_count=fits, x_pitch=4 * cols,
            out_addr=at, acc_addr=self.acc)))
        self.steps.append(("STORE", dict(
            count=1, bytes=self.spad_end - self.spad, host_addr=IO, local_addr=self.spad)))

    def constants(self):
        """Return random bytes with many extremes, then useful biases, scales and tables."""
        draw = self.draw
        raw = bytearray(draw.choice((0x80, 0x7F, 0x00, 0xFF)) if draw.random() < 0.1
                        else draw.randrange(256) for _ in range(PARAMETERS - CONSTANTS))
        for _ in range(self.channels):
            raw += draw.randint(-5000, 5000).to_bytes(4, "little", signed=True)
        for _ in range(self.channels):
            raw += draw.randrange(1 << 32).to_bytes(4, "little")
            raw += bytes([draw.choice((30, 31, 32, draw.randint(33, 48))) | draw.randrange(4) << 6])
            raw += draw.randbytes(3)
        raw += bytes(ENTRIES - CONSTANTS - len(raw))
        decay = draw.uniform(0.01, 0.5)         # table of an exponential, then of an ADD operand
        raw += b"".join(round((2 ** 31 - 1) * 2.0 ** (decay * (entry - 255))).to_bytes(4, "little")
                        for entry in range(256))
        slope, zero = draw.randrange(1 << 22), draw.randint(-128, 127)
        raw += b"".join(((entry - zero) * slope).to_bytes(4, "little", signed=True)
                        for entry in range(-128, 128))
        return bytes(raw)

    def program(self, instructions):
        """Return the program with the given instructions."""
        constants = self.constants()
        region = dict(offset=IO, shape=(IO_BYTES,), dtype="int8")
        return Program(
            config=self.config, instructions=instructions, memory_bytes=MEMORY_BYTES,
            image=((CONSTANTS, constants),),
            inputs=(Tensor(name="before", **region),), outputs=(Tensor(name="after", **region),),
            windows=(Window(0, CONSTANTS + len(constants)),
                     Window(IO, IO_BYTES, True, True)))


def random_program(config, seed, length=None):
    """Return a program whose result does not depend on timing. Equal seeds give equal programs.

    It needs ``MEMORY_BYTES`` of memory. Its only input ``before`` and its only output ``after`` are
    the same bytes of memory, so that bytes that are not written are checked, too. The result does
    not depend on the previous state of the device.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    seed : :class:`int`
    length : :class:`int`
        Number of random instructions between prologue and epilogue.
    """
    generator = _Generator(config, seed)
    generator.prologue()
    draw = generator.draw
    kinds = (generator.load, generator.load_wgt, generator.store, generator.fill, generator.matmul,
             generator.matmul, generator.params, generator.drain, generator.drain, generator.sync)
    if not config.compact:          # the serial engine does not support the field each
        kinds += (generator.slices,)
    if generator.has_tables:
        kinds += (generator.table, generator.map, generator.map, generator.softmax)
    if config.fixed_point:
        kinds += (generator.drain_planes, generator.compute, generator.compute, generator.solve,
                  generator.variant, generator.variant, generator.ring, generator.ring)
    for _ in range(draw.randint(5, 40) if length is None else length):
        first, append = len(generator.steps), draw.choice(kinds)
        append()
        if config.fixed_point and append != generator.ring:
            generator.without_ring(first)
    if config.fixed_point:
        generator.end_ring()
    generator.epilogue()
    return generator.program(with_tokens(config, generator.steps, MEMORY_BYTES, draw,
                                         RingAccesses() if config.fixed_point else accesses_of))


def _mutations(draw, raw):
    """Yield variants of an instruction, each with one field or one reserved bit changed."""
    instruction, _ = isa.decode(raw)
    word = int.from_bytes(raw, "little")
    for field in instruction.fields:
        mask = (1 << field.width) - 1
        for value in {0, mask, mask >> 1, draw.randint(0, mask), draw.randint(0, mask)}:
            yield word & ~(mask << field.offset) | value << field.offset
    reserved = [bit for bit in range(256) if instruction.reserved_mask >> bit & 1]
    for bit in draw.sample(reserved, min(4, len(reserved))):
        yield word ^ 1 << bit


def illegal_programs(config, seed):
    """Yield programs with one illegal instruction, for each field of each instruction.

    A STORE that must be executed precedes it, and a STORE that must not be executed follows it.
    Tokens of the illegal instruction do not matter.
    """
    generator = _Generator(config, seed)
    draw = generator.draw
    kinds = ("load", "load_wgt", "fill", "matmul", "params", "drain", "store")
    if config.fixed_point:
        kinds += ("drain_planes", "compute", "solve", *("variant",) * 6, *("ring",) * 3)
    for kind in (*kinds, *(("table", "map", "softmax") if generator.has_tables else ())):
        getattr(generator, kind)()
    legal = [isa.encode(name, **values) for name, values in generator.steps]
    legal += [isa.encode(name, **values | {"each": 1}) for name, values in generator.steps
              if values.get("each") == 0]
    legal += [isa.encode(f"SYNC_{unit}") for unit in isa.UNITS]
    size = min(64, config.spad_bytes // 2)
    before = [
        isa.encode("LOAD", count=1, bytes=size, host_addr=CONSTANTS + 3, local_addr=1,
                   signal=1 << isa.UNITS.index("STORE")),
        isa.encode("STORE", count=1, bytes=size, host_addr=IO + 5, local_addr=1,
                   wait=1 << isa.UNITS.index("LOAD")),
    ]
    after = [isa.encode("STORE", count=1, bytes=size, host_addr=IO + 200, local_addr=1)]
    for raw in legal:
        for word in _mutations(draw, raw):
            bad = word.to_bytes(isa.INSTRUCTION_BYTES, "little")
            program = generator.program(b"".join((*before, bad, *after)))
            if check_program(program):
                yield program
