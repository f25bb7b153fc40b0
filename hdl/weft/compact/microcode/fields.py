"""Sequences that every instruction uses: loads and checks of its fields, acceptance, end."""

from ...spec import isa
from ..microinstruction import Operation

__all__ = ["accept", "check_end", "check_reserved", "end", "load_field", "load_fields", "test_flag"]

_WORDS = isa.INSTRUCTION_BYTES // 4


def load_field(u, instruction, name):
    """Emit A = field ``name`` of the instruction, which is in the variables i0 to i7."""
    spec = isa.BY_NAME[instruction].field(name)
    word, bit = divmod(spec.offset, 32)
    whole, rest = divmod(bit, 8)
    spans = bit + spec.width > 32
    u.load(f"i{word}")
    if whole:
        u.shift_bytes(whole, f"i{word + 1}" if spans else 0)
    if rest:
        u.repeat(rest, Operation.SHIFT)
    if spec.width < 32 and (spans or rest or bit + spec.width < 32):
        u.and_((1 << spec.width) - 1)
    if spec.signed:
        u.xor(1 << spec.width - 1)
        u.sub(1 << spec.width - 1)


def test_flag(u, instruction, name):
    """Emit A = a nonzero number if field ``name`` of one bit is set, and 0 otherwise."""
    spec = isa.BY_NAME[instruction].field(name)
    word, bit = divmod(spec.offset, 32)
    u.load(f"i{word}")
    u.and_(1 << bit)


def load_fields(u, instruction, *names):
    """Emit the loads of fields into variables of the same names.

    The emitted code refuses a count, and a number of bytes, that is 0.
    """
    for name in names:
        load_field(u, instruction, name)
        u.store(name)
        if name == "bytes" or name.endswith("count"):
            u.zero("bad_field")


def check_reserved(u, instruction):
    """Emit the check of the reserved bits, and of ``each``, which this engine refuses."""
    spec = isa.BY_NAME[instruction]
    words: dict[int, list] = {}
    for word in range(_WORDS):
        mask = spec.reserved_mask >> 32 * word & 0xFFFFFFFF
        if mask:
            words.setdefault(mask, []).append(word)
    for index, (mask, group) in enumerate(sorted(words.items(), reverse=True)):
        if index:
            u.store("reserved")
        u.load(f"i{group[0]}")
        for word in group[1:]:
            u.or_(f"i{word}")
        if mask != 0xFFFFFFFF:
            u.and_(mask)
        if index:
            u.or_("reserved")
    u.nonzero("bad_reserved")
    if any(field.name == "each" for field in spec.fields):
        test_flag(u, instruction, "each")
        u.nonzero("bad_field")


def check_end(u, size, label):
    """Emit a branch to ``label`` if A, the end of an extent, exceeds ``size``."""
    u.sub(size + 1)
    u.carry(label)


def accept(u):
    """Emit the call that takes the tokens of a valid instruction and starts it."""
    u.call("accepted")


def end(u):
    """Emit the branch to the completion of an instruction."""
    u.go("done")
