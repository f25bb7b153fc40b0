"""Environment of the cocotb tests of the DMA: memories, drivers, monitors, model."""

import json
import os
import random

from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge
from cocotbext.axi import AxiBus, AxiRam
from dma_faults import Faults

import cocotb
from support.copy_model import execute_copies
from weft.spec import isa
from weft.spec.config import Config

__all__ = ["BUS", "CONFIG", "COUNT", "MEMORY", "Bench"]

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
COUNT = int(os.environ["WEFT_COUNT"])
BUS = CONFIG.bus_bytes
CYCLE_NS = 10
MEMORY = 1 << 15
LIMIT = 60_000          # cycles after which an operation counts as stuck
STABLE = {              # signals that must not change while valid waits for ready
    "m_axi_ar": ("araddr", "arlen", "arsize", "arburst"),
    "m_axi_aw": ("awaddr", "awlen", "awsize", "awburst"),
    "m_axi_w": ("wdata", "wstrb", "wlast"),
}


def _stalls(draw, share):
    while True:
        yield draw.random() < share


class Bench:
    """Both units with a host memory, a weight buffer and an instruction fetch.

    Parameters
    ----------
    dut : the device.
    stall_share : :class:`float`
        Probability of a stall, for each stream and cycle.
    """

    def __init__(self, dut, stall_share):
        self.dut = dut
        self.draw = random.Random(f"{SEED}/{stall_share}")
        self.stall_share = stall_share
        self.note = f"seed {SEED}, stalls {stall_share}"
        self.ram = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, size=MEMORY)
        write, read = self.ram.write_if, self.ram.read_if
        for index, channel in enumerate((write.aw_channel, write.w_channel, write.b_channel,
                                         read.ar_channel, read.r_channel)):
            channel.set_pause_generator(
                _stalls(random.Random(f"{SEED}/{stall_share}/{index}"), stall_share))
        for owner in (write, read):
            owner.log.setLevel("ERROR")
        self.faults = Faults(self.ram, BUS)
        self.wgt = bytearray(CONFIG.wgt_bytes)
        # expected contents
        self.host = bytearray(self.draw.randbytes(MEMORY))
        self.spad = bytearray(CONFIG.spad_bytes)
        self.ram.write(0, bytes(self.host))
        self.fetched = self.bytes_written = self.beats = 0
        self.stopping = False

    async def start(self):
        """Start the clock, reset the device, start the monitor and the weight buffer."""
        dut = self.dut
        dut.rst.value = 1
        for name in ("load", "store"):
            getattr(dut, f"{name}_cmd_valid").value = 0
            getattr(dut, f"{name}_cmd_payload").value = 0
            getattr(dut, f"{name}_halt").value = 0
        for name in ("fetch_arvalid", "fetch_araddr", "fetch_arlen", "fetch_arid", "fetch_arsize",
                     "fetch_arburst", "fetch_arlock", "fetch_arcache", "fetch_arprot",
                     "fetch_arqos", "fetch_rready", "wgt_req_ready", "wgt_done", "wgt_conflict"):
            getattr(dut, name).value = 0
        cocotb.start_soon(Clock(dut.clk, CYCLE_NS, unit="ns").start())
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        cocotb.start_soon(self.monitor())
        cocotb.start_soon(self.weight_buffer())
        await RisingEdge(dut.clk)

    async def monitor(self):
        """Check in every cycle that stalled payloads are stable and valid signals are known."""
        dut, stalled = self.dut, {}
        since_halt = 0
        while True:
            await ReadOnly()
            # When halt rises, two addresses may be in LOAD's register slice and two in the
            # arbiter's, all of them outstanding; STORE's address is on the bus.
            if dut.load_halt.value == 1 and dut.store_halt.value == 1:
                for unit in ("load", "store"):
                    assert getattr(dut, f"{unit}_cmd_ready").value == 0, (
                        f"{unit} accepts an instruction in halt")
                since_halt += dut.m_axi_arvalid.value == 1 and dut.m_axi_arready.value == 1
                assert since_halt <= 4, f"LOAD continues in halt, {self.note}"
            else:
                since_halt = 0
            for prefix, fields in STABLE.items():
                valid = getattr(dut, f"{prefix}valid").value
                assert valid.is_resolvable, f"{prefix}valid is {valid}, {self.note}"
                payload = [getattr(dut, f"m_axi_{field}").value for field in fields]
                if prefix in stalled:
                    assert valid == 1 and payload == stalled.pop(prefix), (
                        f"{prefix} changed while it was stalled, {self.note}")
                if valid == 1:
                    assert all(value.is_resolvable for value in payload), (prefix, payload)
                    if getattr(dut, f"{prefix}ready").value == 0:
                        stalled[prefix] = payload
            self.bytes_written += int(dut.o_bytes.value)
            self.beats += int(dut.o_beat.value)
            await RisingEdge(dut.clk)

    async def weight_buffer(self):
        """Accept writes of the weight buffer at random times, and make them later."""
        dut = self.dut
        addr_bits = CONFIG.wgt_addr_width
        ready = False
        waiting = []
        while True:
            await RisingEdge(dut.clk)
            if ready and dut.wgt_req_valid.value == 1:
                waiting.append(int(dut.wgt_req_payload.value))
            dut.wgt_done.value = 0
            if waiting and self.draw.random() >= self.stall_share:
                request = waiting.pop(0)
                dut.wgt_done.value = request >> addr_bits + 9 * BUS
                addr = request & CONFIG.wgt_bytes - 1
                word = request >> addr_bits
                for index in range(BUS):
                    if word >> 8 * BUS + index & 1:
                        self.wgt[(addr + index) % CONFIG.wgt_bytes] = word >> 8 * index & 255
            ready = len(waiting) < 2 and self.draw.random() >= self.stall_share
            dut.wgt_conflict.value = bool(waiting)
            dut.wgt_req_ready.value = int(ready)

    async def fetch(self, count):
        """Read ``count`` random bursts like the sequencer, and check their data."""
        dut = self.dut
        for _ in range(count):
            beats = self.draw.randint(1, 4)
            address = self.draw.randrange(MEMORY // 4096) * 4096 \
                + self.draw.randrange(0, 2048, BUS)
            dut.fetch_araddr.value = address
            dut.fetch_arlen.value = beats - 1
            dut.fetch_arvalid.value = 1
            await self.until("fetch_arready")
            dut.fetch_arvalid.value = 0
            dut.fetch_rready.value = 1
            for beat in range(beats):
                await self.until("fetch_rvalid")
                start = address + BUS * beat
                # STORE may be changing the upper half of the memory
                if start < MEMORY // 2:
                    wanted = int.from_bytes(self.host[start:start + BUS], "little")
                    assert self.sampled["fetch_rdata"] == wanted, f"fetch {start:#x}, {self.note}"
                assert self.sampled["fetch_rlast"] == (beat == beats - 1)
                self.fetched += 1
            dut.fetch_rready.value = 0

    async def until(self, signal):
        """Return just after the first edge at which ``signal`` is high."""
        for _ in range(LIMIT):
            await ReadOnly()
            high = getattr(self.dut, signal).value == 1
            if signal == "fetch_rvalid":
                self.sampled = {name: int(getattr(self.dut, name).value) if high else None
                                for name in ("fetch_rdata", "fetch_rlast")}
            await RisingEdge(self.dut.clk)
            if high:
                return
        raise AssertionError(f"{signal} stays low, {self.note}")

    async def execute(self, unit, instructions, stop=None):
        """Execute ``instructions`` on ``unit``, or as many as it accepts until ``stop()``.

        Returns
        -------
        done : :class:`int`
            Number of ``done`` strobes.
        error : (code, address) or :class:`None`
        """
        dut = self.dut
        signals = {name: getattr(dut, f"{unit}_{name}") for name in (
            "cmd_valid", "cmd_ready", "cmd_payload", "done", "error", "error_info", "busy")}
        waiting, done, error, offered = list(instructions), 0, None, False
        for _ in range(LIMIT):
            if waiting and not offered and self.draw.random() >= self.stall_share:
                signals["cmd_payload"].value = int.from_bytes(waiting[0], "little")
                signals["cmd_valid"].value = 1
                offered = True
            await ReadOnly()
            accepted = offered and signals["cmd_ready"].value == 1
            done += int(signals["done"].value)
            if signals["error"].value == 1:
                assert error is None, f"a second error, {self.note}"
                info = int(signals["error_info"].value)
                error = info & 255, info >> 8
            busy = signals["busy"].value == 1
            await RisingEdge(dut.clk)
            if accepted:
                signals["cmd_valid"].value = 0
                offered = False
                waiting.pop(0)
            if not busy and (done == len(instructions) or error) or stop is not None and stop():
                signals["cmd_valid"].value = 0
                return done, error
        raise AssertionError(f"{unit}: {done} of {len(instructions)} done, {self.note}")

    def copy(self, name, local, host):
        """Return a random copy whose addresses are in the ranges ``local`` and ``host``."""
        draw = self.draw
        while True:
            size = draw.choice([1, BUS, draw.randint(1, 40), draw.randint(1, 300)])
            rows = draw.choice([1, 2, draw.randint(1, 8)])
            local_pitch = draw.choice([size, size + draw.randint(0, 20)])
            host_pitch = draw.choice([size, size + draw.randint(0, 300)])
            local_room = len(local) - (rows - 1) * local_pitch - size
            host_room = len(host) - (rows - 1) * host_pitch - size
            if local_room < 0 or host_room < 0:
                continue
            fields = {"count": rows, "bytes": size, "local_pitch": local_pitch,
                      "local_addr": local.start + draw.choice([0, local_room,
                                                               draw.randint(0, local_room)])}
            if name == "FILL":
                return isa.encode(name, **fields, value=draw.randrange(256))
            return isa.encode(name, **fields, host_pitch=host_pitch,
                              host_addr=host.start + draw.randint(0, host_room))

    def model(self, instructions):
        """Apply ``instructions`` to ``host`` and ``spad``, and return the expected weights."""
        wgt = bytearray(self.wgt)
        execute_copies(instructions, host=self.host, spad=self.spad, wgt=wgt)
        return wgt

    async def fill_spad(self):
        """Load known contents into the whole scratchpad."""
        load = [isa.encode("LOAD", count=1, bytes=CONFIG.spad_bytes)]
        self.model(load)
        assert await self.execute("load", load) == (1, None)

    async def check_spad(self):
        """Store the whole scratchpad and compare all of host memory with the model."""
        store = [isa.encode("STORE", count=1, bytes=CONFIG.spad_bytes, host_addr=MEMORY // 2)]
        self.model(store)
        assert await self.execute("store", store) == (1, None)
        self.check_host()

    def check_host(self):
        """Compare all of host memory with the model."""
        actual = self.ram.read(0, MEMORY)
        wrong = [index for index in range(MEMORY) if actual[index] != self.host[index]]
        assert not wrong, (
            f"host[{wrong[0]:#x}] is {actual[wrong[0]]:#x}, not {self.host[wrong[0]]:#x}; "
            f"{len(wrong)} bytes differ, {self.note}")

    async def recover(self):
        """Halt, reset when no transfer is outstanding, and check that copies work again."""
        dut = self.dut
        for name in ("load", "store"):
            getattr(dut, f"{name}_halt").value = 1
        await self.until("o_idle")
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        dut.rst.value = 0
        for name in ("load", "store"):
            getattr(dut, f"{name}_halt").value = 0
        self.faults.responses.clear()
        # interrupted copies leave unknown contents
        self.host[:] = self.ram.read(0, MEMORY)
        await self.fill_spad()
        stores = [self.copy("STORE", range(CONFIG.spad_bytes), range(MEMORY // 2, MEMORY))
                  for _ in range(3)]
        self.model(stores)
        assert await self.execute("store", stores) == (3, None)
        self.check_host()
