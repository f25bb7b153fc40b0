"""``weft explain``: consistent figures, correct predictions of changes, a self-contained page."""

import dataclasses
import functools
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from weft.spec.presets import preset
from weft_host import compile
from weft_host.cli import main
from weft_host.perf import hardware_changes
from weft_host.perf.charts import MOST_RECTANGLES
from weft_host.perf.cycle_model import predict
from weft_host.perf.explain import explain
from weft_host.perf.explain_page import page
from weft_host.perf.hardware_changes import predict_changes, usable_processors

MODEL = Path(__file__).resolve().parents[3] / "examples" / "digits" / "digits.tflite"
UNITS = ("LOAD", "MATMUL", "VECTOR", "STORE")


@pytest.fixture(scope="module")
def found():
    config = preset("small")
    return explain(compile(MODEL, config), recompile=lambda config: compile(MODEL, config))


@pytest.fixture
def weft(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["explain", str(MODEL), *map(str, arguments)])
        out, err = capsys.readouterr()
        assert stop.value.code == 0, err
        return out
    return call


def test_layers_add_up(found):
    total = found.total
    assert total.macs == sum(layer.macs for layer in found.layers) == 92_400
    assert total.ideal == 92_400 / 64 == pytest.approx(sum(layer.ideal for layer in found.layers))
    # the interrupt comes a few cycles after the last instruction is done
    assert 0 <= total.predicted - sum(layer.predicted for layer in found.layers) < 16
    assert [layer.first for layer in found.layers] == sorted(layer.first for layer in found.layers)
    instructions = 32 * compile(MODEL, preset("small")).instruction_count
    assert total.bytes_read == instructions + sum(layer.bytes_read for layer in found.layers)
    assert total.bytes_written == sum(layer.bytes_written for layer in found.layers) == 10
    for layer in (*found.layers, total):
        assert all(0 <= layer.busy[unit] <= layer.predicted for unit in UNITS)
        assert layer.busy[layer.limit] == max(layer.busy.values())
        assert 0 <= layer.roof <= 64


def test_each_unit_is_busy_or_waits_in_every_cycle(found):
    for unit in found.units:
        assert unit.busy + sum(unit.waiting.values()) == found.total.predicted, unit
        assert unit.busy == pytest.approx(found.total.busy[unit.unit])
        assert unit.unit not in unit.waiting and min(unit.waiting.values()) > 0
    matmul, = (unit for unit in found.units if unit.unit == "MATMUL")
    assert matmul.waiting["VECTOR"] > 0 and matmul.waiting["LOAD"] > 0


def test_suggested_changes_save_the_predicted_cycles(found):
    assert [change.cycles for change in found.helps] == sorted(
        change.cycles for change in found.helps)
    config = preset("small")
    by_name = {change.what: change for change in found.helps}
    wide = predict(compile(MODEL, config),
                   config=dataclasses.replace(config, bus_width=128)).cycles
    assert by_name["host memory twice as wide"].cycles == wide < found.total.predicted
    larger = dataclasses.replace(config, cols=16, wgt_bytes=8192)
    assert by_name["array with twice the columns"].cycles == predict(
        compile(MODEL, larger)).cycles
    for change in found.helps:
        assert change.saved == pytest.approx(1 - change.cycles / found.total.predicted, abs=1e-5)
    assert "host memory with twice the bandwidth" not in by_name, "the bandwidth is 1 already"


def test_invalid_changes_are_left_out():
    config = dataclasses.replace(preset("tiny"), vector_lanes=4)        # as many as columns
    program = compile(MODEL, config)
    names = [change.what for change in predict_changes(program, 1000, 20, 0.5)]
    assert "vector lanes doubled" not in names and "queues twice as deep" in names
    assert "host memory with twice the bandwidth" in names
    assert not any("array" in name or name == "scratchpad doubled" for name in names), \
        "without a compiler, the program stays the same"


def test_several_processes_predict_the_same_changes(found, monkeypatch):
    monkeypatch.setattr(hardware_changes, "LONG", 1)
    program = compile(MODEL, preset("small"))
    heard = []
    helps = predict_changes(program, found.total.predicted, 20, 1.0,
                            functools.partial(compile, MODEL), jobs=2, progress=heard.append)
    assert helps == found.helps
    assert heard[0] == "predicting the effect of change 1 of 11"
    assert heard[-1] == "predicting the effect of change 11 of 11" and len(heard) == 12
    assert 1 <= usable_processors() <= 4


def test_slow_memory_is_found_to_be_the_bottleneck():
    config = preset("small")
    found = explain(compile(MODEL, config), latency=100, bandwidth=0.25)
    assert found.helps[0].what.startswith("host memory") and found.helps[0].saved > 0.1
    assert "host memory with twice the bandwidth" in [change.what for change in found.helps]


def test_the_page_is_self_contained(found):
    text = page(found, 64, 8.0)
    assert not re.search(r"(src|href|url\()", text.replace("http://www.w3.org/2000/svg", ""))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    drawings = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.S)]
    assert len(drawings) == 3
    timeline, bars, roofline = ({kind: list(svg.iter(f"{{http://www.w3.org/2000/svg}}{kind}"))
                                 for kind in ("rect", "circle", "polyline")} for svg in drawings)
    assert len(timeline["rect"]) == len(found.spans) + len(found.layers)
    assert len(bars["rect"]) == 2 * len(found.layers)
    assert len(roofline["polyline"]) == 1
    assert len(roofline["circle"]) == sum(bool(layer.macs and layer.intensity)
                                          for layer in found.layers)
    for drawing in drawings:
        for rect in drawing.iter("{http://www.w3.org/2000/svg}rect"):
            x, width = float(rect.get("x")), float(rect.get("width"))
            assert 0 <= x and x + width <= 1100.5 and width > 0
    for layer in found.layers:
        assert layer.name in text
    assert page(found, 64, 8.0) == text


def test_a_long_timeline_merges_instructions(found):
    times = MOST_RECTANGLES // len(found.spans) + 2
    long = dataclasses.replace(found, spans=[
        dataclasses.replace(span, index=span.index + 1) for _ in range(times)
        for span in found.spans])
    text = page(long, 64, 8.0)
    assert text.count("<rect") < len(long.spans) / 2 and "instructions from" in text


def test_names_are_escaped_in_the_page(found):
    odd = dataclasses.replace(found.total, what="<script>alert(1)</script>")
    assert "<script" not in page(dataclasses.replace(found, total=odd), 64, 8.0)


def test_command_writes_json_and_page(weft, tmp_path):
    facts = json.loads(weft("--preset", "ulx3s", "--json", "--html", tmp_path / "page.html"))
    assert facts["total"]["measured"] is None and facts["preset"] == "ulx3s"
    assert {"layers", "units", "helps", "counters"} <= set(facts) and "spans" not in facts
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
    out = weft("--preset", "ulx3s")
    assert re.search(r"^all +92,400 ", out, re.MULTILINE) and "effect of changes:" in out
    assert re.search(r"  .*: [\d,]+ cycles, -\d+\.\d %", out)


def test_command_with_a_measured_run(weft):
    facts = json.loads(weft("--preset", "tiny", "--measure", "--json"))
    total = facts["total"]
    assert abs(total["predicted"] / total["measured"] - 1) < 0.02
    assert facts["counters"]["MAC_BUSY"] > 1000
    assert sum(layer["measured"] for layer in facts["layers"]) <= total["measured"]
