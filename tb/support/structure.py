"""Checks of the source tree's structure: sizes, imports, docstrings, mirrored tests.

Each check takes the root of a tree and returns one sentence per violation.
"""

import ast
import re
import subprocess

__all__ = ["circular_imports", "docstrings_as_questions", "large_files", "long_functions",
           "path_changes", "scripts_that_import_tests", "tests_without_package"]

SOURCES = ("hdl", "sw", "boards", "scripts", "tb", "examples")
PACKAGES = {"weft": "hdl/weft", "weft_host": "sw/weft_host", "weft_boards": "boards/weft_boards",
            "ecp5_pnr": "scripts/ecp5_pnr"}
"""Folders of the top-level packages."""

FUNCTION_LINES, FILE_LINES = 100, 300
CODE = (".py", ".cc", ".h", ".c")
QUESTION = re.compile(r"(What|Where|How|Who|Whether|That)\b")

MIRRORED = ("hdl/weft", "sw/weft_host", "scripts", "tb")
"""Folders with the packages that folders of ``tb/unit`` mirror under the same name."""

MIRRORS = {"hdl": "hdl/weft", "weft_host": "sw/weft_host", "host_link": "sw/weft_host/link",
           "boards": "boards/weft_boards", "scripts": "scripts", "examples": "examples",
           "structure": "."}
"""Folders of ``tb/unit`` with another name than the folder that they mirror."""


def files(root, *suffixes):
    """Yield the paths of the tracked files, or of all files of a tree without a repository."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *SOURCES], cwd=root,
                            capture_output=True, text=True)
    paths = ([root / line for line in listed.stdout.splitlines()]
             if not listed.returncode and listed.stdout else
             [path for source in SOURCES for path in (root / source).rglob("*")])
    yield from (path for path in sorted(paths) if path.suffix in suffixes and path.is_file())


def functions(tree):
    """Yield all functions of a module, nested ones and methods included."""
    return (node for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def long_functions(root):
    """Find functions with more than :data:`FUNCTION_LINES` lines."""
    for path in files(root, ".py"):
        for node in functions(ast.parse(path.read_text())):
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield (f"{path.relative_to(root)}:{node.lineno}: {node.name} has {lines} lines, "
                       f"more than {FUNCTION_LINES}")


def large_files(root):
    """Find code files with more than :data:`FILE_LINES` lines."""
    for path in files(root, *CODE):
        lines = len(path.read_text().splitlines())
        if lines > FILE_LINES:
            yield f"{path.relative_to(root)} has {lines} lines, more than {FILE_LINES}"


def docstrings_as_questions(root):
    """Find docstrings that begin with a question word instead of a noun phrase or a verb.

    A docstring is any string that is a statement, so those of attributes are included.
    """
    for path in files(root, ".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                    and isinstance(node.value.value, str)):
                found = QUESTION.match(node.value.value.lstrip())
                if found:
                    yield (f"{path.relative_to(root)}:{node.lineno}: the docstring begins with "
                           f"{found[0]!r}")


def path_changes(root):
    """Find changes of Python's module path."""
    for path in files(root, ".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            changed = []
            if isinstance(node, ast.Attribute) and node.attr in ("insert", "append", "extend"):
                changed = [node.value]
            elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)):
                targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
                changed = [target.value if isinstance(target, ast.Subscript) else target
                           for target in targets]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "site.addsitedir":
                yield f"{path.relative_to(root)}:{node.lineno}: site.addsitedir"
            if any(ast.unparse(value) == "sys.path" for value in changed):
                yield f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}"


def scripts_that_import_tests(root):
    """Find imports of packages of ``tb`` in scripts."""
    tests = {path.name.removesuffix(".py") for path in (root / "tb").glob("*")} | {"tb"}
    for path in files(root, ".py"):
        if path.is_relative_to(root / "scripts"):
            for module in imported(ast.parse(path.read_text()), "", False):
                if module.split(".")[0] in tests:
                    yield f"{path.relative_to(root)} imports {module}"


def tests_without_package(root):
    """Find tests in folders of ``tb/unit`` that mirror no package."""
    for path in files(root, ".py"):
        if not path.is_relative_to(root / "tb" / "unit"):
            continue
        folder = path.parent.relative_to(root / "tb" / "unit")
        top, *rest = folder.parts or ("",)
        candidates = [root / base / folder for base in MIRRORED]
        if top in MIRRORS:
            candidates.append(root.joinpath(MIRRORS[top], *rest))
        if not any(candidate.is_dir() for candidate in candidates) or not top:
            yield f"{path.relative_to(root)} mirrors no package"


def imported(tree, package, skip_type_checking=True):
    """Yield the absolute names that a module imports, also inside of functions.

    Parameters
    ----------
    tree : :class:`ast.Module`
    package : :class:`str`
        Package of the module, to resolve relative imports.
    skip_type_checking : :class:`bool`
        Skip blocks under ``if TYPE_CHECKING``, which do not run.
    """
    skipped = set()
    for node in ast.walk(tree):
        if (skip_type_checking and isinstance(node, ast.If)
                and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            skipped.update(id(inner) for part in node.body for inner in ast.walk(part))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[:len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else ()), *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def package_graph(root):
    """Return the packages that each package imports.

    A package is a folder with modules. In a folder with subpackages, each module counts on its own:
    some are interfaces above the subpackages, such as ``__init__``, others are below them.
    """
    packages, trees = {}, {}
    for top, folder in PACKAGES.items():
        for path in files(root, ".py"):
            if path.is_relative_to(root / folder):
                parts = (top, *path.relative_to(root / folder).with_suffix("").parts)
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                packages[name] = ".".join(parts[:-1])
                trees[name] = ast.parse(path.read_text()), packages[name]
    parents = {package.rpartition(".")[0] for package in packages.values()} | set(PACKAGES)
    modules = {name: (name if name != package else f"{name}.__init__") if package in parents
               else package for name, package in packages.items()}
    graph = {node: set() for node in modules.values()}
    for name, (tree, package) in trees.items():
        for target in imported(tree, package):
            known = target if target in modules else target.rpartition(".")[0]
            if known in modules and modules[known] != modules[name]:
                graph[modules[name]].add(modules[known])
    return graph


def circular_imports(root):
    """Find circles of packages that import each other."""
    graph = package_graph(root)
    reached = {node: _reachable(graph, node) for node in graph}
    circles = {tuple(sorted(other for other in reached[node] if node in reached[other]))
               for node in graph if node in reached[node]}
    for circle in sorted(circles):
        edges = [f"{node} -> {other}" for node in circle for other in sorted(graph[node])
                 if other in circle]
        yield f"import circle: {', '.join(edges)}"


def _reachable(graph, node):
    found, pending = set(), list(graph[node])
    while pending:
        other = pending.pop()
        if other not in found:
            found.add(other)
            pending += graph[other]
    return found
