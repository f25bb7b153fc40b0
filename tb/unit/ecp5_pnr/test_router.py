"""Routes: the route of each net is complete, and no wire belongs to two nets."""

import random
import re

import pytest

from support.placed import Placed
from support.routed import (
    COLUMNS,
    ROWS,
    check_disjoint,
    check_routes,
    path_to,
    random_design,
    routed,
)


@pytest.mark.parametrize("seed", range(3))
def test_each_sink_has_a_route_and_no_wire_two_nets(seed, folder):
    print("seed", seed)
    design = random_design(random.Random(seed), 1000)
    routes, left = routed(design, folder, seed=seed)
    check_disjoint(routes)
    assert not left
    assert check_routes(design, routes) > 100       # of thousands of inputs


def test_a_full_block_of_tiles_is_routed(folder):
    """Every bel of 6 by 4 tiles is used, and each LUT has four inputs from anywhere."""
    design = random_design(random.Random(1), 6 * 4 * 16, COLUMNS[:6], ROWS[:4])
    routes, _ = routed(design, folder)
    check_disjoint(routes)
    check_routes(design, routes)
    rounds = (folder / "route-1.log").read_text().splitlines()
    assert int(re.search(r"(\d+) shared wires", rounds[0])[1]) > 50     # so negotiation is needed


@pytest.mark.parametrize("mode", ["CCU2", "DPRAM"])
def test_inputs_with_different_meanings_are_not_permuted(mode, folder):
    design = random_design(random.Random(mode), 600)
    for cell in design.cells.values():
        if cell["type"] == "TRELLIS_COMB":
            cell["parameters"]["MODE"] = mode
    routes, _ = routed(design, folder)
    check_disjoint(routes)
    assert (check_routes(design, routes, mode) > 0) == (mode == "CCU2")


def test_arcs_within_a_slice_and_to_other_sites(folder):
    """Carries, wide multiplexers, a distributed RAM with its write port, an FF behind a LUT, a
    block RAM and a multiplier."""
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
    routes, left = routed(design, folder)
    check_disjoint(routes)
    for bit, wires in {
            q: ["X12/Y5/A0_SLICE", "X15/Y5/M4_SLICE", "X16/Y5/A4_SLICE", "X16/Y5/CE0_SLICE"],
            last: ["X15/Y5/A4_SLICE"],
            wide: ["X16/Y5/D5_SLICE", "X16/Y5/WRE0_SLICE", "X16/Y5/LSR0_SLICE"],
            write[0]: ["X16/Y5/WD0A_SLICE"], write[1]: ["X16/Y5/WAD0A_SLICE"],
            read: ["X16/Y5/DI0_SLICE", "X4/Y25/JADA3_EBR"],
            out: ["X13/Y13/JA0_MULT18"], product: ["X15/Y6/B0_SLICE"]}.items():
        for wire in wires:
            path_to(routes[bit], wire)
    assert not routes[low] and not left         # source and sink are the same wire
    carried = design.cells["chain_7"]["connections"]["FCO"][0]
    assert "X13/Y5/FCI_SLICE" in routes[carried]
    assert not routes[clock]                    # routed by nextpnr


@pytest.mark.parametrize("kind, tile", [("IOLOGIC", "X72/Y14"), ("SIOLOGIC", "X6/Y0")])
def test_registers_of_pins_are_routed(kind, tile, folder):
    """Their arcs cross the fabric, where nextpnr finds few free wires beside routes that it must
    not change."""
    design = Placed()
    clock = design.bit()
    out = design.add("out", "TRELLIS_FF", "X20/Y5/SLICEA.FF0", ("Q",), CLK=clock)
    back = design.add("pin", kind, f"{tile}/{kind}A", ("RXDATA0",), {"MODE": "IREG_OREG"},
                      CLK=clock, TXDATA0=out, TSDATA0=out, LSR=out, CE=out)
    design.add("in", "TRELLIS_FF", "X21/Y5/SLICEA.FF0", ("Q",), CLK=clock, M=back)
    routes, left = routed(design, folder)
    for port in ("TXDATA0", "TSDATA0", "LSR", "CE"):
        assert path_to(routes[out], f"{tile}/J{port}A_{kind}")[-1] == "X20/Y5/Q0_SLICE"
    assert path_to(routes[back], "X21/Y5/M0_SLICE")[-1] == f"{tile}/JRXDATA0A_{kind}"
    assert not routes[clock] and not left


def test_clocks_are_routed_to_the_clock_network(folder):
    """From the pad to the PLL and a few FFs, from the PLL to its feedback input, and to the clock
    enable of the network."""
    design = Placed()
    pad = design.add("pad", "TRELLIS_IO", "X0/Y26/PIOA", ("O",), {"DIR": "INPUT"})
    fast = design.add("pll", "EHXPLLL", "X2/Y49/EHXPLL_LL", ("CLKOP",), CLKI=pad,
                      CLKFB=design.bits + 1)
    enable = design.add("enable", "TRELLIS_FF", "X5/Y23/SLICEB.FF1", ("Q",), CLK=pad)
    clock = design.add("gate", "DCCA", "X3/Y25/LDCC3", ("CLKO",), CLKI=fast, CE=enable)
    ends = [design.add(f"fast_{letter}", "TRELLIS_FF", f"X5/Y23/SLICE{letter}.FF0", ("Q",),
                       CLK=clock, M=enable) for letter in "AC"]
    routes, left = routed(design, folder, clocks=[clock])
    for wire in ("X2/Y49/CLKI_PLL", "X5/Y23/CLK1_SLICE"):
        assert path_to(routes[pad], wire)[-1] == "X0/Y26/JPADDIA_PIO"
    assert path_to(routes[fast], "X2/Y49/CLKFB_PLL")[-1] == "X2/Y49/JCLKOP_PLL"
    assert "X5/Y23/Q3_SLICE" == path_to(routes[enable], "X0/Y0/G_JCE_LDCC3")[-1]
    assert not routes[clock] and not any(routes[end] for end in ends) and not left
    check_disjoint(routes)


def test_critical_arcs_are_preferred(folder):
    """In a full block of tiles, the critical path is shorter if the required clock is faster."""
    paths = {}
    for mhz in (20, 160):
        design = random_design(random.Random(7), 6 * 4 * 12, COLUMNS[:6], ROWS[:4])
        check_disjoint(routed(design, folder, mhz=mhz)[0])
        last = (folder / "route-1.log").read_text().splitlines()[-1]
        paths[mhz] = float(re.search(r"critical path ([\d.]+) ns", last)[1])
    assert paths[160] < 0.95 * paths[20]


def test_an_arc_without_a_path_is_left(folder):
    """The input DI of an FF has a path only from the LUT in front of the FF."""
    design = Placed()
    design.bit()
    f = design.add("table", "TRELLIS_COMB", "X10/Y5/SLICEA.K0", ("F",), {"MODE": "LOGIC"})
    design.add("register", "TRELLIS_FF", "X20/Y5/SLICEA.FF0", ("Q",), CLK=1, DI=f)
    design.add("behind", "TRELLIS_FF", "X20/Y5/SLICEB.FF0", ("Q",), CLK=1, M=f)
    routes, left = routed(design, folder)
    assert left == 1
    assert "X20/Y5/M2_SLICE" in routes[f] and "X20/Y5/DI0_SLICE" not in routes[f]


def test_an_arc_without_a_free_wire_is_left(folder):
    """Two nets need the one clock-enable wire of a slice."""
    design = Placed()
    design.bit()
    one, other = (design.add(f"register_{at}", "TRELLIS_FF", f"X10/Y5/SLICE{'AB'[at]}.FF0", ("Q",),
                             CLK=1) for at in range(2))
    for number, (half, bit) in enumerate([(0, one), (1, other)]):
        design.add(f"enabled_{number}", "TRELLIS_FF", f"X20/Y5/SLICEA.FF{half}", ("Q",), CLK=1,
                   CE=bit, M=one)
    routes, left = routed(design, folder)
    check_disjoint(routes)
    assert left == 1
    assert sum("X20/Y5/CE0_SLICE" in route for route in routes.values()) == 1


def test_the_same_design_gets_the_same_routes(folder):
    one, other = (routed(random_design(random.Random(3), 300), folder) for _ in range(2))
    assert one == other
