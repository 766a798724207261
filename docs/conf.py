"""How Sphinx builds these pages: ``nox -s docs``. Nothing is fetched, and every warning is an error."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "authx-users"
copyright = "the authors of authx-users"  # noqa: A001 - Sphinx reads this name
release = version = version_of("authx-users")

extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings", "signatures", "references", "completeness"]
exclude_patterns = ["_build", "extensions"]
nitpicky = True
smartquotes = False
default_role = "py:obj"  # `User` in a docstring is a link

myst_heading_anchors = 3
suppress_warnings = [
    "misc.highlighting_failure",  # sketches have `…` where code goes on
]

add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 160  # counted before names are shortened
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = "authx-users"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
