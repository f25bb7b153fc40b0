"""The model of an SDRAM: each rule of a chip's datasheet is asked for, and no more than that."""

import types

import pytest

from support.sdram_model import SMALL, SdramModel
from weft.host_memory.sdram_chip import SdramChip
from weft.host_memory.sdram_pins import Command

# Commands straight to the model, a line each: cycles since the one before, command, pins. The chip
# has 10 ns a cycle, and only the time under test is longer than that.
PERIOD_NS = 10
ALL_BANKS = {"addr": 1 << 10}
MODE_2 = {"addr": 2 << 4}
START = [(51, "PRECHARGE", ALL_BANKS), (9, "REFRESH", {}), (9, "REFRESH", {}), (9, "MODE", MODE_2),
         (2, "NOP", {})]
OPEN = (1, "ACTIVATE", {})


def give(script, **changes):
    """The model after ``script``; ``changes`` are of the chip, even those that none can have."""
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


# (what the chip asks for; commands before; the last one, as soon as it is allowed; message)
TIMES = {
    "start": ({"start": 600}, [(1, "NOP", {})], (60, "PRECHARGE", ALL_BANKS), "at power-up"),
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
    "data": ({}, [OPEN, (1, "READ", {})], (4, "WRITE", {}), "dq driven while the chip lets go"),
}


@pytest.mark.parametrize("changes, before, last, message", TIMES.values(), ids=TIMES)
def test_the_model_takes_a_command_when_its_time_has_come(changes, before, last, message):
    wait, *command = last
    start = [] if "start" in changes else START
    give([*start, *before, (wait, *command)], **changes)
    with pytest.raises(AssertionError, match=message):
        give([*start, *before, (wait - 1, *command)], **changes)


# (what is forbidden, the nearest that is allowed, message)
STATES = {
    "first": ([*START[:3], OPEN], [*START, OPEN], "ACTIVATE before MODE"),
    "closed, refresh": ([(60, "REFRESH", {})], START[:2], "cycle [0-9]*: REFRESH"),
    "closed, part": ([(51, "PRECHARGE", {"bank": 0}), *START[1:]], START, "cycle [0-9]*: REFRESH"),
    "refreshes": ([*START[:2], START[3]], START[:4], "MODE before REFRESH"),
    "mode, open": ([*START, OPEN, (1, "MODE", MODE_2)],
                   [*START, OPEN, (1, "PRECHARGE", {}), (1, "MODE", MODE_2)],
                   "MODE with an open bank"),
    "bursts": ([*START[:3], (1, "MODE", {"addr": 2 << 4 | 1})], START[:4], "mode 0x21"),
    "bank of mode": ([*START[:3], (1, "MODE", {"addr": 2 << 4, "bank": 1})], START[:4],
                     "mode 0x20"),
    "latency": ([*START[:3], (1, "MODE", {"addr": 1 << 4})],
                [*START[:3], (1, "MODE", {"addr": 3 << 4})], "latency 1"),
    "activate, open": ([*START, OPEN, (9, "ACTIVATE", {"addr": 1})],
                       [*START, OPEN, (8, "PRECHARGE", {}), (1, "ACTIVATE", {"addr": 1})],
                       "ACTIVATE of an open bank 0"),
    "row": ([*START, (1, "ACTIVATE", {"addr": 32})], [*START, (1, "ACTIVATE", {"addr": 31})],
            "row 0x20 of 32"),
    "refresh, open": ([*START, OPEN, (9, "PRECHARGE", {"bank": 1}), (9, "REFRESH", {})],
                      [*START, OPEN, (9, "PRECHARGE", {"bank": 0}), (9, "REFRESH", {})],
                      "cycle [0-9]*: REFRESH"),
    "read, closed": ([*START, OPEN, (9, "READ", {"bank": 1})],
                     [*START, OPEN, (9, "READ", {"bank": 0})], "bank 1 is closed"),
    "write, closed": ([*START, OPEN, (9, "WRITE", {"bank": 1})],
                      [*START, OPEN, (9, "WRITE", {"bank": 0})], "bank 1 is closed"),
    "column": ([*START, OPEN, (9, "READ", {"addr": 128})],
               [*START, OPEN, (9, "READ", {"addr": 127})], "column 0x80"),
    "read, driven": ([*START, OPEN, (9, "READ", {"dq_en": 1})], [*START, OPEN, (9, "READ", {})],
                     "READ while dq is driven"),
    "read, masked": ([*START, OPEN, (9, "READ", {"mask": 1})], [*START, OPEN, (9, "READ", {})],
                     "READ with a mask"),
    "write, not driven": ([*START, OPEN, (9, "WRITE", {"dq_en": 0})],
                          [*START, OPEN, (9, "WRITE", {})], "WRITE without data"),
    "both drive": ([*START, OPEN, (9, "READ", {}), (2, "NOP", {"dq_en": 1})],
                   [*START, OPEN, (9, "READ", {}), (1, "NOP", {"dq_en": 1})], "both drive dq"),
}


@pytest.mark.parametrize("forbidden, allowed, message", STATES.values(), ids=STATES)
def test_the_model_takes_a_command_only_in_a_state_that_allows_it(forbidden, allowed, message):
    give(allowed)
    with pytest.raises(AssertionError, match=message):
        give(forbidden)


def test_the_model_refuses_a_latency_that_is_too_short_for_the_clock():
    give(START, cas={2: 100e6})
    with pytest.raises(AssertionError, match="latency 2"):
        give(START, cas={2: 99e6})


@pytest.mark.parametrize("allowed, late, message", [
    ([250] * 9 + [600], [250] * 9 + [601], "601 cycles without REFRESH"),
    ([600], [601], "601 cycles without REFRESH"),
    ([306] * 9, [307] * 9, "REFRESH every 3070 ns"),
])
def test_the_model_asks_for_refreshes_in_time(allowed, late, message):
    """Of a chip that wants one each 300 cycles; those of the beginning do not count."""
    def refreshed(gaps):
        return give([*START, *[(1, "REFRESH", {})] * 7, *((gap, "REFRESH", {}) for gap in gaps)])
    refreshed(allowed).check_refreshes()
    with pytest.raises(AssertionError, match=message):
        refreshed(late).check_refreshes()


def test_the_model_notes_that_refreshes_have_ended():
    begin = [*START, *[(1, "REFRESH", {})] * 7]
    give([*begin, (599, "NOP", {})]).check_refreshes()
    with pytest.raises(AssertionError, match="601 cycles without REFRESH"):
        give([*begin, (600, "NOP", {})]).check_refreshes()
    with pytest.raises(AssertionError, match="never a REFRESH"):
        give(START[:1]).check_refreshes()
