"""Moves single tables and registers of a placed ECP5 design to where the clock needs them.

nextpnr's placer pulls cells together, and then looks for each one the nearest free place. Some end
far from all their neighbours, and each of them is the slowest path of the design. Here those are
found with nextpnr's own estimate of a wire's delay, and moved, one after the other, to free places
between what drives them and what they drive.
"""

import collections
import json
import re

__all__ = ["Placement", "refine"]

_BEL = re.compile(r"X(\d+)/Y(\d+)/SLICE([A-D])\.(K|FF)([01])$")
_ANY_BEL = re.compile(r"X(\d+)/Y(\d+)/")
# nanoseconds at grade 6, as nextpnr has them
_STEP = 0.080
_DELAYS = {"lut": 0.24, "wide": 0.2, "carry": 0.035, "into_carry": 0.45, "of_carry": 0.4,
           "clock_to_q": 0.52, "setup": 0.2}
_OUT = {"DP16KD": 5.7, "MULT18X18D": 0.9}
_DATA = ("A", "B", "C", "D", "M", "FCI", "FXA", "FXB", "F1")
_INSIDE = {"FCI", "FXA", "FXB", "F1", "DI"}
_GROUP = 6              # slices that move together at most
_NEAR = 1.5             # ns between them
_CLOCKS = {"CLK", "CLK0", "CLK1", "CLKA", "CLKB", "WCK"}


class Placement:
    """A design that nextpnr has placed, and what it knows of the time its signals take.

    Parameters
    ----------
    netlist : :class:`dict`
        What nextpnr writes with ``--write``.
    period : :class:`float`
        Nanoseconds.
    """

    def __init__(self, netlist, period):
        self.period = period
        self.cells = netlist["modules"]["top"]["cells"]
        self.at, self.spot = {}, {}             # of a cell: tile, (slice, kind, half)
        self.taken = collections.defaultdict(dict)      # of a tile: {spot: cell}
        for name, cell in self.cells.items():
            bel = cell["attributes"].get("NEXTPNR_BEL")
            if not bel:
                continue
            found = _BEL.match(bel)
            self.at[name] = tuple(map(int, _ANY_BEL.match(bel).groups()))
            if found:
                self.spot[name] = found[3], found[4], int(found[5])
                self.taken[self.at[name]][self.spot[name]] = name
        self._connect()
        self._sort()

    # -- the netlist ---------------------------------------------------------------------------

    def _connect(self):
        self.driver, self.sinks = {}, collections.defaultdict(list)
        for name, cell in self.cells.items():
            if name not in self.at:
                continue
            for port, bits in cell["connections"].items():
                for bit in bits:
                    if isinstance(bit, str):
                        continue
                    if cell["port_directions"].get(port) == "output":
                        self.driver[bit] = name, port
                    elif port not in _CLOCKS:
                        self.sinks[bit].append((name, port))
        for bit in [bit for bit, (name, _) in self.driver.items()
                    if "PACKER" in name or self.cells[name]["type"] in ("DCCA", "EHXPLLL")]:
            del self.driver[bit]                # constants, clocks
            self.sinks.pop(bit, None)
        self.inputs = collections.defaultdict(list)     # of a cell: (port, bit)
        for bit, places in self.sinks.items():
            if bit in self.driver:
                for name, port in places:
                    self.inputs[name].append((port, bit))
        self.outputs = collections.defaultdict(list)    # of a cell: bits
        for bit, (name, _) in self.driver.items():
            self.outputs[name].append(bit)

    def _is_table(self, name):
        return self.cells[name]["type"] == "TRELLIS_COMB" \
            and self.cells[name]["parameters"].get("MODE") != "RAMW_BLOCK"

    def _sort(self):
        """Bits that tables drive, each after those that it depends on."""
        waiting, ready = {}, []
        for bit, (name, _) in self.driver.items():
            if self._is_table(name):
                waiting[bit] = sum(self._is_table(self.driver[source][0])
                                   for port, source in self.inputs[name] if port in _DATA)
                if not waiting[bit]:
                    ready.append(bit)
        self.order = []
        while ready:
            bit = ready.pop()
            self.order.append(bit)
            for name, port in self.sinks.get(bit, ()):
                if port in _DATA and self._is_table(name):
                    for out in self.outputs[name]:
                        waiting[out] -= 1
                        if not waiting[out]:
                            ready.append(out)

    # -- time ----------------------------------------------------------------------------------

    def wire(self, source, sink, port):
        """Delay from cell to cell."""
        return 0.0 if port in _INSIDE else wire(self.at[source], self.at[sink])

    def _through(self, port, out):
        if port == "FCI":
            return _DELAYS["carry"] if out == "FCO" else _DELAYS["into_carry"]
        if port in ("FXA", "FXB", "F1"):
            return _DELAYS["wide"]
        return {"F": _DELAYS["lut"], "FCO": _DELAYS["into_carry"]}.get(out, _DELAYS["of_carry"])

    def time(self):
        """Sets ``arrival`` and ``required`` of all bits; returns the slacks of the ends."""
        arrival = {}
        for bit, (name, _) in self.driver.items():
            if not self._is_table(name):
                arrival[bit] = _OUT.get(self.cells[name]["type"], _DELAYS["clock_to_q"])
        for bit in self.order:
            name, out = self.driver[bit]
            arrival[bit] = max((arrival[source] + self.wire(self.driver[source][0], name, port)
                                + self._through(port, out)
                                for port, source in self.inputs[name]
                                if port in _DATA and source in arrival), default=0.0)
        self.arrival = arrival
        self.required = {}
        slacks = []
        for name, inputs in self.inputs.items():
            if not self._is_table(name):
                for port, bit in inputs:
                    if bit in arrival:
                        needed = self._end(name, port, bit)
                        slacks.append((needed - arrival[bit], name))
        for bit in reversed(self.order):
            self._require(bit)
        return slacks

    def _end(self, name, port, bit):
        needed = self.period - _DELAYS["setup"] - self.wire(self.driver[bit][0], name, port)
        if needed < self.required.get(bit, 1e9):
            self.required[bit] = needed
        return needed

    def _require(self, bit):
        """Hands the required time of a table's output on to its inputs."""
        if bit not in self.required:
            return
        name, out = self.driver[bit]
        for port, source in self.inputs[name]:
            if port in _DATA:
                needed = self.required[bit] - self._through(port, out) \
                    - self.wire(self.driver[source][0], name, port)
                if needed < self.required.get(source, 1e9):
                    self.required[source] = needed

    # -- what may move, and where to -----------------------------------------------------------

    def unit(self, name):
        """``name`` and all that shares wires inside a slice with it; none if it may not move."""
        unit, todo = set(), [name]
        while todo:
            cell = todo.pop()
            if cell in unit:
                continue
            if cell not in self.spot or self.cells[cell]["parameters"].get("MODE") \
                    or self.cells[cell]["type"] not in ("TRELLIS_COMB", "TRELLIS_FF"):
                return ()
            unit.add(cell)
            todo += [self.driver[bit][0] for port, bit in self.inputs[cell] if port in _INSIDE]
            todo += [sink for bit in self.outputs[cell]
                     for sink, port in self.sinks.get(bit, ()) if port in _INSIDE]
        return tuple(sorted(unit))

    def _control(self, name, ports, muxes):
        cell = self.cells[name]
        return [cell["connections"].get(port) or [] for port in ports] \
            + [cell["parameters"].get(mux) for mux in muxes]

    def _of_tile(self, name):
        """What registers of a tile share."""
        return self._control(name, ("CLK", "LSR"), ("CLKMUX", "LSRMUX", "SRMODE"))

    def _of_slice(self, name):
        """What registers of a slice share."""
        return self._control(name, ("CE",), ("CEMUX", "GSR"))

    def places(self, tile, unit):
        """The spots in ``tile`` that the cells of ``unit`` may take, in its order; or nothing."""
        taken = self.taken[tile]
        if any(self.cells[other]["parameters"].get("MODE") in ("DPRAM", "RAMW_BLOCK")
               for other in taken.values()):
            return None
        registers = [name for name in unit if self.spot[name][1] == "FF"]
        for name in registers[:1]:
            if any(spot[1] == "FF" and self._of_tile(other) != self._of_tile(name)
                   for spot, other in taken.items()):
                return None
        letters = {self.spot[name][0] for name in unit}
        for letter in "ABCD":
            for flip in (0, 1) if len(unit) == 1 else (0,):
                spots = [(letter if len(letters) == 1 else at, kind, half ^ flip)
                         for at, kind, half in (self.spot[name] for name in unit)]
                if all(self._fits(taken, name, spot) for name, spot in zip(unit, spots)):
                    return spots
        return None

    def _fits(self, taken, name, spot):
        letter, kind, half = spot
        if spot in taken:
            return False
        if kind == "FF":
            other = taken.get((letter, "FF", 1 - half))
            table = taken.get((letter, "K", half))
            return (other is None or self._of_slice(other) == self._of_slice(name)) and not (
                table and self.cells[table]["connections"].get("M")
                and self.cells[name]["connections"].get("M"))
        other = taken.get((letter, "K", 1 - half))
        register = taken.get((letter, "FF", half))
        return not (other and self.cells[other]["parameters"].get("MODE")) and not (
            register and self.cells[name]["connections"].get("M")
            and self.cells[register]["connections"].get("M"))

    def slack(self, where):
        """The least slack of ways through the cells of ``where`` if they were in the tiles that it
        gives them, all else as it is."""
        worst, late = 1e9, {}
        todo = []
        for name, tile in where.items():
            table = self._is_table(name)
            for port, bit in self.inputs[name]:
                source = self.driver[bit][0]
                if source in where:
                    todo.append((bit, source, name, port, table))
                elif bit in self.arrival:
                    come = self.arrival[bit] + wire(self.at[source], tile)
                    if not table:
                        worst = min(worst, self.period - _DELAYS["setup"] - come)
                    else:
                        self._late(late, name, port, come)
            if not table:
                for bit in self.outputs[name]:
                    late[bit] = _DELAYS["clock_to_q"]
        for _ in range(len(where)):             # as far as a way through all of them is long
            changed = False
            for bit, source, name, port, table in todo:
                if table and bit in late:
                    wired = 0.0 if port in _INSIDE else wire(where[source], where[name])
                    changed |= self._late(late, name, port, late[bit] + wired)
            if not changed:
                break
        for bit, source, name, port, table in todo:
            if not table and bit in late:
                wired = 0.0 if port in _INSIDE else wire(where[source], where[name])
                worst = min(worst, self.period - _DELAYS["setup"] - late[bit] - wired)
        for name, tile in where.items():
            for bit in self.outputs[name]:
                for sink, port in self.sinks.get(bit, ()):
                    if sink not in where:
                        needed = self._needed_at(sink, port)
                        if needed is not None:
                            worst = min(worst, needed - wire(tile, self.at[sink])
                                        - late.get(bit, 0))
        return worst

    def _late(self, late, name, port, come):
        """Hands an arrival on to the outputs of a table; whether one became later."""
        changed = False
        for out in self.outputs[name]:
            then = come + self._through(port, self.driver[out][1])
            if then > late.get(out, 0):
                late[out] = then
                changed = True
        return changed

    def _needed_at(self, sink, port):
        if not self._is_table(sink):
            return self.period - _DELAYS["setup"]
        needed = [self.required[out] - self._through(port, self.driver[out][1])
                  for out in self.outputs[sink] if out in self.required]
        return min(needed, default=None)

    def neighbours(self, unit):
        """Tiles of what drives ``unit`` and of what it drives."""
        return [self.at[self.driver[bit][0]] for name in unit for _, bit in self.inputs[name]
                if self.driver[bit][0] not in unit] + [
            self.at[sink] for name in unit for bit in self.outputs[name]
            for sink, _ in self.sinks.get(bit, ()) if sink not in unit]

    def put(self, where):
        """Puts cells where they are to be: ``{cell: (tile, spot)}``."""
        for name in where:
            del self.taken[self.at[name]][self.spot[name]]
        for name, (tile, spot) in where.items():
            self.taken[tile][spot] = name
            self.at[name], self.spot[name] = tile, spot
            letter, kind, half = spot
            self.cells[name]["attributes"]["NEXTPNR_BEL"] = \
                f"X{tile[0]}/Y{tile[1]}/SLICE{letter}.{kind}{half}"


def wire(source, sink):
    """nextpnr's estimate of the delay between two tiles at grade 6, in ns."""
    dx, dy = abs(source[0] - sink[0]), abs(source[1] - sink[1])
    return _STEP * (6 + max(dx - 5, 0) + max(dy - 5, 0) + 2 * (min(dx, 5) + min(dy, 5)))


def _candidates(placement, unit):
    """Tiles worth a try: around the middle of the neighbours, and on the way between them."""
    tiles = placement.neighbours(unit)
    if not tiles:
        return []
    xs, ys = sorted(tile[0] for tile in tiles), sorted(tile[1] for tile in tiles)
    points = {(xs[len(xs) * part // 8], ys[len(ys) * part // 8]) for part in (1, 2, 4, 6, 7)}
    points |= {((xs[0] + xs[-1]) // 2, (ys[0] + ys[-1]) // 2)}
    return sorted(set(_around(points)) & placement.taken.keys())


def _around(points, reach=4):
    return ((x + dx, y + dy) for x, y in points
            for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1))


def refine(placement, *, rounds=12, report=lambda text: None):
    """Moves cells until no round helps; returns how many moves there were."""
    moves = 0
    for number in range(rounds):
        slacks = [slack for slack, _ in placement.time()]
        report(f"round {number}: slowest {placement.period - min(slacks):.1f} ns, "
               f"{sum(slack < 0 for slack in slacks):,} ends late")
        found = {}
        for bit, needed in placement.required.items():
            slack = needed - placement.arrival[bit]
            if slack < 0:
                for name in (placement.driver[bit][0], *(
                        name for name, _ in placement.sinks[bit])):
                    found[name] = min(slack, found.get(name, 0))
        count = 0
        done = set()
        for name in sorted(found, key=lambda name: (found[name], name)):
            if name in done:
                continue
            unit = placement.unit(name)
            done.update(unit)
            if unit:
                count += _improve(placement, unit) or _improve_group(placement, unit, found)
        moves += count
        if not count:
            break
    return moves


def _improve(placement, unit):
    """Moves what is in a slice to a better tile; whether there was one."""
    here = placement.at[unit[0]]
    now = placement.slack(dict.fromkeys(unit, here))
    if now >= 0:
        return True
    ranked = sorted(((placement.slack(dict.fromkeys(unit, tile)), tile)
                     for tile in _candidates(placement, unit)), reverse=True)
    for slack, tile in ranked:
        if slack < now + 0.1:
            return False
        spots = tile != here and placement.places(tile, unit)
        if spots:
            placement.put({name: (tile, spot) for name, spot in zip(unit, spots)})
            return True
    return False


def _improve_group(placement, unit, late):
    """Moves neighbours on late ways together: one alone would only make the other's way longer."""
    units = [unit]
    members = set(unit)
    for known in units:
        for name in known:
            near = [placement.driver[bit][0] for _, bit in placement.inputs[name]] + [
                sink for bit in placement.outputs[name]
                for sink, _ in placement.sinks.get(bit, ())]
            for other in near:
                if len(units) < _GROUP and other in late and other not in members and \
                        wire(placement.at[other], placement.at[unit[0]]) < _NEAR:
                    found = placement.unit(other)
                    if found:
                        members.update(found)
                        units.append(found)
    if len(units) == 1:
        return False
    before = {name: placement.at[name] for name in members}
    now = placement.slack(before)
    if now >= 0:
        return True
    ranked = sorted(((placement.slack(dict.fromkeys(members, tile)), tile)
                     for tile in _candidates(placement, tuple(members))), reverse=True)
    for slack, tile in ranked[:3]:
        if slack < now + 0.3:
            return False
        spots = {name: placement.spot[name] for name in members}
        if _move_all(placement, units, tile) \
                and placement.slack({name: placement.at[name] for name in members}) > now + 0.1:
            return True
        placement.put({name: (before[name], spots[name]) for name in members})
    return False


def _move_all(placement, units, tile):
    """Puts ``units`` into ``tile`` and those around it; whether all found a place."""
    tiles = sorted(set(_around([tile], 3)) & placement.taken.keys(),
                   key=lambda other: wire(tile, other))
    for unit in units:
        for other in tiles:
            spots = placement.places(other, unit)
            if spots:
                placement.put({name: (other, spot) for name, spot in zip(unit, spots)})
                break
        else:
            return False
    return True
