"""LOAD, STORE, read arbiter and scratchpad in cocotb, with both simulators."""

import json
import os

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from support.seeds import seed
from support.simulate import SIMULATORS, simulate
from weft.bus.axi4 import Axi4, Axi4Read, connect_half
from weft.bus.read_arbiter import ReadArbiter
from weft.control.unit_interface import UnitSignature
from weft.dma.load import LoadUnit
from weft.dma.store import StoreUnit
from weft.spec.presets import preset
from weft.sram.ports import WritePort
from weft.sram.scratchpad import Scratchpad

COUNT = int(os.environ.get("WEFT_PROGRAMS", "12"))
CONFIGS = {
    # a small scratchpad, because all of it is read after every round
    "icarus": (preset("tiny", spad_bytes=512),
               preset("tiny", spad_bytes=512, bus_width=128, max_burst=4, outstanding=1)),
    "verilator": (preset("tiny", bus_width=64, outstanding=64, spad_banks=1),
                  preset("tiny", bus_width=256)),
}


class Dma(wiring.Component):
    """Both units with their arbiter and a scratchpad; the test bench models the weight buffer."""

    def __init__(self, config):
        self.config = config
        bus = {"addr_width": config.addr_width, "data_width": config.bus_width}
        super().__init__({
            "load": In(UnitSignature()),
            "store": In(UnitSignature()),
            "fetch": In(Axi4Read(**bus)),
            "m_axi": Out(Axi4(**bus)),
            "wgt": Out(WritePort(config.wgt_addr_width, config.bus_bytes)),
            "o_idle": Out(1),
            "o_beat": Out(1),
            "o_bytes": Out(range(config.bus_bytes + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.scratchpad = spad = Scratchpad(self.config)
        m.submodules.load = load = LoadUnit(self.config)
        m.submodules.store = store = StoreUnit(self.config, read_latency=spad.read_latency)
        m.submodules.arbiter = arbiter = ReadArbiter(self.config)
        connect(m, flipped(self.load), load.unit)
        connect(m, flipped(self.store), store.unit)
        connect(m, flipped(self.fetch), arbiter.first)
        connect(m, load.axi, arbiter.second)
        connect(m, load.spad, spad.load)
        connect(m, load.wgt, flipped(self.wgt))
        connect(m, store.spad, spad.store)
        for half in (arbiter.axi, store.axi):
            connect_half(m, self.m_axi, half)
        # the read channel is idle if LOAD and the fetch have received all their beats
        fetching = Signal(range(1024))
        m.d.sync += fetching.eq(fetching + (self.fetch.arvalid & self.fetch.arready)
                                - (self.fetch.rvalid & self.fetch.rready & self.fetch.rlast))
        m.d.comb += [
            self.o_idle.eq(load.o_idle & store.o_idle & (fetching == 0)),
            self.o_beat.eq(arbiter.o_beat),
            self.o_bytes.eq(store.o_bytes),
        ]
        return m


@pytest.mark.parametrize("sim,config", [
    pytest.param(sim, config, id=f"{sim}-{config.name}")
    for sim in SIMULATORS for config in CONFIGS[sim]])
def test_dma(sim, config):
    simulate(Dma(config), name="dma", test_module="dma_tests", sim=sim, env={
        "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(seed()),
        "WEFT_COUNT": str(COUNT)})
