"""Refined placements: a shorter critical path, and each cell on a legal bel."""

import json
import random
import re

import pytest

from ecp5_pnr.native import compile_programs
from ecp5_pnr.refiner import refine
from support.placed import Placed

PERIOD = 2.0
COLUMNS, ROWS = range(2, 14), range(2, 8)
SITES = {"MULT18X18D": ("X4/Y8/MULT18_0", "X5/Y8/MULT18_1", "X9/Y8/MULT18_0"),
         "DP16KD": ("X4/Y9/EBR0", "X7/Y9/EBR2")}
PINS = {"pin_a": "X0/Y5/PIOA", "pin_b": "X0/Y5/PIOB"}


def refined(design, folder, period=PERIOD, **options):
    """Return the lines of the log, and the bel of each cell."""
    design.write(folder / "placed.json")
    lines = refine(folder, "placed.json", "refined.json", mhz=1e3 / period, **options)
    cells = json.loads((folder / "refined.json").read_text())["modules"]["top"]["cells"]
    assert not any("NEXTPNR_BEL" in cell["attributes"] for cell in cells.values())
    return lines, {name: cell["attributes"]["BEL"] for name, cell in cells.items()}


def tile(bel):
    x, y = re.match(r"X(\d+)/Y(\d+)/", bel).groups()
    return int(x), int(y)


def site(bel):
    return bel.split("/")[2]


def critical_path(line):
    return float(re.search(r"critical path ([\d.]+) ns", line)[1])


def add_border(design):
    """Add an FF to each tile of the border, since a device has the tiles that have cells."""
    for x in (COLUMNS[0], COLUMNS[-1]):
        for y in ROWS:
            design.add(f"corner_{x}_{y}", "TRELLIS_FF", f"X{x}/Y{y}/SLICED.FF1", ("Q",), CLK=1)
    for x in COLUMNS:
        design.add(f"edge_{x}", "TRELLIS_FF", f"X{x}/Y{ROWS[0]}/SLICED.FF0", ("Q",), CLK=1)


def test_a_distant_cell_moves_to_its_neighbours(folder):
    design = Placed()
    design.bit()
    add_border(design)
    q = design.add("source", "TRELLIS_FF", "X2/Y2/SLICEA.FF0", ("Q",), CLK=1)
    f = design.add("table", "TRELLIS_COMB", "X13/Y7/SLICEA.K0", ("F",), A=q)
    design.add("sink", "TRELLIS_FF", "X2/Y3/SLICEA.FF0", ("Q",), CLK=1, M=f)
    lines, bels = refined(design, folder)
    assert critical_path(lines[0]) > PERIOD > critical_path(lines[-1])
    (x, y), (to_x, to_y) = tile(bels["source"]), tile(bels["table"])
    assert abs(x - to_x) + abs(y - to_y) < 4


def test_a_cell_that_shares_a_tile_with_a_ram_may_leave_it(folder):
    design = Placed()
    design.bit()
    add_border(design)
    pin = design.add("pin_a", "TRELLIS_IO", "X0/Y5/PIOA", ("O",))
    table = design.add("unrelated", "TRELLIS_COMB", "X12/Y7/SLICED.K0", ("F",), A=pin)
    design.add("sink", "TRELLIS_FF", "X2/Y5/SLICEA.FF0", ("Q",), CLK=1, M=table)
    far = design.add("pin_b", "TRELLIS_IO", "X15/Y5/PIOA", ("O",))
    design.add("write", "TRELLIS_RAMW", "X12/Y7/SLICEC.RAMW", ("WDO0",), A0=far)
    design.add("memory", "TRELLIS_COMB", "X12/Y7/SLICEA.K0", ("F",), {"MODE": "DPRAM"}, WRE=far)
    bels = refined(design, folder, rounds=60)[1]
    assert tile(bels["memory"]) == tile(bels["write"])
    assert tile(bels["unrelated"])[0] < 6 < 10 < tile(bels["memory"])[0]


def random_design(generator):
    """Return a design with all kinds of clusters at random bels, and the cells of the clusters."""
    design, together = Placed(), []
    design.bit()
    clocks, enables = [1, design.bit()], [design.bit() for _ in range(3)]
    add_border(design)
    signals = [design.add("seed", "TRELLIS_FF", "X2/Y3/SLICEA.FF0", ("Q",), CLK=1)]
    free = [(x, y) for x in COLUMNS[1:-2] for y in ROWS[1:]]
    generator.shuffle(free)

    def any_signal():
        return generator.choice(signals)

    for number in range(6):             # carry chains over two tiles
        x, y = next((x, y) for x, y in free if (x + 1, y) in free)
        free.remove((x, y))
        free.remove((x + 1, y))
        carry, chain = None, []
        for at in range(12):
            name = f"chain_{number}_{at}"
            bel = f"X{x + at // 8}/Y{y}/SLICE{'ABCD'[at % 8 // 2]}.K{at % 2}"
            carry, f = design.add(name, "TRELLIS_COMB", bel, ("FCO", "F"), {"MODE": "CCU2"},
                                  A=any_signal(), **({"FCI": carry} if carry else {}))
            signals.append(f)
            chain.append(name)
        together.append(chain)
    for number in range(3):             # distributed RAMs
        x, y = free.pop()
        name = f"memory_{number}"
        outputs = design.add(f"{name}_write", "TRELLIS_RAMW", f"X{x}/Y{y}/SLICEC.RAMW",
                             ("WDO0", "WADO0"), A0=any_signal())
        parts = [f"{name}_write"]
        for at in range(4):
            signals.append(design.add(
                f"{name}_{at}", "TRELLIS_COMB", f"X{x}/Y{y}/SLICE{'AB'[at // 2]}.K{at % 2}",
                ("F",), {"MODE": "DPRAM"}, A=any_signal(), WD=outputs[0], WAD0=outputs[1]))
            parts.append(f"{name}_{at}")
        together.append(parts)
    x, y = free.pop()                   # a constant, and the FF that it drives
    constant = design.add("$PACKER_VCC", "TRELLIS_COMB", f"X{x}/Y{y}/SLICEA.K0", ("F",))
    signals.append(design.add("constant_q", "TRELLIS_FF", f"X{x}/Y{y}/SLICEA.FF0", ("Q",),
                              CLK=1, DI=constant, LSR=any_signal()))
    together.append(["$PACKER_VCC", "constant_q"])
    for number in range(2):             # multiplexers of four LUTs, in a pair of slices
        x, y = free.pop()
        halves = []
        for slice_ in "CD":
            name = f"mux_{number}_{slice_}"
            f = design.add(f"{name}_b", "TRELLIS_COMB", f"X{x}/Y{y}/SLICE{slice_}.K1",
                           ("F", "OFX") if slice_ == "C" else ("F",), A=any_signal())
            f = f if isinstance(f, int) else f[0]
            halves.append(design.add(f"{name}_a", "TRELLIS_COMB", f"X{x}/Y{y}/SLICE{slice_}.K0",
                                     ("OFX",), A=any_signal(), M=any_signal(), F1=f))
        wide = design.cells[f"mux_{number}_C_b"]
        for port, bit in zip(("FXA", "FXB", "M"), (*halves, any_signal())):
            wide["connections"][port] = [bit]
            wide["port_directions"][port] = "input"
        signals.append(wide["connections"]["OFX"][0])
        together.append([f"mux_{number}_{half}" for half in ("C_a", "C_b", "D_a", "D_b")])
    for kind, sites in SITES.items():   # one on each site
        for number, bel in enumerate(sites):
            signals.append(design.add(f"{kind}_{number}", kind, bel, ("P0",), A0=any_signal()))
    for name, bel in PINS.items():
        design.add(name, "TRELLIS_IO", bel, I=any_signal())
    for number, (x, y) in enumerate(free):
        kind = generator.randrange(4)
        clock, enable = generator.choice(clocks), generator.choice(enables)
        name, tile_ = f"cell_{number}", f"X{x}/Y{y}/SLICE"
        if kind == 0:
            signals.append(design.add(name, "TRELLIS_COMB", f"{tile_}B.K1", ("F",), A=any_signal(),
                                      B=any_signal()))
        elif kind == 1:
            signals.append(design.add(name, "TRELLIS_FF", f"{tile_}A.FF1", ("Q",), CLK=clock,
                                      CE=enable, M=any_signal()))
        elif kind == 2:
            f = design.add(name, "TRELLIS_COMB", f"{tile_}D.K0", ("F",), A=any_signal())
            signals.append(design.add(f"{name}_q", "TRELLIS_FF", f"{tile_}D.FF0", ("Q",),
                                      CLK=clock, CE=enable, DI=f))
            together.append([name, f"{name}_q"])
        else:
            f = design.add(name, "TRELLIS_COMB", f"{tile_}C.K1", ("F",), A=any_signal())
            signals.append(design.add(f"{name}_wide", "TRELLIS_COMB", f"{tile_}C.K0", ("OFX",),
                                      A=any_signal(), M=any_signal(), F1=f))
            together.append([name, f"{name}_wide"])
    return design, together


def check_legal(design, together, bels):
    """Check that each cell is on a bel where it may be."""
    assert len(set(bels.values())) == len(bels)
    assert PINS.items() <= bels.items()
    for name, bel in bels.items():
        kind = design.cells[name]["type"]
        if name in PINS:
            continue
        if kind in SITES:
            assert bel in SITES[kind]
            continue
        assert re.search({"TRELLIS_COMB": r"\.K[01]$", "TRELLIS_FF": r"\.FF[01]$",
                          "TRELLIS_RAMW": r"SLICEC\.RAMW$"}[kind], bel)
    for names in together:
        before = [design.cells[name]["attributes"]["NEXTPNR_BEL"] for name in names]
        after = [bels[name] for name in names]
        by = [tuple(b - a for a, b in zip(tile(old), tile(new)))
              for old, new in zip(before, after)]
        assert len(set(by)) == 1, (names, before, after)
        if names[0].startswith(("chain", "memory", "mux")):
            assert list(map(site, before)) == list(map(site, after))
        else:                           # in the same half, or in the same slice
            first, second = map(site, after)
            assert first[:6] == second[:6]
            assert ("K1", "K0") == (first[7:], second[7:]) if names[1].endswith("_wide") \
                else first[-1] == second[-1]
    tiles = {}
    for name, bel in bels.items():
        if "SLICE" in bel:
            tiles.setdefault(tile(bel), {})[site(bel)] = name
    for cells in tiles.values():
        connections = {where: design.cells[name]["connections"] for where, name in cells.items()}
        registers = [where for where in cells if ".FF" in where]
        assert len({connections[where]["CLK"][0] for where in registers}) <= 1
        for where in registers:
            other = connections.get(where[:-1] + str(1 - int(where[-1])))
            if other:
                assert other.get("CE") == connections[where].get("CE")
            table = connections.get(where.replace("FF", "K"), {})
            assert not ("M" in table and "M" in connections[where])
        if "SLICEC.RAMW" in cells:
            assert all(name.startswith("memory") for where, name in cells.items()
                       if where[:-1] in ("SLICEA.K", "SLICEB.K", "SLICEC.K"))


@pytest.mark.parametrize("seed", range(4))
def test_the_placement_stays_legal(seed, folder):
    print("seed", seed)
    design, together = random_design(random.Random(seed))
    lines, bels = refined(design, folder, rounds=100, seed=seed)
    check_legal(design, together, bels)
    moved = sum(design.cells[name]["attributes"]["NEXTPNR_BEL"] != bel
                for name, bel in bels.items())
    assert moved > len(bels) / 4
    assert re.search(r"moved, [1-9]\d* more after a timing analysis", "\n".join(lines))
    assert critical_path(lines[-1]) < critical_path(lines[0])


def test_the_same_seed_gives_the_same_placement(folder):
    design, _ = random_design(random.Random(1))
    _, one = refined(design, folder, rounds=20, seed=3)
    _, other = refined(design, folder, rounds=20, seed=3)
    assert one == other


def test_a_faster_grade_equals_a_longer_period(folder):
    bels = [refined(random_design(random.Random("grade"))[0], folder, period=period,
                    grade=grade)[1]
            for period, grade in ((3.0, 6), (3.0 / 1.129, 7), (3.0 / 1.295, 8), (3.0, 8))]
    assert bels[0] == bels[1] == bels[2] != bels[3]


def test_a_missing_compiler_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SystemExit, match="^ecp5_pnr needs a C[+][+] compiler: .*'no-such-compiler' "
                                         "is not on PATH.*apt install g[+][+].*: PNR=nextpnr$"):
        compile_programs(tmp_path)


def test_a_failing_compiler_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(SystemExit, match=r"/false cannot compile \S+/ecp5_pnr/native/refiner: $"):
        compile_programs(tmp_path)


def test_a_failing_program_is_reported(folder, monkeypatch):
    monkeypatch.setattr("ecp5_pnr.refiner.RefinementProblem.to_text",
                        lambda self, period: "no numbers\n")
    design, _ = random_design(random.Random(1))
    with pytest.raises(SystemExit, match=r"^refine cannot read its input \(status 2\); its input "
                                         r"is \S+/refine-1\.in, its log \S+/refine-1\.log$"):
        refined(design, folder)


def test_nets_avoid_congested_tiles(folder):
    """400 nets from one side to the other, each through an FF, need three times the wires of three
    rows if they are straight."""
    design = Placed()
    design.bit()
    columns, rows, middle = range(2, 42), range(2, 32), 17
    for x in (columns[0], columns[-1]):
        for y in rows:
            design.add(f"corner_{x}_{y}", "TRELLIS_FF", f"X{x}/Y{y}/SLICED.FF1", ("Q",), CLK=1)
    for x in columns:
        design.add(f"edge_{x}", "TRELLIS_FF", f"X{x}/Y{rows[0]}/SLICED.FF0", ("Q",), CLK=1)
    for net in range(400):
        site = f"SLICE{'ABCD'[net // 2 % 4]}.FF{net % 2}"
        pin = design.add(f"in_{net}", "TRELLIS_IO", f"X0/Y{middle}/PIOA", ("O",))
        q = design.add(f"through_{net}", "TRELLIS_FF",
                       f"X{5 + net // 8 % 30}/Y{middle + net // 240}/{site}", ("Q",), CLK=1, M=pin)
        design.add(f"out_{net}", "TRELLIS_IO", f"X44/Y{middle}/PIOA", I=q)
    first, *_, last = refined(design, folder, period=20)[0]
    before, after = (int(re.search(r"at most (\d+) wires", line)[1]) for line in (first, last))
    assert before > 140 and after < 0.7 * before         # 0.97 without a cost of congestion
