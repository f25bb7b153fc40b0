"""Names of modules: Verilog's grammar, keywords and length."""

import subprocess

import pytest

from weft_host.verilog.module_names import (
    KEYWORDS,
    MAX_LENGTH,
    ModuleNameError,
    check_module_name,
)


@pytest.mark.parametrize("name", ["weft", "npu_a", "_", "A9", "Module", "clk", "x" * MAX_LENGTH])
def test_accepts_identifiers(name):
    check_module_name(name)


@pytest.mark.parametrize("name", ["", "1x", "weft-a", "a b", "a.b", "a$b", "\\a", "ä", "a\n",
                                  "x٣"])
def test_rejects_other_names(name):
    with pytest.raises(ModuleNameError) as error:
        check_module_name(name)
    assert str(error.value) == (
        f"{name!r} is not a Verilog identifier: use letters, digits and underscores, and no digit "
        "at the beginning")


@pytest.mark.parametrize("name", ["module", "wire", "logic", "endmodule", "unique0"])
def test_rejects_keywords(name):
    with pytest.raises(ModuleNameError, match=f"^'{name}' is a keyword of Verilog or "
                                              "SystemVerilog; use another name$"):
        check_module_name(name)


def test_rejects_a_long_name():
    with pytest.raises(ModuleNameError, match=f"^the name has {MAX_LENGTH + 1} characters; at most "
                                         f"{MAX_LENGTH} are possible$"):
        check_module_name("x" * (MAX_LENGTH + 1))


def test_icarus_rejects_every_keyword_of_verilog(tmp_path):
    """Compare the list with a compiler, in which a keyword is no name for a module."""
    accepted = []
    for name in sorted(KEYWORDS):
        (tmp_path / "a.v").write_text(f"module {name}; endmodule\n")
        done = subprocess.run(["iverilog", "-g2012", "-t", "null", tmp_path / "a.v"],
                              capture_output=True)
        if not done.returncode:
            accepted.append(name)
    assert not accepted, accepted


def test_rejects_the_name_of_a_port_or_signal():
    with pytest.raises(ModuleNameError, match="^'irq' is also the name of a port or a signal in "
                                              "the module, which Verilator does not support; use "
                                              "another name$"):
        check_module_name("irq", ["clk", "irq"])
    check_module_name("irq2", ["clk", "irq"])
