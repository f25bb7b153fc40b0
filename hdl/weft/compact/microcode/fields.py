"""Fields of instructions, and how an instruction's own part begins and ends."""

from ...spec import isa
from ..microinstruction import Operation

__all__ = ["accept", "end", "field", "flag", "memory_end", "nonzero_fields", "reserved"]

_WORDS = isa.INSTRUCTION_BYTES // 4


def field(u, instruction, name):
    """A = a field of the instruction."""
    spec = isa.BY_NAME[instruction].field(name)
    word, bit = divmod(spec.offset, 32)
    whole, rest = divmod(bit, 8)
    spans = bit + spec.width > 32
    u.load(f"i{word}")
    if whole:
        u.down(whole, f"i{word + 1}" if spans else 0)
    if rest:
        u.count(rest, Operation.SHIFT)
    if spec.width < 32 and (spans or rest or bit + spec.width < 32):
        u.and_((1 << spec.width) - 1)
    if spec.signed:
        u.xor(1 << spec.width - 1)
        u.sub(1 << spec.width - 1)


def flag(u, instruction, name):
    """A is not 0 if a field of one bit is set."""
    spec = isa.BY_NAME[instruction].field(name)
    word, bit = divmod(spec.offset, 32)
    u.load(f"i{word}")
    u.and_(1 << bit)


def nonzero_fields(u, instruction, *names):
    """Fields go to variables of their names; those that count are refused if they are 0."""
    for name in names:
        field(u, instruction, name)
        u.store(name)
        if name == "bytes" or name.endswith("count"):
            u.zero("bad_field")


def reserved(u, instruction):
    """Refuse reserved bits, and ``each``, which this engine does not do."""
    spec = isa.BY_NAME[instruction]
    words: dict[int, list] = {}
    for word in range(_WORDS):
        mask = spec.reserved_mask >> 32 * word & 0xFFFFFFFF
        if mask:
            words.setdefault(mask, []).append(word)
    for place, (mask, group) in enumerate(sorted(words.items(), reverse=True)):
        if place:
            u.store("reserved")
        u.load(f"i{group[0]}")
        for word in group[1:]:
            u.or_(f"i{word}")
        if mask != 0xFFFFFFFF:
            u.and_(mask)
        if place:
            u.or_("reserved")
    u.nonzero("bad_reserved")
    if any(known.name == "each" for known in spec.fields):
        flag(u, instruction, "each")
        u.nonzero("bad_field")


def memory_end(u, size, label):
    """Refuse with ``label`` if A, the end of what is touched, lies behind ``size``."""
    u.sub(size + 1)
    u.carry(label)


def accept(u):
    """The instruction is right: wait for its tokens, then its unit is busy."""
    u.call("accepted")


def end(u):
    """The instruction is done."""
    u.go("done")
