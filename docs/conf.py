"""Sphinx configuration. Tables of registers, instructions and results are generated first."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
subprocess.run([sys.executable, ROOT / "scripts" / "generate_docs.py"], check=True)

project = "Weft"
copyright = "the Weft authors"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
highlight_language = "none"        # diagrams and tables are no Python
html_theme = "alabaster"
html_static_path = ["_static"]
html_theme_options = {"description": "An open AI-inference accelerator", "page_width": "1240px",
                      "body_max_width": "960px", "code_font_size": "0.8em"}
