"""Reads of rows that are being written: undefined only for memories with the attribute."""

import re

import pytest
from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from collisions import leave_collisions_undefined
from weft.spec.presets import preset
from weft.sram.scratchpad import Scratchpad
from weft.verilog import to_rtlil


class Memories(wiring.Component):
    """Memories with and without the attribute, all of one name in different modules."""

    def __init__(self, attribute):
        self.attribute = attribute
        super().__init__({"addr": In(4), "data": In(8), "en": In(1), "o_open": Out(8),
                          "o_defined": Out(8), "o_transparent": Out(8)})

    def elaborate(self, platform):
        m = Module()
        for name, attribute in (("open", self.attribute), ("defined", False),
                                ("transparent", self.attribute)):
            rows = memory.Memory(shape=8, depth=16, init=[],
                                 attrs={"no_rw_check": 1} if attribute else {})
            inner = Module()
            inner.submodules.rows = rows
            m.submodules[name] = inner
            write = rows.write_port()
            read = rows.read_port(transparent_for=(write,) if name == "transparent" else ())
            m.d.comb += [write.addr.eq(self.addr), write.data.eq(self.data), write.en.eq(self.en),
                         read.addr.eq(self.addr), getattr(self, f"o_{name}").eq(read.data)]
        return m


def masks(rtlil):
    """Return ``[(memory, transparency mask, collision mask)]`` of all read ports."""
    return [tuple(re.search(rf"parameter \\{name} (\S+)", cell)[1]
                  for name in ("MEMID", "TRANSPARENCY_MASK", "COLLISION_X_MASK"))
            for cell in re.findall(r"cell \$memrd_v2 .*?\n  end", rtlil, re.DOTALL)]


def test_only_memories_with_the_attribute_change():
    before = to_rtlil(Memories(True), "top")
    after = leave_collisions_undefined(before)
    assert sorted(masks(before)) == [(r'"\\rows"', "1'0", "1'0"), (r'"\\rows"', "1'0", "1'0"),
                                     (r'"\\rows"', "1'1", "1'0")]
    # a transparent port reads the word that is being written, with the attribute or without
    assert sorted(masks(after)) == [(r'"\\rows"', "1'0", "1'0"), (r'"\\rows"', "1'0", "1'1"),
                                    (r'"\\rows"', "1'1", "1'0")]
    changed = [(old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True)
               if old != new]
    assert [(old.strip(), new.strip()) for old, new in changed] == [
        (r"parameter \COLLISION_X_MASK 1'0", r"parameter \COLLISION_X_MASK 1'1")]


def test_nothing_changes_without_the_attribute():
    before = to_rtlil(Memories(False), "top")
    assert leave_collisions_undefined(before) == before


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_every_lane_of_a_scratchpad_changes(name):
    config = preset(name)
    found = masks(leave_collisions_undefined(to_rtlil(Scratchpad(config), "top")))
    assert len(found) == config.spad_banks * config.spad_row_bytes
    assert {mask for _, _, mask in found} == {"1'1"}
