"""Files of boards: errors in them, which are programs, are reported with the file's name."""

import sys
from pathlib import Path

import pytest

import flash
import weft_boards as boards
from weft_boards import board

FILE_25F = (Path(boards.__file__).parent / "ulx3s_25f.py").read_text().replace(
    'name="ulx3s_25f"', 'name="mine"')


@pytest.mark.parametrize("old, new, message", [
    ("BOARD =", "BORD =", "AttributeError: module 'weft_boards.mine' has no attribute 'BOARD'"),
    ('name="mine"', 'name="ulx3s_25f"',
     "name must be 'mine', the name of the file, not 'ulx3s_25f'"),
    ("80_000_000", "80e6", "TypeError: clock_hz must be an integer, not 80000000.0"),
    ("32 * 1024", "32e3", "TypeError: memory_bytes must be an integer, not 32000.0"),
    ('"cols": 4', '"cols": "4"', "TypeError: cols must be an integer, not '4'"),
    ("80_000_000", "3_000_000", "1000000 baud requires a clock of at least 4000000 Hz"),
    ("from ._devices import ECP5_25F", "from ._devices import ECP5_26F",
     "ImportError: cannot import name 'ECP5_26F'"),
    ('flash=("openFPGALoader", "--board", "ulx3s", "{bitstream}")', 'flash="openFPGALoader"',
     "TypeError: flash must be a tuple of strings, not 'openFPGALoader'"),
    ("BOARD = Board(", "BOARD = (", "SyntaxError: "),
    ("BOARD =", "raise SystemExit(3)\nBOARD =", "SystemExit: 3"),
    ("BOARD =", "raise RuntimeError\nBOARD =", "RuntimeError: "),
])
def test_reports_an_error_in_a_file(monkeypatch, tmp_path, old, new, message):
    assert old in FILE_25F
    (tmp_path / "mine.py").write_text(FILE_25F.replace(old, new))
    monkeypatch.setattr(boards, "__path__", [*boards.__path__, str(tmp_path)])
    monkeypatch.setattr(boards, "board_names", lambda: ["mine"])
    with pytest.raises(ValueError) as caught:
        board("mine")
    sys.modules.pop("weft_boards.mine", None)
    assert str(caught.value).startswith(f"boards/weft_boards/mine.py: {message}")
    with pytest.raises(SystemExit, match=r"^flash: boards/weft_boards/mine\.py: "):
        flash.main(["--board", "mine"])
    sys.modules.pop("weft_boards.mine", None)
