"""Registers side by side: members, initial values and order of updates; other code is rejected."""

import pytest

from weft_host.device.cxxrtl import gather_registers, sort_updates

MODULE = """struct p_weft : public module {
	/*output*/ wire<4> p_port;
	wire<8> p_r10;
	wire<8> p_r9;
	value<8> i_c;
	memory<8> memory_p_m{16u};

	void reset() override;

	template<class ObserverT>
	bool commit(ObserverT &observer) {
		bool changed = false;
		if (p_port.commit(observer)) changed = true;
		if (p_r10.commit(observer)) changed = true;
		if (p_r9.commit(observer)) changed = true;
		if (memory_p_m.commit(observer)) changed = true;
		return changed;
	}
};

void p_weft::reset() {
	p_port = wire<4>{0x3u};
	p_r10 = wire<8>{0x10u};
	p_r9 = wire<8>{0u};
}

void p_weft::latch_0() {
	p_port.curr = p_port.next;
	p_r10.curr = p_r10.next;
	p_r9.curr = p_r9.next;
}

void p_weft::latch() {
	latch_0();
}

bool p_weft::commit_0() {
	return false;
}

bool p_weft::commit() {
	return commit_0();
}

bool p_weft::eval(performer *performer) {
	p_r10.next = p_r9.curr;
	p_port.next = p_port.curr;
}
"""


def test_registers_are_copied_at_once_and_ports_stay():
    assert gather_registers(MODULE) == """struct State {
	value<8> p_r9;
	value<8> p_r10;
};

struct p_weft : public module {
	State curr, next;
	/*output*/ wire<4> p_port;
	value<8> i_c;
	memory<8> memory_p_m{16u};

	void reset() override;

	template<class ObserverT>
	bool commit(ObserverT &observer) {
		bool changed = false;
		if (p_port.commit(observer)) changed = true;
		if (memory_p_m.commit(observer)) changed = true;
		return changed;
	}
};

void p_weft::reset() {
	next = State();
	p_port = wire<4>{0x3u};
	next.p_r10 = value<8>{0x10u};
	curr = next;
}

void p_weft::latch_0() {
	p_port.curr = p_port.next;
}

void p_weft::latch() {
	curr = next;
	latch_0();
}

bool p_weft::commit() {
	return false;
}

bool p_weft::eval(performer *performer) {
	next.p_r10 = curr.p_r9;
	p_port.next = p_port.curr;
}
"""


@pytest.mark.parametrize("found, replaced, message", [
    ("struct p_weft : public module {\n", "", "the C++ has no module"),
    ("\tp_r9.curr = p_r9.next;\n", "", "1 of 2 registers are latched"),
    ("void p_weft::reset() {\n", "", "the C++ has no method p_weft::reset()"),
])
def test_rejects_other_code(found, replaced, message):
    with pytest.raises(ValueError) as error:
        gather_registers(MODULE.replace(found, replaced))
    assert str(error.value) == message


def test_updates_follow_the_combinational_logic_in_natural_order():
    update = "\t// cell {0}\n\tif (posedge_p_clk) {{\n\t\tp_r{0}.next = p_r1.curr;\n\t}}\n"
    other = "\t// connection\n\ti_c = p_r1.curr;\n"
    memory = ("\t// memory p_m read port 0\n\tif (posedge_p_clk) {\n"
              "\t\tp_r5.next = memory_p_m[tmp_0.index];\n\t}\n")
    text = ("bool p_weft::eval(performer *performer) {{\n\tbool converged = true;\n{0}"
            "\treturn converged;\n}}\n")
    ten, nine = update.format(10), update.format(9)
    assert sort_updates(text.format(ten + memory + nine + other)) == text.format(
        memory + other + nine + ten)
    with pytest.raises(ValueError, match="no method eval"):
        sort_updates(other)
