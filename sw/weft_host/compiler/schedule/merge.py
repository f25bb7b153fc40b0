"""Instructions of a unit that differ by what rows differ by become one instruction with ``each``.

Units do the same at the same time: every row still takes and gives its own tokens. What falls is
the number of instructions, which are read over the same port as weights.
"""

import bisect
import dataclasses
import itertools

from weft.spec import isa
from weft.spec.config import UNITS
from weft.spec.iterations import OUTER_LOOPS, iterations

__all__ = ["Merged", "merge"]

MAX_ITERATIONS = 64
MOST_TOKENS = 255
_COPIES = ("LOAD", "LOAD_WGT", "STORE")


@dataclasses.dataclass
class Merged:
    """An instruction of the program.

    Attributes
    ----------
    drafts : list of :class:`int`
        The drafts that it is, in order.
    name : :class:`str`
    fields : dict of :class:`str` to :class:`int`
        All but the tokens.
    wait, signal : :class:`int`
        Those of each row.
    """

    drafts: list
    name: str
    fields: dict
    wait: int
    signal: int

    @property
    def unit(self):
        """The unit that executes it."""
        return isa.BY_NAME[self.name].unit


def merge(order, tokens, drafts, config):
    """The program as :class:`Merged`, in its order: where the first row of each was.

    Parameters
    ----------
    order : list of :class:`int`
        Drafts in the order of the program.
    tokens : list of (wait, signal)
        Masks of each, in that order.
    drafts : list of :class:`Draft`
    config : :class:`weft.spec.config.Config`
    """
    most = 1 if config.compact else MAX_ITERATIONS      # that engine has no each
    while True:
        found = _merged(order, tokens, drafts, config, most)
        if most == 1 or _open_tokens(found, config.queue_depth) <= MOST_TOKENS:
            return found
        most //= 2


def _merged(order, tokens, drafts, config, most):
    found: list[Merged] = []
    latest: list[Merged | None] = [None] * len(UNITS)
    for index, (wait, signal) in zip(order, tokens):
        draft = drafts[index]
        group = latest[draft.unit]
        if group is not None and len(group.drafts) < most \
                and (wait, signal) == (group.wait, group.signal):
            first = drafts[group.drafts[0]]
            if (first.layer, first.host) == (draft.layer, draft.host):
                fields = _joined(config, group, draft)
                if fields is not None:
                    group.fields = fields
                    group.drafts.append(index)
                    continue
        group = Merged([index], draft.name, dict(draft.fields), wait, signal)
        latest[draft.unit] = group
        found.append(group)
    return found


def _joined(config, group, draft):
    """The fields of ``group`` with ``draft`` as its next row, or ``None``."""
    loop = OUTER_LOOPS.get(group.name)
    if loop is None or draft.name != group.name or draft.fields[loop.count] != 1:
        return None
    if len(group.drafts) == 1:
        if group.fields[loop.count] != 1:
            return None
        fields = _first_pair(config, group.name, group.fields, draft.fields)
        if fields is None:
            return None
    else:
        fields = dict(group.fields)
        fields[loop.count] += 1
    *_, last = iterations(config, group.name, fields)
    own = _as_row(group.name, draft.fields, last)
    return fields if own == last else None


def _first_pair(config, name, one, other):
    """An instruction of which ``one`` and ``other`` may be the two rows, or ``None``."""
    loop = OUTER_LOOPS[name]
    fields = dict(one, each=1, **{loop.count: 2})
    for increment in loop.increments:
        step = other[increment.field] - one[increment.field]
        if increment.step.endswith("_pitch"):
            if not 0 <= step < 1 << isa.BY_NAME[name].field(increment.step).width:
                return None
            fields[increment.step] = step
        elif increment.flag == "apart":
            fields["apart"] = int(step != 0)
    if name == "MATMUL" and fields["apart"] and fields["y_count"] != 1:
        return None
    return fields


def _as_row(name, fields, row):
    """A draft's fields, with those that make no difference to a row as they are in ``row``."""
    loop = OUTER_LOOPS[name]
    free = ["each", "apart"] + [increment.step for increment in loop.increments
                                if increment.step.endswith("_pitch")]
    return dict(fields, **{key: row[key] for key in free if key in row})


def _open_tokens(found, queue_depth):
    """At most so many tokens of one kind can be given and not taken.

    While an instruction of a unit waits, no more than ``queue_depth`` others of its unit are behind
    it and one that finds no room: what comes after that in the program has not begun.
    """
    worst = 0
    for source, target in itertools.permutations(range(len(UNITS)), 2):
        gives, given = [], [0]
        for place, group in enumerate(found):
            if group.unit == source and group.signal >> target & 1:
                gives.append(place)
                given.append(given[-1] + len(group.drafts))
        places = [place for place, group in enumerate(found) if group.unit == target]
        taken = 0
        for number, place in enumerate(places):
            beyond = number + queue_depth + 2
            reach = places[beyond] if beyond < len(places) else len(found)
            worst = max(worst, given[bisect.bisect_left(gives, reach)] - taken)
            if found[place].wait >> source & 1:
                taken += len(found[place].drafts)
    return worst
