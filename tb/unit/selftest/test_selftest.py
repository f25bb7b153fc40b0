"""Self-test: a fault is reported for its own part and for no other."""

import json

import numpy as np
import pytest

from support.link_emulator import EmulatedBoard
from support.memory_faults import host_address_line
from support.selftest_faults import FAULTS, MEMORY
from support.unit_faults import cell_bit, masked_everywhere_else
from weft.spec.presets import preset
from weft_host.cli import main
from weft_host.device import EmulatorDevice, SerialDevice
from weft_host.errors import LinkError
from weft_host.selftest import CHECKS, selftest

PRESETS = ("tiny", "small", "icebreaker")       # icebreaker is compact


def compare(outcomes, failed):
    """Check that only ``failed`` has failed and only the checks that need it were left out."""
    found = {outcome.name: outcome for outcome in outcomes}
    assert [name for name, outcome in found.items() if outcome.status == "failed"] == [failed], \
        outcomes
    not_passed = {failed}
    for name, check in CHECKS.items():
        if not_passed & set(check.needs):
            not_passed.add(name)
            assert (found[name].status, found[name].detail) == ("not checked", f"needs {failed}")
    assert {name for name, outcome in found.items() if outcome.status != "ok"} == not_passed & set(
        found)
    assert not any(outcome.passed for name, outcome in found.items() if name in not_passed)


@pytest.mark.parametrize("name", ["tiny", "small", "icebreaker", "wide", "tall", "ulx3s"])
@pytest.mark.parametrize("memory", [1 << 14, MEMORY, 1 << 20])
def test_a_device_without_faults_passes(name, memory):
    config = preset(name)
    device = EmulatorDevice(config, memory_bytes=memory)
    outcomes = selftest(device, seed=memory)
    assert all(outcome.passed for outcome in outcomes), outcomes
    assert {outcome.name for outcome in outcomes} == set(CHECKS) - {"host link"}


@pytest.mark.parametrize("changes", [
    {"rows": 8, "cols": 2, "vector_lanes": 1, "spad_bytes": 256, "spad_banks": 1, "acc_rows": 8,
     "wgt_bytes": 32},
    {"rows": 64, "cols": 64, "vector_lanes": 64, "bus_width": 256, "max_burst": 16,
     "spad_bytes": 4096, "acc_rows": 8, "wgt_bytes": 8192},
    {"rows": 4, "cols": 64, "vector_lanes": 2, "spad_bytes": 2048, "acc_rows": 1024}])
def test_configurations_at_the_limits_pass(changes):
    device = EmulatorDevice(preset("small", **changes), memory_bytes=1 << 16)
    outcomes = selftest(device)
    assert all(outcome.passed for outcome in outcomes), outcomes
    tables = {"tables and MAP", "SOFTMAX"} & {outcome.name for outcome in outcomes}
    assert len(tables) == (2 if changes["spad_bytes"] >= 2048 else 0)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_for_its_part_only(name, fault):
    device = EmulatorDevice(preset(name), memory_bytes=MEMORY)
    failed, inject = FAULTS[fault]
    inject(device)
    compare(selftest(device), failed)


def test_a_stuck_weight_bit_of_any_cell_is_detected_and_located():
    config = preset("tiny")
    for row, col, bit, state in np.ndindex(config.rows, config.cols, 8, 2):
        device = EmulatorDevice(config, memory_bytes=1 << 14)
        cell_bit(row, col, bit, state)(device)
        outcome, = selftest(device, names=["array cells"])
        assert outcome.detail.startswith(f"1 of 16 wrong: row {row}, column {col}: expected ")


def test_all_faulty_cells_are_counted():
    device = EmulatorDevice(preset("small"), memory_bytes=MEMORY)
    for row, col in ((0, 0), (7, 1), (3, 6)):
        cell_bit(row, col, 2, 1)(device)
    outcome, = selftest(device, names=["array cells"])
    assert outcome.detail.startswith("3 of 64 wrong: row ")
    for cell in ("row 0, column 0", "row 7, column 1", "row 3, column 6"):
        assert cell in outcome.detail


def test_the_location_of_a_fault_is_reported():
    for fault, location in (
            ("host byte 0x1801", "first 0x1801:"), ("tile 5", "tile 5, byte 0:"),
            ("scratchpad byte 1029", "first 0x405:"),
            ("accumulator of the upper half", "row 33, column 0:"),
            ("last tile", "tile 31, byte 15:"), ("table B", "byte 127, lane "),
            ("shift of channel 5", "1 of 32 wrong: channel 5:")):
        device = EmulatorDevice(preset("tiny"), memory_bytes=MEMORY)
        FAULTS[fault][1](device)
        outcome, = [outcome for outcome in selftest(device) if outcome.status == "failed"]
        assert location in outcome.detail, (fault, outcome)


def test_an_unexplained_fault_at_one_location_is_reported():
    device = EmulatorDevice(preset("tiny"), memory_bytes=MEMORY)
    masked_everywhere_else(device)
    outcome, = [outcome for outcome in selftest(device) if not outcome.passed]
    assert outcome.name == "array cells" and outcome.detail.startswith(
        "wrong only with weight tiles from 0, accumulator rows from 0, ")


@pytest.mark.parametrize("line", [18, 22])
def test_all_address_lines_of_a_large_memory_are_checked(line):
    size = 1 << 23
    device = EmulatorDevice(preset("tiny"), memory_bytes=size)
    assert selftest(device, names=["host memory"])[0].detail == (
        f"of {size} bytes the first 262144, and 1031 blocks of 64 bytes beyond, one at each "
        "address line")
    host_address_line(line)(device)
    compare(selftest(device), "host memory")


class Line:
    """A line to a board in this process, which breaks after ``left`` more bytes."""

    def __init__(self, board, *, left=None, mute=False, lose=0):
        self.link, self.left, self.mute, self.lose = board._link, left, mute, lose
        self.waiting = b""

    def write(self, data):
        self.lose -= len(data)
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0 and self.mute:
                return
            if self.left < 0:
                raise LinkError("/dev/ttyUSB0 cannot be written to: gone")
        if -len(data) <= self.lose < 0:
            return
        self.waiting += self.link.feed(data)

    def read(self, seconds):
        data, self.waiting = self.waiting, b""
        if not data:
            self.link.silence()
        return data


def board_outcomes(inject=lambda device: None, cut_after="", **options):
    """Return outcomes and reports; the line breaks during the check after ``cut_after``."""
    board = EmulatedBoard(preset("tiny"), memory_bytes=MEMORY, baud=1_000_000)
    inject(board._link.emulator)
    line, reports = Line(board, **options), []

    def report(outcome):
        reports.append(outcome)
        if outcome.name == cut_after:
            line.left = 300
    return selftest(SerialDevice(line), report=report), reports


def test_a_board_without_faults_passes():
    outcomes, reports = board_outcomes()
    assert all(outcome.passed for outcome in outcomes), outcomes
    assert [outcome.name for outcome in outcomes] == list(CHECKS) and reports == outcomes


@pytest.mark.parametrize("fault", ["host byte 0x10", "scratchpad byte 1029", "last tile",
                                   "CAP_ARRAY", "no write to registers"])
def test_a_fault_of_a_board_is_reported_for_its_part_only(fault):
    failed, inject = FAULTS[fault]
    compare(board_outcomes(inject)[0], failed)


@pytest.mark.parametrize("mute", [False, True])
@pytest.mark.parametrize("during", ["host memory", "DMA", "array cells", "SOFTMAX"])
def test_remaining_checks_are_left_out_after_the_link_breaks(during, mute):
    names = list(CHECKS)
    at = names.index(during)
    outcomes, reports = board_outcomes(cut_after=names[at - 1], mute=mute)
    assert [outcome.name for outcome in outcomes] == names
    assert all(outcome.passed for outcome in reports[:at])
    assert (reports[at].name, reports[at].status) == ("host link", "failed")
    assert reports[at].detail.startswith(
        "the board has stopped answering" if mute else "/dev/ttyUSB0 cannot be written to")
    assert [outcome.name for outcome in reports[at + 1:]] == names[at:]
    assert {(outcome.status, outcome.detail) for outcome in reports[at + 1:]} == {
        ("not checked", "needs host link")}
    assert outcomes == [reports[at], *reports[1:at], *reports[at + 1:]]


@pytest.mark.parametrize("mute", [False, True])
def test_a_link_that_never_works_is_the_only_failed_part(mute):
    outcomes, reports = board_outcomes(left=9_000, mute=mute)
    compare(outcomes, "host link")
    assert outcomes == reports


def test_a_lost_frame_is_a_fault_of_the_link():
    outcomes, _ = board_outcomes(lose=9_000)
    compare(outcomes, "host link")
    assert "had to be sent again" in outcomes[0].detail


def test_a_device_that_stays_busy_is_not_tested_further():
    def busy(device):
        read = device.read_register
        device.read_register = lambda name: read(name) | (name == "STATUS")
    device = EmulatorDevice(preset("tiny"), memory_bytes=MEMORY)
    busy(device)
    outcomes = selftest(device)
    compare(outcomes, "registers")
    assert outcomes[1].detail == "STATUS.BUSY stays set after a soft reset"


def test_a_program_that_never_ends_stops_the_self_test():
    device = EmulatorDevice(preset("tiny"), memory_bytes=MEMORY)
    wait, calls = device.wait, []

    def hang(limit=None):
        calls.append(limit)
        if len(calls) > 8:
            device.registers.set("STATUS", BUSY=1)
        wait(limit)
    device.wait = hang
    outcomes = selftest(device)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert len(failed) == 1 and failed[0].detail.startswith("the program is deadlocked")
    rest = outcomes[outcomes.index(failed[0]) + 1:]
    assert {outcome.status for outcome in rest} == {"not checked"}
    assert all(limit for limit in calls) and len(calls) == 9


def test_the_command_prints_the_checks_that_were_left_out(capsys, monkeypatch):
    monkeypatch.setattr(EmulatorDevice, "_read", lambda self, addr, size: bytes(size))
    for options in ((), ("--json",)):
        with pytest.raises(SystemExit) as stop:
            main(["selftest", "--preset", "tiny", "--on", "emulator", *options])
        assert stop.value.code == 1
    lines, facts = capsys.readouterr().out.split("{", 1)
    lines, facts = lines.splitlines(), json.loads("{" + facts)
    assert lines[0] == "ok      identity"
    assert lines[2].startswith("FAILED  host memory          ")
    assert lines[3] == "-       DMA                  not checked: needs host memory"
    assert (facts["failed"], facts["not_checked"]) == (1, len(lines) - 3)
    assert facts["checks"][3] == {"name": "DMA", "status": "not checked", "passed": False,
                                  "detail": "needs host memory"}
