"""The DMA under cocotb: copies in both directions at once, fetches between, errors, halts."""

import json
import os
import random

from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge
from cocotbext.axi import AxiBus, AxiRam, AxiResp

import cocotb
from weft.spec import isa
from weft.spec.config import Config

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
COUNT = int(os.environ["WEFT_COUNT"])
BUS = CONFIG.bus_bytes
CYCLE_NS = 10
MEMORY = 1 << 15
LIMIT = 60_000          # cycles that nothing may take longer than
HOLDS = {               # what must not change while valid waits for ready
    "m_axi_ar": ("araddr", "arlen", "arsize", "arburst"),
    "m_axi_aw": ("awaddr", "awlen", "awsize", "awburst"),
    "m_axi_w": ("wdata", "wstrb", "wlast"),
}


def stalls(draw, share):
    while True:
        yield draw.random() < share


class Faults:
    """Makes a memory answer errors at chosen beat addresses."""

    def __init__(self, ram):
        self.at = {}
        self.read, self.written = None, AxiResp.OKAY
        read, write = ram.read_if, ram.write_if
        read_data, write_data = read._read, write._write
        send_r, send_b = read.r_channel.send, write.b_channel.send

        async def note_read(address, length):
            self.read = address
            return await read_data(address, length)

        async def note_write(address, data):
            # only the bytes that have a strobe come here: a fault is met by writing to its beat
            response = self.at.get(address // BUS * BUS, AxiResp.OKAY)
            self.written = self.written or response
            return await write_data(address, data)

        async def answer_read(beat):
            beat.rresp = self.at.get(self.read // BUS * BUS, AxiResp.OKAY)
            await send_r(beat)

        async def answer_write(answer):
            answer.bresp, self.written = self.written, AxiResp.OKAY
            await send_b(answer)

        read._read, write._write = note_read, note_write
        read.r_channel.send, write.b_channel.send = answer_read, answer_write


class Bench:
    """The device with a memory, a weight buffer and a fetching neighbour around it."""

    def __init__(self, dut, share):
        self.dut = dut
        self.draw = random.Random(f"{SEED}/{share}")
        self.share = share
        self.note = f"seed {SEED}, stalls {share}"
        self.ram = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, size=MEMORY)
        write, read = self.ram.write_if, self.ram.read_if
        for index, channel in enumerate((write.aw_channel, write.w_channel, write.b_channel,
                                         read.ar_channel, read.r_channel)):
            channel.set_pause_generator(stalls(random.Random(f"{SEED}/{share}/{index}"), share))
        for owner in (write, read):
            owner.log.setLevel("ERROR")
        self.faults = Faults(self.ram)
        self.wgt = bytearray(CONFIG.wgt_bytes)
        self.host = bytearray(self.draw.randbytes(MEMORY))       # what it should hold
        self.spad = bytearray(CONFIG.spad_bytes)
        self.ram.write(0, bytes(self.host))
        self.fetched = self.bytes_written = self.beats = 0
        self.stopping = False

    async def start(self):
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
        cocotb.start_soon(self.watch())
        cocotb.start_soon(self.weight_buffer())
        await RisingEdge(dut.clk)

    async def watch(self):
        """Every cycle: what waits does not change, and what is valid is known."""
        dut, waiting = self.dut, {}
        since_halt = 0
        while True:
            await ReadOnly()
            # when halt comes, two addresses may be in LOAD's slice and two in the arbiter's, all of
            # them owed already; STORE's is on the bus
            if dut.load_halt.value == 1 and dut.store_halt.value == 1:
                for unit in ("load", "store"):
                    assert getattr(dut, f"{unit}_cmd_ready").value == 0, f"{unit} takes in halt"
                since_halt += dut.m_axi_arvalid.value == 1 and dut.m_axi_arready.value == 1
                assert since_halt <= 4, f"LOAD goes on in halt, {self.note}"
            else:
                since_halt = 0
            for prefix, fields in HOLDS.items():
                valid = getattr(dut, f"{prefix}valid").value
                assert valid.is_resolvable, f"{prefix}valid is {valid}, {self.note}"
                payload = [getattr(dut, f"m_axi_{field}").value for field in fields]
                if prefix in waiting:
                    assert valid == 1 and payload == waiting.pop(prefix), (
                        f"{prefix} changed while it waited, {self.note}")
                if valid == 1:
                    assert all(value.is_resolvable for value in payload), (prefix, payload)
                    if getattr(dut, f"{prefix}ready").value == 0:
                        waiting[prefix] = payload
            self.bytes_written += int(dut.o_bytes.value)
            self.beats += int(dut.o_beat.value)
            await RisingEdge(dut.clk)

    async def weight_buffer(self):
        """Takes the writes of the weight buffer, at random moments, and makes them later."""
        dut = self.dut
        addr_bits = CONFIG.wgt_bytes.bit_length() - 1
        ready = False
        taken = []
        while True:
            await RisingEdge(dut.clk)
            if ready and dut.wgt_req_valid.value == 1:
                taken.append(int(dut.wgt_req_payload.value))
            dut.wgt_done.value = 0
            if taken and self.draw.random() >= self.share:
                request = taken.pop(0)
                dut.wgt_done.value = request >> addr_bits + 9 * BUS
                addr = request & CONFIG.wgt_bytes - 1
                word = request >> addr_bits
                for index in range(BUS):
                    if word >> 8 * BUS + index & 1:
                        self.wgt[(addr + index) % CONFIG.wgt_bytes] = word >> 8 * index & 255
            ready = len(taken) < 2 and self.draw.random() >= self.share
            dut.wgt_conflict.value = bool(taken)
            dut.wgt_req_ready.value = int(ready)

    async def fetch(self, count):
        """Reads ``count`` random bursts as the sequencer would, and checks their data."""
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
                # the bytes that STORE may be changing at this moment are left out
                if start < MEMORY // 2:
                    want = int.from_bytes(self.host[start:start + BUS], "little")
                    assert self.sampled["fetch_rdata"] == want, f"fetch {start:#x}, {self.note}"
                assert self.sampled["fetch_rlast"] == (beat == beats - 1)
                self.fetched += 1
            dut.fetch_rready.value = 0

    async def until(self, signal):
        """Returns just after the edge at which ``signal`` was high."""
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
        """Number of instructions done and the error, of ``unit``; gives up if ``stop()``."""
        dut = self.dut
        signals = {name: getattr(dut, f"{unit}_{name}") for name in (
            "cmd_valid", "cmd_ready", "cmd_payload", "done", "error", "error_info", "busy")}
        waiting, done, error, offered = list(instructions), 0, None, False
        for _ in range(LIMIT):
            if waiting and not offered and self.draw.random() >= self.share:
                signals["cmd_payload"].value = int.from_bytes(waiting[0], "little")
                signals["cmd_valid"].value = 1
                offered = True
            await ReadOnly()
            took = offered and signals["cmd_ready"].value == 1
            done += int(signals["done"].value)
            if signals["error"].value == 1:
                assert error is None, f"a second error, {self.note}"
                info = int(signals["error_info"].value)
                error = info & 255, info >> 8
            busy = signals["busy"].value == 1
            await RisingEdge(dut.clk)
            if took:
                signals["cmd_valid"].value = 0
                offered = False
                waiting.pop(0)
            if not busy and (done == len(instructions) or error) or stop is not None and stop():
                signals["cmd_valid"].value = 0
                return done, error
        raise AssertionError(f"{unit}: {done} of {len(instructions)} done, {self.note}")

    def copy(self, name, local, host):
        """A random copy: ``local`` and ``host`` are the ranges it must stay in."""
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
        """Does to ``host``, ``spad`` and the returned weights what the instructions say."""
        wgt = bytearray(self.wgt)
        count = 0
        for raw in instructions:
            instruction, f = isa.decode(raw)
            for row in range(f.get("count", 0)):
                local = f["local_addr"] + row * f["local_pitch"]
                here = slice(local, local + f["bytes"])
                if instruction.name == "FILL":
                    self.spad[here] = bytes([f["value"]]) * f["bytes"]
                    continue
                host = f["host_addr"] + row * f["host_pitch"]
                there = slice(host, host + f["bytes"])
                if instruction.name == "STORE":
                    self.host[there] = self.spad[here]
                    count += f["bytes"]
                else:
                    (wgt if instruction.name == "LOAD_WGT" else self.spad)[here] = self.host[there]
        return wgt, count

    async def fill_spad(self):
        """Gives the whole scratchpad known contents."""
        load = [isa.encode("LOAD", count=1, bytes=CONFIG.spad_bytes)]
        self.model(load)
        assert await self.execute("load", load) == (1, None)

    def check_host(self):
        held = self.ram.read(0, MEMORY)
        wrong = [index for index in range(MEMORY) if held[index] != self.host[index]]
        assert not wrong, (
            f"host[{wrong[0]:#x}] is {held[wrong[0]]:#x}, not {self.host[wrong[0]]:#x}; "
            f"{len(wrong)} bytes differ, {self.note}")


HALF = MEMORY // 2
LOW, HIGH = range(CONFIG.spad_bytes // 2), range(CONFIG.spad_bytes // 2, CONFIG.spad_bytes)
READ_FROM, WRITE_TO = range(HALF), range(HALF, MEMORY)


async def copy_both_ways(dut, share):
    bench = Bench(dut, share)
    await bench.start()
    await bench.fill_spad()
    for index in range(max(1, COUNT // 4)):
        # LOAD and STORE work at the same time, each in its half of both memories
        mine, other = (LOW, HIGH) if index % 2 else (HIGH, LOW)
        weights = range(CONFIG.wgt_bytes)
        loads = [bench.draw.choice([
            bench.copy("LOAD", mine, READ_FROM), bench.copy("LOAD_WGT", weights, READ_FROM),
            bench.copy("FILL", mine, READ_FROM), isa.encode("SYNC_LOAD")]) for _ in range(6)]
        stores = [bench.draw.choice([
            bench.copy("STORE", other, WRITE_TO), bench.copy("STORE", other, WRITE_TO),
            isa.encode("SYNC_STORE")]) for _ in range(6)]
        wanted_wgt, _ = bench.model(loads)
        before, (_, count) = bench.bytes_written, bench.model(stores)
        tasks = [cocotb.start_soon(task) for task in (
            bench.execute("load", loads), bench.execute("store", stores), bench.fetch(5))]
        assert [await task for task in tasks][:2] == [(len(loads), None), (len(stores), None)]
        assert bench.wgt == wanted_wgt, f"the weight buffer differs, {bench.note}"
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        assert bench.bytes_written - before == count, f"o_bytes is wrong, {bench.note}"
        # and now all of the scratchpad
        dump = [isa.encode("STORE", count=1, bytes=CONFIG.spad_bytes, host_addr=HALF)]
        bench.model(dump)
        assert await bench.execute("store", dump) == (1, None)
        bench.check_host()
    assert bench.fetched > 0 and bench.beats > bench.fetched


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def copies_both_ways_at_once(dut):
    await copy_both_ways(dut, 0.0)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def copies_both_ways_at_once_under_light_stalls(dut):
    await copy_both_ways(dut, 0.25)


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def copies_both_ways_at_once_under_heavy_stalls(dut):
    await copy_both_ways(dut, 0.7)


async def recover(bench):
    """Halts, waits until nothing is owed, resets; then everything must work again."""
    dut = bench.dut
    for name in ("load", "store"):
        getattr(dut, f"{name}_halt").value = 1
    await bench.until("o_idle")
    dut.rst.value = 1
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    for name in ("load", "store"):
        getattr(dut, f"{name}_halt").value = 0
    bench.faults.at.clear()
    # the interrupted copies left something or other
    bench.host[:] = bench.ram.read(0, MEMORY)
    await bench.fill_spad()
    stores = [bench.copy("STORE", range(CONFIG.spad_bytes), WRITE_TO) for _ in range(3)]
    bench.model(stores)
    assert await bench.execute("store", stores) == (3, None)
    bench.check_host()


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def halts_at_any_moment_and_works_after_reset(dut):
    bench = Bench(dut, 0.3)
    await bench.start()
    for _ in range(COUNT):
        loads = [bench.copy("LOAD", LOW, READ_FROM) for _ in range(4)]
        stores = [bench.copy("STORE", HIGH, WRITE_TO) for _ in range(4)]
        bench.stopping = False
        tasks = [cocotb.start_soon(bench.execute(unit, copies, lambda: bench.stopping))
                 for unit, copies in (("load", loads), ("store", stores))]
        for _ in range(bench.draw.randint(1, 150)):
            await RisingEdge(dut.clk)
        bench.stopping = True
        await recover(bench)
        for task in tasks:
            await task


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def reports_an_error_on_any_beat(dut):
    bench = Bench(dut, 0.3)
    await bench.start()
    await bench.fill_spad()
    for _ in range(COUNT):
        unit = bench.draw.choice(["load", "store"])
        name, space, local = ("LOAD", READ_FROM, LOW) if unit == "load" \
            else ("STORE", WRITE_TO, HIGH)
        good, bad = bench.copy(name, local, space), bench.copy(name, local, space)
        addresses = [sorted({byte // BUS * BUS for byte in touched(raw)}) for raw in (good, bad)]
        chances = [address for address in addresses[1] if address not in addresses[0]]
        if not chances:
            continue
        fault = bench.draw.choice(chances)
        response = bench.draw.choice([AxiResp.SLVERR, AxiResp.DECERR])
        bench.faults.at = {fault: response}
        done, error = await bench.execute(unit, [good, bad, good])
        code = {AxiResp.SLVERR: isa.ErrorCode.BUS_SLVERR,
                AxiResp.DECERR: isa.ErrorCode.BUS_DECERR}[response]
        assert done == 1 and error is not None and error[0] == code, (done, error, bench.note)
        if unit == "load":
            assert error[1] == fault, (error, fault, bench.note)
            # everything before the bad beat is in the scratchpad, and nothing after it
            bench.model([good])
            _, f = isa.decode(bad)
            for index, byte in enumerate(touched(bad)):
                if byte // BUS * BUS == fault:
                    break
                row, column = divmod(index, f["bytes"])
                bench.spad[f["local_addr"] + row * f["local_pitch"] + column] = bench.host[byte]
            dump = [isa.encode("STORE", count=1, bytes=CONFIG.spad_bytes, host_addr=HALF)]
            bench.model(dump)
            assert await bench.execute("store", dump) == (1, None)
            bench.check_host()
        else:
            block = CONFIG.max_burst * BUS
            assert error[1] <= fault < error[1] + block, (error, fault, bench.note)
            assert error[1] // block == fault // block, (error, fault, bench.note)
        await recover(bench)


def touched(raw):
    """Host addresses of all bytes of a copy."""
    _, f = isa.decode(raw)
    return [f["host_addr"] + row * f["host_pitch"] + index
            for row in range(f["count"]) for index in range(f["bytes"])]
