"""Copies of the instructions of LOAD."""

from amaranth.hdl import Signal
from amaranth.lib import data, wiring

from ..control.instruction_layout import instruction_layout
from ..control.instruction_register import InstructionRegister
from ..spec.four_bit import PACKET_BEATS
from .load_beat import Target, from_host

__all__ = ["plan_copies"]


def plan_copies(m, config, unit, planner, failed):
    """Send the copies of the instructions to the planner.

    The stream of LOAD_RING_4BIT becomes a row for each block.

    Parameters
    ----------
    config : :class:`Config`
    unit : :py:`UnitSignature()`
        Instructions.
    planner : :class:`~weft.dma.planner.BurstPlanner`
    failed : 1 bit
        A beat has met an error.

    Returns
    -------
    instruction : :class:`InstructionRegister`
    stopped : 1 bit
        No burst may be issued, because of a halt or an error.
    """
    ring = [*(["LOAD_RING"] if config.fixed_point else []),
            *(["LOAD_RING_4BIT"] if config.weights_4bit else [])]
    m.submodules.instruction = instruction = InstructionRegister(
        ["LOAD", "LOAD_WGT", "FILL", *ring])
    wiring.connect(m, wiring.flipped(unit.cmd), instruction.i)
    copy = data.View(instruction_layout("LOAD"), instruction.o.payload)
    fill = data.View(instruction_layout("FILL"), instruction.o.payload)
    target = Signal(Target)
    is_weights = instruction.o_is["LOAD_WGT"]
    if ring:
        is_ring = instruction.o_is["LOAD_RING"]
        if config.weights_4bit:
            is_ring = is_ring | instruction.o_is["LOAD_RING_4BIT"]
        is_weights = is_weights | is_ring
        m.d.comb += planner.i.payload.tag.ring.eq(is_ring)
    with m.If(instruction.o_is["LOAD"]):
        m.d.comb += target.eq(Target.SPAD)
    with m.Elif(is_weights):
        m.d.comb += target.eq(Target.WGT)
    with m.Elif(instruction.o_is["FILL"]):
        m.d.comb += target.eq(Target.FILL)
    with m.Else():
        m.d.comb += target.eq(Target.NONE)

    stopped = Signal()
    plan = planner.i.payload
    m.d.comb += [
        stopped.eq(unit.halt | failed),
        instruction.i_halt.eq(stopped),
        planner.i.valid.eq(instruction.o.valid & ~stopped),
        instruction.o.ready.eq(planner.i.ready & ~stopped),
        plan.tag.target.eq(target),
        plan.tag.value.eq(fill.value),
        plan.local_addr.eq(copy.local_addr),
        plan.local_pitch.eq(copy.local_pitch),
        plan.bytes.eq(copy.bytes),
        plan.count.eq(copy.count),
    ]
    with m.If(from_host(target)):
        m.d.comb += [
            plan.host_addr.eq(copy.host_addr),
            plan.host_pitch.eq(copy.host_pitch),
        ]
    with m.If(target == Target.NONE):
        m.d.comb += [plan.bytes.eq(1), plan.count.eq(1)]
    if config.weights_4bit:
        packed = instruction.o_is["LOAD_RING_4BIT"]
        m.d.comb += plan.tag.packed.eq(packed)
        with m.If(packed):
            block = PACKET_BEATS * config.cols
            m.d.comb += [plan.bytes.eq(block), plan.host_pitch.eq(block)]
    return instruction, stopped
