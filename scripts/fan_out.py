"""Copies registers and look-up tables that drive too much, before nextpnr places an ECP5 netlist.

nextpnr neither copies nor moves logic. A register that reaches hundreds of cells has one place, and
some of the cells are far from it: the way to them becomes the longest of the design. Here each
gets copies with a share of the cells each. Cells whose names are close come to one copy: bits
of a word, bytes of a row, which are placed side by side.
"""

from netlists import changing, natural

__all__ = ["MOST", "copy_drivers"]

MOST = 64
"""Inputs that one register or look-up table drives at most, where it can be copied."""

_OUTPUTS = {"TRELLIS_FF": "Q", "LUT4": "Z", "PFUMX": "Z", "L6MUX21": "Z"}
# a multiplexer behind look-up tables has them in its own slice
_WITHIN = {("PFUMX", "ALUT"), ("PFUMX", "BLUT"), ("L6MUX21", "D0"), ("L6MUX21", "D1")}
_CLOCKS = {"CLK", "CLK0", "CLK1", "CLKA", "CLKB", "WCK"}
# memories are far from each other; resets stay whole, since few of them fit one tile
_MEMORIES = {"DP16KD", "TRELLIS_DPR16X4"}
_FAR_APART = 6


def copy_drivers(path, *, most=MOST):
    """Rewrites the netlist of :command:`synth_ecp5` in ``path``; returns how many copies it got.

    What it computes stays the same. A copy has the inputs of its original, so these drive more
    than before; they are looked at afterwards, but none is looked at twice.
    """
    with changing(path) as netlist:
        module = next(module for module in netlist["modules"].values()
                      if "top" in module["attributes"])
        return _Copier(module, most).run()


class _Copier:
    def __init__(self, module, most):
        self.cells, self.names, self.most = module["cells"], module["netnames"], most
        self.free = 1 + max(bit for net in self.names.values() for bit in net["bits"]
                            if isinstance(bit, int))
        self.drivers = {}                       # of a bit: cell
        self.sinks = {}                         # of a bit: [(cell, port, index)]
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                drives = cell["port_directions"].get(port) == "output"
                for index, bit in enumerate(bits):
                    if isinstance(bit, str):
                        continue
                    if drives:
                        self.drivers[bit] = name
                    else:
                        self.sinks.setdefault(bit, []).append((name, port, index))
        self.todo = {bit for bit in self.sinks if self._load(bit) > most}
        self.done = set()

    def run(self):
        count = 0
        while self.todo:
            bit = max(self.todo, key=lambda bit: (len(self.sinks[bit]), bit))
            self.todo.remove(bit)
            self.done.add(bit)
            count += self._share(bit)
        return count

    def _weight(self, place):
        cell, port, _ = place
        if port == "LSR":
            return 0
        return _FAR_APART if self.cells[cell]["type"] in _MEMORIES else 1

    def _load(self, bit):
        return sum(map(self._weight, self.sinks[bit]))

    def _share(self, bit):
        """Spreads what ``bit`` drives over copies of what drives it; how many were made."""
        original = self.drivers.get(bit)
        if original is None or not self._can_copy(original):
            return 0
        if _CLOCKS & {port for _, port, _ in self.sinks[bit]}:
            return 0                            # it has wires of its own
        parts = -(-self._load(bit) // self.most)
        shares = [[] for _ in range(parts)]
        so_far = 0
        for place in sorted(self.sinks[bit], key=_order):
            shares[so_far * parts // self._load(bit) if self._weight(place) else 0].append(place)
            so_far += self._weight(place)
        self.sinks[bit] = shares[0]
        for part, share in enumerate(shares[1:], 1):
            new = self._copy(original, f"copy_{part}")
            for cell, port, index in share:
                self.cells[cell]["connections"][port][index] = new
            self.sinks[new] = share
        return parts - 1

    def _can_copy(self, name):
        cell = self.cells[name]
        return (cell["type"] in _OUTPUTS and "BEL" not in cell["attributes"]
                and all(self._can_copy(self.drivers[bits[0]])
                        for port, bits in cell["connections"].items()
                        if (cell["type"], port) in _WITHIN))

    def _copy(self, original, suffix):
        """The output of a new cell that is like ``original``."""
        cell = self.cells[original]
        name, output = f"{original}_{suffix}", _OUTPUTS[cell["type"]]
        new, self.free = self.free, self.free + 1
        connections = {}
        self.cells[name] = {**cell, "connections": connections}
        for port, bits in cell["connections"].items():
            if port == output:
                connections[port] = [new]
            elif (cell["type"], port) in _WITHIN:
                connections[port] = [self._copy(self.drivers[bits[0]], suffix)]
                self.sinks[connections[port][0]] = [(name, port, 0)]
            else:
                connections[port] = list(bits)
                for index, bit in enumerate(bits):
                    if not isinstance(bit, str):
                        self.sinks[bit].append((name, port, index))
                        if bit not in self.done and self._load(bit) > self.most:
                            self.todo.add(bit)
        self.names[f"{name}_{output}"] = {"hide_name": 1, "bits": [new], "attributes": {}}
        self.drivers[new] = name
        return new


def _order(place):
    cell, port, index = place
    return natural(cell), port, index
