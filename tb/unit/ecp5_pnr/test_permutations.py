"""LUT inputs that a router must not permute."""

import json

import pytest

from ecp5_pnr.permutations import forbidden_permutations


def netlist(path, mode, *pairs):
    """Write a routed netlist with a LUT at X3/Y4/SLICEB.K1, whose inputs are permuted as given."""
    path.write_text(json.dumps({"modules": {"top": {
        "cells": {"cell": {"type": "TRELLIS_COMB", "parameters": {"MODE": mode} if mode else {},
                         "attributes": {"NEXTPNR_BEL": "X3/Y4/SLICEB.K1"}}},
        "netnames": {f"net_{physical}": {"bits": [at], "attributes": {
            "ROUTING": f"X1/Y4/F0_SLICE;;1;X3/Y4/{physical}3;X1/Y4/0_0_F0->2_0_H02E0001;1;"
                       f"X3/Y4/{logical}3_SLICE;X3/Y4/0_0_{physical}3->0_0_{logical}3_SLICE;1"}}
            for at, (physical, logical) in enumerate(pairs)}}}}))
    return path


@pytest.mark.parametrize(("mode", "pairs", "allowed"), [
    (None, ("AC", "CA", "BD", "DB"), True),
    ("CCU2", ("AB", "BA", "CC", "DD"), True),
    ("CCU2", ("AC", "CA"), False),
    ("DPRAM", ("AA", "BB", "CC", "DD"), True),
    ("DPRAM", ("AB", "BA"), False),
    ("RAMW_BLOCK", ("CD",), False),
])
def test_forbidden_permutations_are_found(mode, pairs, allowed, tmp_path):
    assert forbidden_permutations(netlist(tmp_path / "routed.json", mode, *pairs)) \
        == ([] if allowed else ["cell"])


def test_a_permutation_at_another_lut_is_ignored(tmp_path):
    path = netlist(tmp_path / "routed.json", "CCU2", "AC")
    path.write_text(path.read_text().replace("X3/Y4/SLICEB.K1", "X3/Y4/SLICEB.K0"))
    assert not forbidden_permutations(path)
