"""Expansion of programs whose instructions use step registers."""

from weft.spec import isa
from weft.spec.presets import preset
from weft_host.program.expand import NO_STEPS, unroll
from weft_host.program.file import Program
from weft_host.program.tensor import Window

CODE = b"".join((
    isa.encode("LOAD_STEP", host_addr=256, host_step=3, count=2, bytes=8, each=1, signal=4),
    isa.encode("LOAD_RING_STEP", host_addr=64, count=5, count_step=1, bytes=64, host_pitch=64),
    isa.encode("COMPUTE_STEP", elements_count=5, wait=1, signal=8),
    isa.encode("COMPUTE", elements_count=5, count=1),
))
PROGRAM = Program(config=preset("small", fixed_point=True), instructions=CODE, memory_bytes=4096,
                  windows=(Window(0, 4096),))


def test_variants_are_replaced_by_what_takes_effect():
    steps = [0] * len(NO_STEPS)
    steps[3], steps[5] = 1000, 7
    found = unroll(PROGRAM, steps)
    assert [(one.index, one.number, one.instruction.name) for one in found] == [
        (0, 0, "LOAD"), (0, 1, "LOAD"), (1, 0, "LOAD_RING"), (2, 0, "COMPUTE"), (3, 0, "COMPUTE")]
    assert found[1].fields["host_addr"] == 1256 and found[1].fields["count"] == 1
    assert found[2].fields["host_addr"] == 64 and found[2].fields["count"] == 7
    assert found[3].fields["elements_count"] == 7 and found[4].fields["elements_count"] == 5


def test_an_instruction_with_a_count_of_0_keeps_only_its_tokens():
    found = unroll(PROGRAM)
    assert [one.instruction.name for one in found] == ["LOAD", "LOAD", "SYNC_LOAD", "SYNC_VECTOR",
                                                       "COMPUTE"]
    assert found[3].fields == {"opcode": isa.BY_NAME["SYNC_VECTOR"].opcode, "wait": 1, "signal": 8}
