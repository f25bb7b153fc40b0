"""Splitting of CXXRTL's C++: all statements once and in order; other code is rejected."""

import re

import pytest

from weft_host.device.cxxrtl.split import guard_writes, split

REGISTERS = [f"p_r{number}" for number in range(95)]


def source(registers=REGISTERS):
    """Return C++ like that of CXXRTL, with a memory and these registers."""
    commits = "".join(f"\t\tif ({name}.commit(observer)) changed = true;\n" for name in registers)
    resets = "".join(f"\t{name} = wire<2>{{0x{number % 4}u}};\n"
                     for number, name in enumerate(registers))
    cells = "".join(f"\t// {('cell', 'memory')[number % 2]} {name}\n\t{name}.next = {name}.curr;\n"
                    for number, name in enumerate(registers))
    return f"""struct p_weft : public module {{
	void reset() override;

	bool eval(performer *performer = nullptr) override;

	template<class ObserverT>
	bool commit(ObserverT &observer) {{
		bool changed = false;
		prev_p_clk = p_clk;
{commits}		if (memory_p_m.commit(observer)) changed = true;
		return changed;
	}}

	bool commit() override {{
		observer observer;
		return commit<>(observer);
	}}
}}; // struct p_weft

void p_weft::reset() {{
{resets}	static const value<8> mem_init_1[2] {{
		value<8>{{0x01u}}, value<8>{{0x02u}},
	}};
	std::copy(std::begin(mem_init_1), std::end(mem_init_1), &memory_p_m.data[0]);
}}

bool p_weft::eval(performer *performer) {{
	bool converged = true;
	bool posedge_p_clk = this->posedge_p_clk();
{cells}	return converged;
}}
"""


def bodies(text, name):
    """Return the bodies of the parts of a method, in the order of their calls."""
    whole = re.search(rf"^\w+ p_weft::{name}\(.*?\) \{{\n(.*?)^\}}\n", text, re.M | re.S)[1]
    calls = re.findall(rf"{name}_(\d+)\(", whole)
    assert calls == [str(number) for number in range(len(calls))] and len(calls) > 1
    return [re.search(rf"^\w+ p_weft::{name}_{call}\(.*?\) \{{\n(.*?)^\}}\n", text, re.M | re.S)[1]
            for call in calls]


@pytest.mark.parametrize("name, statement", [
    ("eval", "\t{0}.next = {0}.curr;\n"),
    ("reset", "\t{0} = wire<2>"),
    ("latch", "\t{0}.curr = {0}.next;\n"),
    ("commit", "\t\tif ({0}.commit(observer)) changed = true;\n"),
])
def test_each_statement_occurs_once_and_in_order(name, statement):
    text = split(source())
    parts = bodies(text, name)
    joined = "".join(parts)
    offsets = [joined.index(statement.format(register)) for register in REGISTERS]
    assert offsets == sorted(offsets)
    assert all(joined.count(statement.format(register)) == 1 for register in REGISTERS)
    assert max(part.count("\n") for part in parts) < 90
    for number in range(len(parts)):
        assert len(re.findall(rf"^\t\w+ {name}_{number}\(.*\);$", text, re.M)) == 1
    assert text.count("commit<>") == 0


def test_a_table_stays_in_the_part_that_copies_it():
    part, = (part for part in bodies(split(source()), "reset") if "mem_init_1" in part)
    assert part.count("mem_init_1") == 3 and "value<8>{0x02u}" in part


def test_commit_reports_changes_of_every_part():
    text = split(source())
    for part in bodies(text, "commit"):
        assert part.count("bool changed = false;") == 1 and part.endswith("\treturn changed;\n")
    assert text.count("\tif (commit_0()) changed = true;\n") == 1
    assert "prev_p_clk = p_clk;" in "".join(bodies(text, "latch"))


@pytest.mark.parametrize("old, new, message", [
    ("struct", "struct", None),
    ("bool p_weft::eval(", "bool p_weft::evaluate(",
     "the C\\+\\+ has 0 modules instead of one flattened module"),
    ("commit<>(observer)", "commit(observer)", "the C\\+\\+ has no method commit"),
    ("\t\treturn changed;\n", "", "the C\\+\\+ has no method commit"),
    ("void p_weft::reset() {", "void p_weft::start() {", "the C\\+\\+ has no method reset"),
    ("\tbool converged = true;", "\tint converged = 1;", "eval has an unknown beginning: .*"),
])
def test_code_of_another_form_is_rejected(old, new, message):
    text = source()
    assert old in text
    if message is None:
        split(text)
        return
    with pytest.raises(ValueError, match=f"^{message}$"):
        split(text.replace(old, new))


@pytest.mark.parametrize("mask, tested", [
    ("p_en.slice<1>().val().repeat<4>().concat(p_b.curr).val()", "!p_b.curr.is_zero() || "
                                                                 "!p_en.is_zero()"),
    ("p_en", "!p_en.is_zero()"),
    ("not_u<4>(p_en)", None), ("value<4>{0xfu}", None),
    ("p_en.concat(value<4>{0xfu}).val()", None),
])
def test_a_memory_is_written_only_if_a_bit_of_its_mask_is_set(mask, tested):
    """A mask of signal bits is tested; a mask with logic may be set although no signal is."""
    write = f"memory_p_m.update(tmp_1.index, add_uu<8>(p_a, i_b), {mask}, 0);\n"
    expected = f"\t{write}" if tested is None else f"\tif ({tested}) {write}"
    assert guard_writes(f"\t{write}") == expected
