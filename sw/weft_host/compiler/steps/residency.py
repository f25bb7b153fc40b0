"""Decides which tensors stay in the scratchpad between the layers that make and read them."""

import collections
import dataclasses

from ..plan.scratchpad_allocation import Item, place
from ..verdict import CapacityError
from .input_buffer import Home

__all__ = ["Arrangement", "arrange", "ends"]

SLOWER = 1.1
"""A tensor is not kept on chip if what is left of the scratchpad makes a layer this much slower, in
estimated cycles, and moving it to host memory and back would cost less."""


EARLY = ("params", "constant")
"""Buffers that are filled while the step before runs, if there is room."""


@dataclasses.dataclass
class Arrangement:
    """Plans and addresses of all steps.

    Attributes
    ----------
    plans : list
        The plan of each step.
    buffers : list of dict of str to list of int
        Addresses of each step's own buffers, by what they are for.
    homes : dict of int to :class:`Home`
        Tensors that stay on chip, by root index.
    early : :class:`bool`
        A step has the buffers for its parameters while the step before runs.
    """

    plans: list
    buffers: list
    homes: dict
    early: bool


@dataclasses.dataclass
class _Tensor:
    """A tensor that could stay on chip, from step ``first`` to ``last``.

    Tensors with the same ``group`` have one place: each becomes the next one where it lies.
    """

    home: Home
    first: int
    last: int
    group: int

    @property
    def size(self):
        return self.home.size


def arrange(steps, config, *, keep_on_chip=True):
    """An :class:`Arrangement` for ``steps`` in order.

    Raises
    ------
    CapacityError
        If a step does not fit even with nothing else in the scratchpad.
    """
    apart = _candidates(steps, config) if keep_on_chip else {}
    tensors = _in_place(steps, apart)
    cache: dict = {}

    def plan(number, budget, sources, target):
        key = number, budget, sources, target
        if key not in cache:
            try:
                cache[key] = steps[number].plan(config, budget, sources, target)
            except CapacityError as error:
                cache[key] = error
        return cache[key]

    while True:
        plans, victim = _plans(steps, config, tensors, plan)
        if victim is None:
            arrangement, victim = _placed(steps, config, tensors, plans)
        if victim is None:
            return arrangement
        # a place for two is given up first, then the tensor's own
        group = [root for root, tensor in tensors.items()
                 if tensor.group == tensors[victim].group]
        if len(group) > 1:
            tensors.update((root, apart[root]) for root in group)
        else:
            del tensors[victim]


def _candidates(steps, config):
    """Tensors that one step makes, others read, and all can address in one layout."""
    made = {step.target: number for number, step in enumerate(steps)}
    readers: dict[int, list] = {}
    for number, step in enumerate(steps):
        for slot, source in enumerate(step.sources):
            readers.setdefault(source, []).append((number, slot))
    found = {}
    for root, maker in made.items():
        uses = readers.get(root, [])
        makes = steps[maker].makes()
        needs = [steps[number].reads(slot) for number, slot in uses]
        if not uses or makes is None or None in needs or min(n for n, _ in uses) <= maker:
            continue
        home = _home(makes, needs)
        if home is not None and home.size <= config.spad_bytes:
            first = maker - _takes_blocks(steps, maker)
            found[root] = _Tensor(home, first, max(number for number, _ in uses), root)
    return found


def _in_place(steps, tensors):
    """The tensors, with an operand of an elementwise step in the place of its result."""
    tensors = dict(tensors)
    reads = collections.Counter(source for step in steps for source in step.sources)
    for step in steps:
        target = tensors.get(step.target)
        if not step.takes_blocks or target is None:
            continue
        shape = target.home.height, target.home.width, target.home.channels
        for root in step.sources:
            source = tensors.get(root)
            if source is not None and reads[root] == 1 and source.home.gapless and shape == (
                    source.home.height, source.home.width, source.home.channels):
                tensors[root] = dataclasses.replace(
                    source, home=dataclasses.replace(target.home, bare=True), group=target.group)
                break
    return tensors


def _takes_blocks(steps, number):
    """The step may begin while the one before runs: it takes what that one makes, in blocks."""
    return number > 0 and steps[number].takes_blocks and steps[number - 1].makes_blocks \
        and steps[number - 1].target in steps[number].sources


def _home(makes, needs):
    """The layout that suits all, or ``None``."""
    surplus = max(need.surplus for need in needs)
    if not any(need.halo_needed for need in needs):
        height, width, channels = makes.shape
        return Home(height=height, width=width, channels=channels, surplus=surplus)
    shapes = {need.shape for need in [makes, *needs]}
    halos = {need.halo for need in needs if need.halo_needed}
    if len(shapes) > 1 or len(halos) > 1:
        return None
    height, width, channels = makes.shape
    return Home(height=height, width=width, channels=channels, halo=halos.pop(), surplus=surplus,
                **{side: max(getattr(need, side) for need in needs)
                   for side in ("top", "left", "bottom", "right")})


def _live(tensors, number):
    return {root: tensor for root, tensor in tensors.items()
            if tensor.first <= number <= tensor.last}


def ends(step, homes):
    """Homes of a step's inputs and of its output, as the step sees them; ``None`` has no home."""
    sources = tuple(homes[source].seen_as(step.reads(slot).shape) if source in homes else None
                    for slot, source in enumerate(step.sources))
    target = homes.get(step.target)
    return sources, None if target is None else target.seen_as(step.makes().shape)


def _plans(steps, config, tensors, plan):
    """``(plans, None)``, or ``(None, the tensor to give up)``."""
    plans = []
    for number, step in enumerate(steps):
        live = _live(tensors, number)
        sources, target = ends(step, {root: tensor.home for root, tensor in live.items()})
        groups = {tensor.group: tensor.size for tensor in live.values()}
        used = sum(-(-size // config.spad_row_bytes) * config.spad_row_bytes for size in groups.values())
        found = plan(number, config.spad_bytes - used, sources, target)
        if live:
            largest = max(live, key=lambda root: (live[root].size, root))
            if isinstance(found, CapacityError):
                return None, largest
            # what the layer could do with all of the scratchpad, its tensors in host memory
            free = plan(number, config.spad_bytes, (None,) * len(sources), None)
            if not isinstance(free, CapacityError):
                moved = 2 * live[largest].size // config.bus_bytes
                if found.cycles > SLOWER * free.cycles + moved:
                    return None, largest
        elif isinstance(found, CapacityError):
            raise found
        plans.append(found)
    return plans, None


def _placed(steps, config, tensors, plans):
    """``(arrangement, None)``, or ``(None, the tensor to give up)``."""
    early = True        # parameters are loaded while the step before runs
    while True:
        places: dict[int, Item] = {}
        for tensor in tensors.values():
            item = places.setdefault(tensor.group, Item(
                tensor.size, tensor.first, tensor.last, f"tensor {tensor.group}"))
            item.first, item.last = min(item.first, tensor.first), max(item.last, tensor.last)
        homes = {root: places[tensor.group] for root, tensor in tensors.items()}
        buffers: list[dict[str, list[Item]]] = []
        for number, (step, plan) in enumerate(zip(steps, plans)):
            own = {use: [Item(size, max(0, number - (early and use in EARLY)), number,
                              f"step {number} {use}") for size in sizes]
                   for use, sizes in step.buffers(plan).items()}
            buffers.append(own)
            reads = [homes[source] for source in step.sources if source in homes]
            reads += own.get("act", [])
            # a bank reads for one port at a time, and writes for one: VECTOR reads parameters
            # and STORE reads outputs while MATMUL reads vectors
            others = own.get("out", []) + own.get("params", [])
            for read in reads:
                read.apart += others
            for other in others:
                other.apart += reads
            for use in ("act", "out"):
                for item in own.get(use, []):
                    item.near += [other for other in own[use] if other is not item]
        items = [*places.values(), *(item for own in buffers for group in own.values()
                                    for item in group)]
        failed = place(items, config)
        if failed is None:
            return Arrangement(
                plans, [{use: [item.address for item in group] for use, group in own.items()}
                        for own in buffers],
                {root: dataclasses.replace(tensor.home, address=homes[root].address)
                 for root, tensor in tensors.items()}, early), None
        if early:
            early = False
            continue
        live = _live(tensors, failed.first) | _live(tensors, failed.last)
        if not live:
            raise AssertionError(f"{failed.name} finds no room although its plan fits")
        return None, max(live, key=lambda root: (live[root].size, root))
