"""Sphinx configuration. Pages that are made from tables and docstrings are written first."""

import pathlib
import pydoc
import re
import subprocess
import sys

from docutils.parsers.rst import roles

ROOT = pathlib.Path(__file__).resolve().parents[1]
for script in ("generate_docs.py", "generate_reference.py"):
    subprocess.run([sys.executable, ROOT / "scripts" / script], check=True)

project = "Weft"
copyright = "the Weft authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
highlight_language = "none"        # diagrams and tables are no Python
html_theme = "furo"
html_title = "Weft"
html_static_path = ["_static"]
html_css_files = ["weft.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#9a5b13", "color-brand-content": "#9a5b13"},
    "dark_css_variables": {"color-brand-primary": "#e8b06a", "color-brand-content": "#e8b06a"},
    "navigation_with_keys": True,
}

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True            # a property may be listed among the attributes, too
# a type in a docstring may be a word, such as "size", that is the name of several attributes
suppress_warnings = ["ref.python"]
# sections of components, beside those of numpydoc
napoleon_custom_sections = [("Members", "params_style"), ("Yields", "returns_style")]


def split_members(app, kind, name, found, options, lines):
    """Split ``a : In(1), ``b`` : Out(1)`` into a line for each member; the last has the text."""
    for index in reversed(range(len(lines))):
        parts = re.split(r", ``(\w+)`` : ", lines[index])
        if len(parts) > 1 and re.match(r" *\w+ : ", parts[0]):
            indent = " " * (len(parts[0]) - len(parts[0].lstrip()))
            lines[index:index + 1] = [parts[0], *(
                f"{indent}{member} : {type_}" for member, type_ in zip(parts[1::2], parts[2::2]))]


def restore_colons(app, kind, name, found, options, lines):
    """Undo napoleon's split of an attribute's docstring at a colon into a type and a text."""
    if kind in ("data", "attribute", "property"):
        for index, line in enumerate(lines):
            if line.startswith(":type: "):
                lines[0] = f"{line.removeprefix(':type: ')}: {lines[0]}"
                del lines[index]
                break


def _definition(name):
    """Return the full name under which a class or function is defined, or None for other names."""
    try:
        found = pydoc.locate(name)
        return f"{found.__module__}.{found.__qualname__}"
    except (AttributeError, pydoc.ErrorDuringImport):
        return None


def link_imported_name(app, env, node, content):
    """Resolve a name that its module imports, that a package exports, or that is unique."""
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    target = node["reftarget"].lstrip(".")
    names = [_definition(f"{node.get('py:module')}.{target}"), _definition(target)]
    if target[:1].isupper():        # no word that describes a type
        found = [name for name in domain.objects if name.endswith(f".{target}")]
        names += found if len(found) == 1 else []
    for name in names:
        if name in domain.objects:
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", name, node, content)
    return None


def setup(app):
    """Register the role of Amaranth's own docstrings: shapes of ports are :py:`In(8)`."""
    app.add_role("py", roles.CustomRole(
        "py", roles.code_role, {"language": "python", "class": ["highlight"]}))
    app.connect("autodoc-process-docstring", split_members, priority=400)       # before napoleon
    app.connect("autodoc-process-docstring", restore_colons, priority=600)     # after napoleon
    app.connect("missing-reference", link_imported_name)
