"""The wheel, installed into an empty environment outside of the tree."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest

from weft_boards import board_names

ROOT = pathlib.Path(__file__).resolve().parents[3]
DIGITS = ROOT / "examples" / "digits"


def run(*command, cwd):
    """Run a command in ``cwd`` without the tree's paths, and return what it printed."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # a copy: setuptools would leave its own folders in the tree, and pack what it finds in them
    source = folder / "source"
    for package in ("hdl/weft", "sw/weft_host", "boards/weft_boards"):
        shutil.copytree(ROOT / package, source / package,
                        ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir",
        "--wheel-dir", folder, source, cwd=folder)
    path, = folder.glob("weft-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The ``bin`` folder of an environment with the wheel.

    The packages that Weft depends on are those of this environment: a path file adds its folder
    without the hooks in it, so that the editable Weft of the tree is not found.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = pathlib.Path(run(python, "-c", "import site; print(site.getsitepackages()[0])",
                            cwd=folder).strip())
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index",
        "--no-cache-dir", wheel, cwd=folder)
    packages = pathlib.Path(pytest.__file__).parents[1]
    (site / "dependencies.pth").write_text(f"{packages}\n")
    return folder / "bin"


def test_holds_what_runs_and_what_is_compiled_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"weft/accelerator.py", "weft_host/py.typed", "weft_host/device/cxxrtl_driver.cc",
            "weft_boards/icebreaker.py"} <= set(names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "weft", "weft_boards", "weft_host"}


def test_does_not_come_from_the_tree(installed, tmp_path):
    code = "import weft, weft_boards, weft_host; print(weft.__file__, weft_boards.__file__, " \
           "weft_host.__file__)"
    assert str(ROOT) not in run(installed / "python", "-c", code, cwd=tmp_path)


def test_knows_the_boards(installed, tmp_path):
    code = ("from weft_boards import board, board_names\n"
            "for name in board_names(): print(name, board(name).config.rows)")
    lines = run(installed / "python", "-c", code, cwd=tmp_path).split("\n")
    assert [line.split()[0] for line in lines if line] == board_names()


def test_checks_compiles_runs_and_writes_verilog(installed, tmp_path):
    weft = installed / "weft"
    assert "CONV_2D" in run(weft, "check", DIGITS / "digits.tflite", cwd=tmp_path)
    run(weft, "compile", DIGITS / "digits.tflite", "--preset", "small", "-o", "digits.weft",
        cwd=tmp_path)
    run(weft, "run", "digits.weft", "--input", DIGITS / "digits.npz", "--on", "emulator",
        cwd=tmp_path)
    run(weft, "verilog", "--preset", "tiny", "-o", "weft.v", cwd=tmp_path)
    assert "module weft" in (tmp_path / "weft.v").read_text()


def test_runs_on_the_simulated_hardware(installed, tmp_path):
    code = ("import weft_host, numpy as np\n"
            "from weft.spec.presets import preset\n"
            f"program = weft_host.compile({str(DIGITS / 'digits.tflite')!r}, preset('tiny'))\n"
            "image = np.zeros((1, 8, 8, 1), np.int8)\n"
            "emulator = weft_host.EmulatorDevice(preset('tiny'))\n"
            "with weft_host.RtlDevice(preset('tiny')) as rtl:\n"
            "    results = [list(device.run(program, [image]).outputs.values())[0]\n"
            "               for device in (emulator, rtl)]\n"
            "assert (results[0] == results[1]).all()\n")
    run(installed / "python", "-c", code, cwd=tmp_path)
