"""Generated reference pages of the Python packages and of the commands."""

import generate_reference


def test_a_package_page_documents_the_functions_that_the_package_defines():
    page = generate_reference.package_page("weft_boards", [])
    assert ".. automodule:: weft_boards\n   :members: Board, board, board_names\n```" in page


def test_a_package_page_lists_the_exported_names():
    page = generate_reference.package_page("weft_host", ["weft_host.errors"])
    assert ".. automodule:: weft_host\n```" in page        # it defines none of them itself
    assert "The package exports {py:obj}`BuildError <weft_host.BuildError>`, " in page
    assert "{py:obj}`compile <weft_host.compile>`" in page and ", `__version__`, " in page
    assert "\n## `weft_host.errors`\n" in page


def test_every_public_package_has_a_page():
    found = generate_reference.packages("weft_host")
    assert "weft_host.program.file" in found["weft_host.program"]
    assert not any(part.startswith("_") for module in found["weft_host"]
                   for part in module.split("."))


def test_the_commands_page_lists_the_verbs_of_a_makefile():
    page = generate_reference.commands_page("demo: setup ## run a|b\n\t@x\n\nhidden: setup\n\t@y\n")
    assert "| `make demo` | run a\\|b |" in page and "hidden" not in page
