"""Check of pages in Chromium."""

import pytest

import browser
import check_pages

pytestmark = pytest.mark.skipif(browser.missing() is not None,
                                reason=f"pages are checked in Chromium: {browser.missing()}")

HEAD = '<!DOCTYPE html><meta name="viewport" content="width=device-width"><body style="margin:0">'
WIDE = '<table><tr><td style="min-width:{}px">register</td></tr></table>'


def box(content):
    return f'<div style="overflow-x:auto">{content}</div>'


@pytest.fixture
def found(tmp_path):
    """Return a function that checks pages of given bodies and returns all sentences."""
    def run(*bodies):
        pages = []
        for number, body in enumerate(bodies):
            pages.append(tmp_path / f"{number}.html")
            pages[-1].write_text(HEAD + body)
        return [line.removeprefix(f"{tmp_path}/") for line in check_pages.check(pages)]
    return run


def test_reports_only_pages_that_scroll_sideways(found):
    table = WIDE.format(800)
    lines = found("<p>" + "word " * 500, table, box(table), WIDE.format(2000),
                  box(f"<p>text</p>{table}"), "<pre style='overflow:auto'>" + "x" * 900 + "</pre>")
    assert [(line.split(":")[0], line.split(" px")[0].split()[-1]) for line in lines] == [
        ("1.html", "390"), ("3.html", "390"), ("3.html", "1280"), ("4.html", "390")]
    assert lines[0].endswith('px too wide: td "register"')


def test_main_reports_each_page_and_fails(tmp_path, capsys):
    (tmp_path / "wide.html").write_text(HEAD + WIDE.format(500))
    (tmp_path / "narrow.html").write_text(HEAD + "<p>text")
    with pytest.raises(SystemExit) as exit:
        check_pages.main([str(tmp_path)])
    first, last = capsys.readouterr().out.splitlines()
    assert exit.value.code == 1 and first.startswith(f"{tmp_path}/wide.html: at 390 px, ")
    assert last.startswith("2 pages at 390 and 1280 px in ") and last.endswith(
        ": 1 scroll sideways")


def test_a_missing_folder_is_reported_with_the_command(tmp_path):
    with pytest.raises(SystemExit) as exit:
        check_pages.main([str(tmp_path / "docs")])
    assert exit.value.code == (f"check_pages: {tmp_path}/docs does not exist; make docs writes "
                               "build/docs")
