"""Structure of the source tree: sizes, imports, docstrings, and folders of tests."""

import pathlib

import pytest

from support import structure

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHECKS = ("long_functions", "large_files", "circular_imports", "docstrings_as_questions",
          "path_changes", "scripts_that_import_tests", "tests_without_package")


@pytest.fixture
def check(tmp_path):
    """Return a function that writes files into an empty tree and runs a check on it."""
    def run(name, files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return list(getattr(structure, name)(tmp_path))
    return run


@pytest.mark.parametrize("name", CHECKS)
def test_source_tree_passes(name):
    violations = list(getattr(structure, name)(ROOT))
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("name", CHECKS)
def test_an_empty_tree_passes(check, name):
    assert check(name, {}) == []


def test_every_source_folder_is_checked():
    parts = {path.relative_to(ROOT).parts[0] for path in structure.files(ROOT, ".py")}
    assert parts == set(structure.SOURCES)


@pytest.mark.parametrize("lines, expected", [
    (100, []), (101, ["sw/a.py:2: f has 101 lines, more than 100"])])
def test_detects_a_long_function(check, lines, expected):
    body = "    def f():\n" + "        x = 1\n" * (lines - 1)
    assert check("long_functions", {"sw/a.py": "class A:\n" + body}) == expected


@pytest.mark.parametrize("suffix", [".py", ".cc", ".h", ".c"])
@pytest.mark.parametrize("lines", [300, 301])
def test_detects_a_large_file(check, suffix, lines):
    found = check("large_files", {f"scripts/a{suffix}": "x = 1\n" * lines, "tb/b.md": "\n" * 400})
    assert found == [f"scripts/a{suffix} has 301 lines, more than 300"] * (lines == 301)


TWO = {"hdl/weft/__init__.py": "", "hdl/weft/a/__init__.py": "", "hdl/weft/b/__init__.py": ""}


@pytest.mark.parametrize("files, circle", [
    ({"hdl/weft/a/x.py": "from ..b import y", "hdl/weft/b/y.py": ""}, ""),
    ({"hdl/weft/a/x.py": "from ..b import y", "hdl/weft/b/y.py": "from ..a.x import z"},
     "weft.a -> weft.b, weft.b -> weft.a"),
    ({"hdl/weft/a/x.py": "import weft.b.y", "hdl/weft/b/y.py": "def f():\n    import weft.a.x"},
     "weft.a -> weft.b, weft.b -> weft.a"),
    ({"hdl/weft/a/x.py": "from ..b import y",
      "hdl/weft/b/y.py": "if typing.TYPE_CHECKING:\n    from ..a.x import z"}, ""),
    ({"hdl/weft/a/x.py": "from ..b import y", "hdl/weft/b/y.py": "from ..c.z import z",
      "hdl/weft/c/z.py": "from ..a.x import x", "hdl/weft/c/w.py": ""},
     "weft.a -> weft.b, weft.b -> weft.c, weft.c -> weft.a"),
    # modules of a package import each other, and modules beside packages count on their own
    ({"hdl/weft/a/x.py": "from . import y", "hdl/weft/a/y.py": "from . import x"}, ""),
    ({"hdl/weft/a/x.py": "from ..errors import E", "hdl/weft/errors.py": "",
      "hdl/weft/top.py": "from .a.x import x"}, ""),
    ({"hdl/weft/a/x.py": "from ..errors import E", "hdl/weft/errors.py": "from .a.x import x"},
     "weft.a -> weft.errors, weft.errors -> weft.a"),
])
def test_detects_circular_imports(check, files, circle):
    found = check("circular_imports", TWO | files)
    assert found == ([f"import circle: {circle}"] if circle else [])


def test_detects_circular_imports_of_two_distributions(check):
    found = check("circular_imports", {
        "hdl/weft/a/x.py": "import weft_host.p.y", "sw/weft_host/p/y.py": "from weft.a.x import x"})
    assert found == ["import circle: weft.a -> weft_host.p, weft_host.p -> weft.a"]


@pytest.mark.parametrize("word", ["What", "Where", "How", "Who", "Whether", "That"])
@pytest.mark.parametrize("definition", ["{}", "def f():\n    {}", "class A:\n    {}",
                                        "class A:\n    async def f(self):\n        {}",
                                        "A = 1\n{}"])
def test_detects_a_docstring_that_begins_with_a_question_word(check, word, definition):
    text = definition.format(f'"""{word} it is."""')
    found, = check("docstrings_as_questions", {"boards/weft_boards/a.py": text})
    assert found.startswith("boards/weft_boards/a.py:")
    assert found.endswith(f": the docstring begins with {word!r}")


def test_accepts_a_docstring_that_begins_with_a_noun_or_a_verb(check):
    files = {"hdl/weft/a.py": '"""Whatever."""\ndef f():\n    """Return what it is."""\n'}
    assert check("docstrings_as_questions", files) == []


@pytest.mark.parametrize("call", ["insert(0, 'tb')", "append('tb')", "extend(['tb'])"])
def test_detects_a_change_of_the_module_path(check, call):
    files = {"examples/a.py": f"import sys\nsys.path.{call}\nprint(sys.path)\n"}
    assert check("path_changes", files) == [
        f"examples/a.py:2: sys.path.{call.split('(')[0]}"]


@pytest.mark.parametrize("statement", [
    "sys.path = ['tb']", "sys.path += ['tb']", "sys.path[:0] = ['tb']", "del sys.path[0]"])
def test_detects_an_assignment_of_the_module_path(check, statement):
    assert check("path_changes", {"tb/a.py": f"import sys\n{statement}\n"}) == [
        f"tb/a.py:2: {statement}"]


def test_detects_a_site_directory(check):
    assert check("path_changes", {"tb/a.py": "import site\nsite.addsitedir('tb')\n"}) == [
        "tb/a.py:2: site.addsitedir"]


@pytest.mark.parametrize("line, module", [
    ("from support.models import Chain", "support.models.Chain"), ("import golden", "golden"),
    ("def f():\n    import tb.conftest", "tb.conftest"), ("from weft.spec import isa", None)])
def test_detects_a_script_that_imports_tests(check, line, module):
    files = {"tb/support/models.py": "import weft", "tb/golden/add.py": "", "scripts/a.py": line}
    assert check("scripts_that_import_tests", files) == (
        [f"scripts/a.py imports {module}"] if module else [])


def test_detects_a_folder_of_tests_without_package(check):
    good = ["array/test_a.py", "compiler/lower/test_b.py", "golden/test_c.py", "scripts/test_d.py",
            "hdl/test_e.py", "host_link/test_f.py", "ecp5_pnr/test_g.py", "boards/test_h.py"]
    bad = ["memory/test_i.py", "compiler/upper/test_j.py", "test_k.py"]
    files = {f"tb/unit/{name}": "" for name in good + bad} | {name: "" for name in (
        "hdl/weft/array/grid.py", "sw/weft_host/compiler/lower/conv.py", "tb/golden/conv.py",
        "sw/weft_host/link/client.py", "scripts/ecp5_pnr/route.py", "boards/weft_boards/_top.py")}
    assert check("tests_without_package", files) == [
        f"tb/unit/{name} mirrors no package" for name in sorted(bad)]
