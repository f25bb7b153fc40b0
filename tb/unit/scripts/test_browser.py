"""Prerequisites of headless Chromium."""

import sys

import pytest

import browser


def test_a_missing_chromium_is_reported(monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    assert browser.missing() == "no Chromium was found: sudo apt-get install chromium"
    with pytest.raises(SystemExit, match="^browser: no Chromium was found: "):
        with browser.open_browser(width=390):
            raise AssertionError("started without Chromium")


def test_a_missing_playwright_is_reported(monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setitem(sys.modules, "playwright", None)
    assert browser.missing() == ("the Python package playwright is missing: "
                                 ".venv/bin/pip install -c constraints.txt -e '.[browser]'")
