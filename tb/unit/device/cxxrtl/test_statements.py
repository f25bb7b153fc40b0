"""Statements as operations on integers: the results are those of CXXRTL's templates."""

import random
import subprocess

import pytest

from support.seeds import seed
from weft_host.device import rtl_build
from weft_host.device.cxxrtl import plain_integers

WIDTHS = [1, 2, 8, 19, 31, 32, 33, 40, 63, 64, 65, 96, 130]
EVAL = "bool p_weft::eval(performer *performer) {\n"


def source(statements, widths=()):
    """Return C++ with these lines in ``eval``, and declarations of signals."""
    declared = "".join(f"\tvalue<{width}> p_s{width};\n\tvalue<{width}> i_r{width};\n"
                       f"\twire<{width}> p_w{width};\n" for width in widths)
    return f"{declared}{EVAL}{statements}"


def lines(statement, widths=WIDTHS):
    """Return the lines in place of one."""
    text = plain_integers(source(f"\t{statement}\n", widths))
    return [line.strip() for line in text[text.index(EVAL) + len(EVAL):].splitlines()]


class Expressions:
    """Random expressions of CXXRTL."""

    def __init__(self, number):
        self.random = random.Random(number)

    def make(self, width, depth):
        """Return the text of an expression with ``width`` bits."""
        choose = self.random.choice
        if depth == 0:
            same = [name for other in WIDTHS if other == width
                    for name in (f"p_s{other}", f"p_w{other}.curr")]
            wider = [other for other in WIDTHS if other > width]
            if same and self.random.random() < 0.7:
                return choose(same)
            if wider and self.random.random() < 0.8:
                return self.slice(f"p_s{choose(wider)}", width)
            words = [f"{self.random.getrandbits(min(32, width - low)):#x}u"
                     for low in range(0, width, 32)]
            return f"value<{width}>{{{','.join(words)}}}"
        kinds = [self.choice, self.bitwise, self.arithmetic, self.wider]
        if width == 1:
            kinds += [self.test, self.test, self.reduction]
        if width > 1:
            kinds.append(self.joined)
            kinds.append(self.repeated)
        return choose(kinds)(width, depth)

    def slice(self, text, width):
        whole = int("".join(filter(str.isdigit, text.split(".")[0])))
        low = self.random.randint(0, whole - width)
        bits = f"{low}" if width == 1 else f"{low + width - 1},{low}"
        return f"{text}.slice<{bits}>().val()"

    def choice(self, width, depth):
        condition = self.make(self.random.choice([1, 1, 8, 40]), depth - 1)
        return f"({condition} ? {self.make(width, depth - 1)} : {self.make(width, depth - 1)})"

    def operand(self, width, depth):
        return self.make(max(1, width + self.random.choice([0, 0, 0, -3, 2])), depth - 1)

    def bitwise(self, width, depth):
        name = self.random.choice(["and_uu", "or_uu", "xor_uu", "not_u"])
        if name == "not_u":
            return f"not_u<{width}>({self.operand(width, depth)})"
        return f"{name}<{width}>({self.operand(width, depth)}, {self.operand(width, depth)})"

    def arithmetic(self, width, depth):
        name = self.random.choice(["add", "sub", "mul"]) + self.random.choice(["_uu", "_ss"])
        return f"{name}<{width}>({self.operand(width, depth)}, {self.operand(width, depth)})"

    def wider(self, width, depth):
        whole = width + self.random.randint(0, 5)
        text = self.make(whole, depth - 1)
        low = self.random.randint(0, whole - width)
        return f"{text}.slice<{low + width - 1},{low}>().val()"

    def repeated(self, width, depth):
        return f"{self.make(1, depth - 1)}.repeat<{width}>().val()"

    def joined(self, width, depth):
        high = self.random.randint(1, width - 1)
        return f"{self.make(high, depth - 1)}.concat({self.make(width - high, depth - 1)}).val()"

    def test(self, width, depth):
        name = self.random.choice(["eq_uu", "ne_uu", "lt_uu", "le_uu", "gt_uu", "ge_uu", "eq_ss",
                                   "lt_ss", "le_ss", "gt_ss", "ge_ss"])
        operands = self.random.choice(WIDTHS)
        return f"{name}<1>({self.operand(operands, depth)}, {self.operand(operands, depth)})"

    def reduction(self, width, depth):
        name = self.random.choice(["reduce_or", "reduce_and", "reduce_bool", "reduce_xor",
                                   "logic_not"])
        return f"{name}<1>({self.make(self.random.choice(WIDTHS), depth - 1)})"


PROGRAM = """#include <cxxrtl/cxxrtl.h>
#include <cstdio>
#include <random>
using namespace cxxrtl_yosys;
template<size_t N> void draw(value<N> &v, std::mt19937 &r) {{
    int kind = r() % 4;
    for (size_t i = 0; i < v.chunks; i++)
        v.data[i] = kind == 0 ? 0 : kind == 1 ? ~0u : r();
    v.data[v.chunks - 1] &= v.msb_mask;
}}
struct Top {{
{declared}
void draw_all(std::mt19937 &r) {{ {drawn} }}
{functions}
}};
int main() {{
    static Top top;
    std::mt19937 r({number});
    int wrong = 0;
    for (int round = 0; round < 100; round++) {{
        top.draw_all(r);
{checks}
    }}
    return wrong != 0;
}}
"""


def test_results_are_those_of_the_templates(tmp_path):
    number = seed(0)
    make = Expressions(number)
    declared = "".join(f"\tvalue<{width}> p_s{width};\n\tvalue<{width}> i_r{width};\n"
                       f"\twire<{width}> p_w{width};\n" for width in WIDTHS)
    drawn = " ".join(f"draw(p_s{width}, r); draw(p_w{width}.curr, r);" for width in WIDTHS)
    functions = checks = ""
    changed = 0
    for index in range(260):
        width = WIDTHS[index % len(WIDTHS)]
        text = make.make(width, 1 + index % 3)
        plain = "\n".join(lines(f"i_r{width} = {text};"))
        changed += ".data[0] = " in plain
        functions += (f"value<{width}> cxxrtl_{index}() {{ return {text}; }}\n"
                      f"value<{width}> plain_{index}() {{ {plain} return i_r{width}; }}\n")
        checks += (f'if (top.cxxrtl_{index}() != top.plain_{index}()) '
                   f'{{ wrong++; puts("{index}: {text}"); }}\n')
    assert changed == 260
    code = tmp_path / "compare.cc"
    code.write_text(PROGRAM.format(declared=declared, drawn=drawn, functions=functions,
                                   number=number, checks=checks))
    headers = rtl_build._headers(rtl_build._yosys())
    subprocess.run([rtl_build.find_compiler(), "-std=c++17", "-w", f"-I{headers}", code, "-o",
                    tmp_path / "compare"], check=True)
    done = subprocess.run([tmp_path / "compare"], capture_output=True, text=True, check=False)
    assert not done.returncode, f"seed {number}: {sorted(set(done.stdout.splitlines()))[:5]}"


def test_part_of_a_signal_keeps_the_other_bits():
    assert lines("i_r40.slice<35,30>() = p_s8.slice<5,0>().val();") == [
        "i_r40.data[0] = (i_r40.data[0] & 0x3fffffffu) | (p_s8.data[0] & 0x3u) << 30;",
        "i_r40.data[1] = (i_r40.data[1] & 0xfffffff0u) | ((p_s8.data[0] >> 2) & 0xfu) << 0;"]


def test_several_targets_and_bits_that_nothing_uses():
    assert lines("value<1>().concat(i_r8).concat(i_r2.slice<1>()) = p_s19.slice<9,0>().val();") == [
        "i_r2.data[0] = (i_r2.data[0] & 0xfffffffdu) | (p_s19.data[0] & 0x1u) << 1;",
        "i_r8.data[0] = ((p_s19.data[0] >> 1) & 0xffu);"]


def test_expression_for_several_words_is_computed_once():
    found = lines("p_w65.next = (lt_uu<1>(p_s8, p_s2) ? p_s65 : p_w65.curr);")
    assert found[:2] == ["{", "const bool t0 = (p_s8.data[0] < p_s2.data[0]);"]
    assert found[2] == "p_w65.next.data[0] = (t0 ? p_s65.data[0] : p_w65.curr.data[0]);"
    assert len(found) == 6


def test_conditions_and_addresses_of_memories():
    assert lines("if (and_uu<1>(p_s1, p_w1.curr)) {") == [
        "if ((p_s1.data[0] & p_w1.curr.data[0])) {"]
    assert lines("auto tmp_3 = memory_index(p_s8, 0, 256);") == [
        "struct { size_t index; bool valid = true; } tmp_3{p_s8.data[0]};"]
    assert lines("auto tmp_3 = memory_index(p_s8, 0, 200);") == [
        "struct { size_t index; bool valid = index < 200u; } tmp_3{p_s8.data[0]};"]


@pytest.mark.parametrize("line", [
    "p_other = p_s8;", "value<8> tmp_1 = memory_p_m[tmp_0.index];", "if (tmp_0.valid) {",
    "auto tmp_3 = memory_index(p_s8, 16, 16);", "i_r8 = add_uu<8>(i_r8, p_s8);", "// cell p_s8",
    "memory_p_m.update(tmp_0.index, p_s8, p_s8, 0);"])
def test_other_lines_stay(line):
    assert lines(line) == [line]


def test_memory_of_zeros_is_filled_without_a_table():
    zeros = ("\tstatic const value<40> mem_init_1[3] {\n\t\tvalue<40>{0x00000000u,0x00u}, "
             "value<40>{0x00000000u,0x00u},\n\t\tvalue<40>{0x00000000u,0x00u},\n\t};\n"
             "\tstd::copy(std::begin(mem_init_1), std::end(mem_init_1), &memory_p_m.data[2]);\n")
    assert plain_integers(zeros + EVAL) == (
        "\tstd::fill_n(&memory_p_m.data[2], 3, value<40>{});\n" + EVAL)
    other = zeros.replace("0x00u},\n\t};", "0x10u},\n\t};")
    assert plain_integers(other + EVAL) == other + EVAL


def test_long_concatenations_do_not_exceed_the_depth_of_recursion():
    chain = "p_s1" + ".concat(p_s1)" * 2999
    found = lines(f"p_w3000.next = {chain}.val();", [1, 3000])
    assert len(found) > 90
    line = f"{chain} = p_s3000;"
    assert lines(line, [1, 3000])       # as it is, or as 3000 stores
