"""Test of ``make setup``: it keeps a usable environment, and a broken one never stays."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
SCRIPTS = ("setup.sh", "environment.sh", "debian.sh")


def run(tree, *command, **variables):
    """Run a command in ``tree``; return status, standard output and error."""
    inherited = {name: value for name, value in os.environ.items()
                 if name not in ("PYTHON", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120,
                          env={**inherited, **variables})
    return done.returncode, done.stdout, done.stderr


def setup(tree, *options, **variables):
    return run(tree, "bash", "scripts/setup.sh", *options, **variables)


def setup_with_full_disk(tree):
    """Run the set-up where no file may exceed 64 KiB, and therefore pip cannot be written."""
    return run(tree, "bash", "-c", "ulimit -f 64; exec bash scripts/setup.sh")


def inspect(tree):
    """Return the version of the environment and its defect."""
    status, found, error = run(tree, "bash", "-euc", ". scripts/environment.sh; "
                               "inspect_environment; printf '%s\n' \"$present\" \"$defect\"")
    assert (status, error) == (0, "")
    return found.splitlines()


@pytest.fixture
def tree(tmp_path):
    """A tree, in a folder with a blank, whose set-up has succeeded."""
    tree = tmp_path / "a tree"
    (tree / "scripts").mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copy(ROOT / "scripts" / name, tree / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tree)
    # as the program does, which records its command in pyvenv.cfg
    venv.main(["--without-pip", str(tree / ".venv")])
    (tree / ".venv" / "lib" / f"python{VERSION}" / "site-packages" / "pip").mkdir()
    (tree / ".venv" / ".weft-setup").touch()
    return tree


def test_a_usable_environment_is_kept(tree):
    assert inspect(tree) == [VERSION, ""]
    assert setup(tree, "--quiet") == (0, "", "")
    status, output, error = setup(tree)
    assert (status, error) == (0, "")
    assert output.endswith(f"s] .venv is up to date, with Python {VERSION}\n")
    assert setup(tree, "--quiet", PYTHON=sys.executable) == (0, "", "")


def test_the_folder_of_results_is_created(tree):
    setup(tree)
    assert (tree / "build").is_dir()


def remove_interpreter(tree):
    for path in (tree / ".venv" / "bin").glob("python*"):
        path.unlink()
    (tree / ".venv" / "bin" / "python").symlink_to(tree / "removed")


def replace_interpreter(tree):
    (tree / ".venv" / "lib" / f"python{VERSION}").rename(tree / ".venv" / "lib" / "python3.9")


def remove_pip(tree):
    (tree / ".venv" / "lib" / f"python{VERSION}" / "site-packages" / "pip").rmdir()


def interrupt(tree):
    (tree / ".venv" / ".weft-setup").rename(tree / ".venv" / ".weft-unfinished")


@pytest.mark.parametrize("damage, version, defect", [
    (remove_interpreter, "", "its Python interpreter is missing or does not run"),
    (replace_interpreter, VERSION, f"its interpreter is now Python {VERSION}, and its packages are "
                                   "for another version"),
    (remove_pip, VERSION, "it has no pip"),
    (interrupt, VERSION, "its set-up did not finish"),
])
def test_a_broken_environment_is_recognised(tree, damage, version, defect):
    damage(tree)
    assert inspect(tree) == [version, defect]


def test_an_environment_of_another_folder_is_recognised(tree):
    moved = tree.rename(tree.with_name("moved"))
    assert inspect(moved) == [VERSION, "it was created in another folder"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "scripts/setup.sh"])
def test_an_environment_older_than_its_sources_is_not_up_to_date(tree, name):
    check = ("bash", "-euc", ". scripts/environment.sh; up_to_date")
    assert run(tree, *check)[0] == 0
    later = (tree / ".venv" / ".weft-setup").stat().st_mtime + 10
    os.utime(tree / name, (later, later))
    assert run(tree, *check)[0] == 1


def test_a_broken_environment_is_removed_even_if_no_other_can_be_built(tree):
    interrupt(tree)
    kept = tree / ".venv" / "kept"
    kept.touch()
    status, output, error = setup_with_full_disk(tree)
    assert status == 1
    assert "] removing .venv: its set-up did not finish\n" in output
    assert "] creating .venv with Python " in output
    assert error.endswith(" could not create .venv; see above\n")
    assert not kept.exists()
    assert inspect(tree)[1]


def test_a_usable_environment_is_in_its_place_again_if_no_other_can_be_built(tree):
    kept = tree / ".venv" / "kept"
    kept.touch()
    (tree / ".venv" / ".weft-unfinished").touch()
    status, output, error = setup_with_full_disk(tree)
    assert status == 1
    assert "] replacing .venv: its last set-up did not finish\n" in output
    assert error.endswith("setup: the previous .venv is in its place again\n")
    assert kept.exists() and not (tree / ".venv.replaced").exists()
    assert inspect(tree) == [VERSION, ""]


def test_the_rest_of_a_replaced_environment_is_removed(tree):
    (tree / ".venv.replaced" / "bin").mkdir(parents=True)
    assert setup(tree, "--quiet") == (0, "", "")
    assert not (tree / ".venv.replaced").exists() and (tree / ".venv" / ".weft-setup").exists()


@pytest.mark.parametrize("python, message", [
    ("/nonexistent", "/nonexistent does not exist; Weft needs Python 3.11 or newer, such as make "
                     "setup PYTHON=python3.11"),
    ("/usr/my programs", "/usr/my programs does not exist; Weft needs Python 3.11 or newer, such "
                         "as make setup PYTHON=python3.11"),
    ("{tree}", "{tree} is a folder; PYTHON= must be an interpreter, such as {tree}/python3"),
    ("/bin/false", "/bin/false does not run as a Python interpreter: "),
])
def test_an_unusable_interpreter_is_refused(tree, python, message):
    before = sorted(tree.rglob("*"))
    assert setup(tree, PYTHON=python.format(tree=tree)) == (
        1, "", f"setup: {message.format(tree=tree)}\n")
    assert sorted(tree.rglob("*")) == before


def test_two_set_ups_at_once_are_refused(tree):
    (tree / "setup.sh").write_text("sleep 60; :\n")
    with subprocess.Popen(["bash", "setup.sh"], cwd=tree, start_new_session=True) as other:
        try:
            (tree / ".venv" / ".weft-unfinished").write_text(f"{other.pid}\n")
            assert setup(tree) == (1, "", f"setup: process {other.pid} is setting up .venv; run "
                                          "make again when it has ended\n")
        finally:
            os.killpg(other.pid, 9)
    assert "other" not in inspect(tree)[1]
