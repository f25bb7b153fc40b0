"""Model of an SDRAM: it checks each rule of the datasheet, and nothing beyond it."""

import dataclasses
import random
import types

import pytest

from support.axi_manager import AxiManager, random_write
from support.memory_bench import random_location, read_burst
from support.sdram_bench import run
from support.sdram_model import SMALL, SdramModel
from support.seeds import seed
from weft.host_memory.sdram_chip import SdramChip
from weft.host_memory.sdram_pins import Command

# A script is a list of commands: cycles since the previous command, name, pins. The cycle is 10 ns,
# and only the time under test is longer than one cycle.
PERIOD_NS = 10
ALL_BANKS = {"addr": 1 << 10}
MODE_2 = {"addr": 2 << 4}
INIT = [(51, "PRECHARGE", ALL_BANKS), (9, "REFRESH", {}), (9, "REFRESH", {}), (9, "MODE", MODE_2),
         (2, "NOP", {})]
OPEN = (1, "ACTIVATE", {})


def execute(script, **changes):
    """Execute a script and return the model; ``changes`` are changed attributes of the chip."""
    times = dict.fromkeys(("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr"), 1)
    chip = types.SimpleNamespace(**{**vars(SMALL), **times, **changes},
                                 MODE_CYCLES=SdramChip.MODE_CYCLES)
    model = SdramModel(None, chip, 1e9 / PERIOD_NS)

    def edge(name, *, addr=0, bank=0, mask=0, dq_en=None):
        driven = name == "WRITE" if dq_en is None else dq_en
        model.edge(1, Command[name], bank, addr, mask, 0, driven)
    for wait, name, pins in script:
        for _ in range(wait - 1):
            edge("NOP")
        edge(name, **pins)
    return model


# (changes of the chip; earlier commands; last command, at the earliest legal cycle; message)
TIMES = {
    "power_up": ({"power_up": 600}, [(1, "NOP", {})], (60, "PRECHARGE", ALL_BANKS), "at power-up"),
    "rfc": ({"rfc": 60}, [(1, "REFRESH", {})], (6, "ACTIVATE", {}), "ACTIVATE after REFRESH"),
    "mode": ({}, [(1, "MODE", MODE_2)], (2, "ACTIVATE", {}), "too soon after MODE"),
    "rcd, READ": ({"rcd": 30}, [OPEN], (3, "READ", {}), "READ or WRITE after 20.0 ns, 30.0"),
    "rcd, WRITE": ({"rcd": 30}, [OPEN], (3, "WRITE", {}), "READ or WRITE after 20.0 ns, 30.0"),
    "ras": ({"ras": 50}, [OPEN], (5, "PRECHARGE", {}), "PRECHARGE after 40.0 ns, 50.0"),
    "ras, all": ({"ras": 50}, [(1, "ACTIVATE", {"bank": 1})], (5, "PRECHARGE", ALL_BANKS),
                 "PRECHARGE after 40.0 ns, 50.0"),
    "wr": ({"wr": 30}, [OPEN, (1, "WRITE", {})], (3, "PRECHARGE", {}), "PRECHARGE after 20.0 ns"),
    "rp, ACTIVATE": ({"rp": 30}, [OPEN, (1, "PRECHARGE", {})], (3, "ACTIVATE", {}),
                     "ACTIVATE after 20.0 ns, 30.0"),
    "rp, REFRESH": ({"rp": 30}, [OPEN, (1, "PRECHARGE", {})], (3, "REFRESH", {}),
                    "REFRESH after 20.0 ns, 30.0"),
    "rp, MODE": ({"rp": 30}, [(1, "PRECHARGE", ALL_BANKS)], (3, "MODE", MODE_2),
                 "MODE after 20.0 ns, 30.0"),
    "rc": ({"rc": 70}, [OPEN, (1, "PRECHARGE", {})], (6, "ACTIVATE", {}),
           "ACTIVATE of the bank after 60.0 ns, 70.0"),
    "rrd": ({"rrd": 30}, [OPEN], (3, "ACTIVATE", {"bank": 1}),
            "ACTIVATE of another bank after 20.0 ns, 30.0"),
    "data": ({}, [OPEN, (1, "READ", {})], (4, "WRITE", {}),
             "dq driven while the chip stops driving it"),
}


@pytest.mark.parametrize("changes, before, last, message", TIMES.values(), ids=TIMES)
def test_accepts_a_command_at_its_earliest_legal_cycle_only(changes, before, last, message):
    wait, *command = last
    init = [] if "power_up" in changes else INIT
    execute([*init, *before, (wait, *command)], **changes)
    with pytest.raises(AssertionError, match=message):
        execute([*init, *before, (wait - 1, *command)], **changes)


# (illegal script, the most similar legal script, message)
STATES = {
    "first": ([*INIT[:3], OPEN], [*INIT, OPEN], "ACTIVATE before MODE"),
    "closed, refresh": ([(60, "REFRESH", {})], INIT[:2], "cycle [0-9]*: REFRESH"),
    "closed, part": ([(51, "PRECHARGE", {"bank": 0}), *INIT[1:]], INIT, "cycle [0-9]*: REFRESH"),
    "refreshes": ([*INIT[:2], INIT[3]], INIT[:4], "MODE before REFRESH"),
    "mode, open": ([*INIT, OPEN, (1, "MODE", MODE_2)],
                   [*INIT, OPEN, (1, "PRECHARGE", {}), (1, "MODE", MODE_2)],
                   "MODE with an open bank"),
    "bursts": ([*INIT[:3], (1, "MODE", {"addr": 2 << 4 | 1})], INIT[:4], "mode 0x21"),
    "bank of mode": ([*INIT[:3], (1, "MODE", {"addr": 2 << 4, "bank": 1})], INIT[:4],
                     "mode 0x20"),
    "latency": ([*INIT[:3], (1, "MODE", {"addr": 1 << 4})],
                [*INIT[:3], (1, "MODE", {"addr": 3 << 4})], "latency 1"),
    "activate, open": ([*INIT, OPEN, (9, "ACTIVATE", {"addr": 1})],
                       [*INIT, OPEN, (8, "PRECHARGE", {}), (1, "ACTIVATE", {"addr": 1})],
                       "ACTIVATE of an open bank 0"),
    "row": ([*INIT, (1, "ACTIVATE", {"addr": 32})], [*INIT, (1, "ACTIVATE", {"addr": 31})],
            "row 0x20 of 32"),
    "refresh, open": ([*INIT, OPEN, (9, "PRECHARGE", {"bank": 1}), (9, "REFRESH", {})],
                      [*INIT, OPEN, (9, "PRECHARGE", {"bank": 0}), (9, "REFRESH", {})],
                      "cycle [0-9]*: REFRESH"),
    "read, closed": ([*INIT, OPEN, (9, "READ", {"bank": 1})],
                     [*INIT, OPEN, (9, "READ", {"bank": 0})], "bank 1 is closed"),
    "write, closed": ([*INIT, OPEN, (9, "WRITE", {"bank": 1})],
                      [*INIT, OPEN, (9, "WRITE", {"bank": 0})], "bank 1 is closed"),
    "column": ([*INIT, OPEN, (9, "READ", {"addr": 128})],
               [*INIT, OPEN, (9, "READ", {"addr": 127})], "column 0x80"),
    "read, driven": ([*INIT, OPEN, (9, "READ", {"dq_en": 1})], [*INIT, OPEN, (9, "READ", {})],
                     "READ while dq is driven"),
    "read, masked": ([*INIT, OPEN, (9, "READ", {"mask": 1})], [*INIT, OPEN, (9, "READ", {})],
                     "READ with a mask"),
    "write, not driven": ([*INIT, OPEN, (9, "WRITE", {"dq_en": 0})],
                          [*INIT, OPEN, (9, "WRITE", {})], "WRITE without data"),
    "both drive": ([*INIT, OPEN, (9, "READ", {}), (2, "NOP", {"dq_en": 1})],
                   [*INIT, OPEN, (9, "READ", {}), (1, "NOP", {"dq_en": 1})], "both drive dq"),
}


@pytest.mark.parametrize("illegal, legal, message", STATES.values(), ids=STATES)
def test_accepts_a_command_only_in_a_legal_state(illegal, legal, message):
    execute(legal)
    with pytest.raises(AssertionError, match=message):
        execute(illegal)


def test_refuses_a_latency_that_is_too_short_for_the_clock():
    execute(INIT, cas={2: 100e6})
    with pytest.raises(AssertionError, match="latency 2"):
        execute(INIT, cas={2: 99e6})


@pytest.mark.parametrize("legal, illegal, message", [
    ([250] * 9 + [600], [250] * 9 + [601], "601 cycles without REFRESH"),
    ([600], [601], "601 cycles without REFRESH"),
    ([306] * 9, [307] * 9, "REFRESH every 3070 ns"),
])
def test_requires_refreshes_in_time(legal, illegal, message):
    """The chip needs one REFRESH per 300 cycles; those of the initialisation do not count."""
    def refreshed(gaps):
        return execute([*INIT, *[(1, "REFRESH", {})] * 7, *((gap, "REFRESH", {}) for gap in gaps)])
    refreshed(legal).check_refreshes()
    with pytest.raises(AssertionError, match=message):
        refreshed(illegal).check_refreshes()


def test_detects_that_refreshes_have_stopped():
    init = [*INIT, *[(1, "REFRESH", {})] * 7]
    execute([*init, (599, "NOP", {})]).check_refreshes()
    with pytest.raises(AssertionError, match="601 cycles without REFRESH"):
        execute([*init, (600, "NOP", {})]).check_refreshes()
    with pytest.raises(AssertionError, match="no REFRESH"):
        execute(INIT[:1]).check_refreshes()


@pytest.mark.parametrize("changes, message", [
    ({"rcd": 5}, "READ or WRITE after 14.0 ns"),
    ({"rp": 5, "ras": 60}, "REFRESH after 7.0 ns, 18.0 ns"),
    ({"ras": 20, "rp": 40}, "PRECHARGE after [0-9.]* ns, 42.0 ns at least"),
    ({"rfc": 5}, "after REFRESH after 7.0 ns"), ({"wr": 1}, "PRECHARGE after 14.0 ns, 15.0 ns"),
    ({"refresh": 9000}, "cycles without REFRESH"), ({"cas": {2: 143e6}}, "latency 2"),
    ({"power_up": 5}, "at power-up after [0-9.]* ns, 500"),
    ({"row_bits": 6}, "row 0x[23]. of 32")])
def test_detects_a_controller_that_is_made_for_another_chip(changes, message):
    assumed = dataclasses.replace(SMALL, **changes)
    draw, width = random.Random(seed(7)), 32
    writes = [random_write(draw, *random_location(draw, 0, assumed.size, width), width)
              for _ in range(100)]
    reads = [read_burst(width, burst.address, burst.beats) for burst in writes]

    def manager(port):
        return AxiManager(port, writes=writes, reads=reads, stall=0.2)
    with pytest.raises(AssertionError, match=message):
        run(assumed, width, 143e6, manager, actual_chip=SMALL)
