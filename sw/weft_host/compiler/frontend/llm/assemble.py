"""Weights by role from tensors by name; every shape is checked against the architecture."""

import dataclasses
import re
from collections.abc import Mapping

from ...verdict import ModelError
from .architecture import Architecture
from .model_file import Layer, Norm, Projection, Weights
from .unsupported import Unsupported
from .weight_tensor import TYPES, VECTOR_TYPES, WeightTensor

__all__ = ["Assembler", "Names", "check_types"]

_NORMS = ("attention_norm", "feed_forward_norm", "q_norm", "k_norm")
_REQUIRED_BIASES: dict[str, tuple[str, ...]] = {
    "qwen2": ("q", "k", "v"), "gpt2": ("q", "k", "v", "output", "up", "down")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Names:
    """Names of the tensors in one file format and family, without ``.weight`` and ``.bias``.

    Attributes
    ----------
    model : dict of :class:`str`
        Names of ``embedding``, ``positions``, ``final_norm`` and ``head``.
    layer : dict of :class:`str`
        Names of the roles in a layer with ``{}`` for its index. ``qkv`` stands for the three
        projections in one tensor.
    transposed : :class:`bool`
        Whether the projections of layers are stored as ``(inputs, outputs)``.
    ignored : :class:`re.Pattern`
        Names of tensors without weights, such as masks.
    """

    model: Mapping[str, str]
    layer: Mapping[str, str]
    transposed: bool = False
    ignored: re.Pattern[str] = re.compile(r"(?!)")


def check_types(tensors: Mapping[str, WeightTensor], supported: tuple[str, ...],
                ignored: re.Pattern[str], unsupported: Unsupported) -> None:
    """Note the types of elements that are not supported, each with the tensors that have it.

    Parameters
    ----------
    tensors : dict of :class:`WeightTensor`
    supported : tuple of :class:`str`
    ignored : :class:`re.Pattern`
        Names of tensors without weights.
    unsupported : :class:`Unsupported`
        List that receives the types.
    """
    others: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.kind not in supported and not ignored.fullmatch(name):
            others.setdefault(tensor.kind, []).append(name)
    for kind, names in others.items():
        unsupported.add(f"elements of {kind}", f"tensor {names[0]!r}" + (
            f" and {len(names) - 1} more" if len(names) > 1 else "")
            + f"; supported are {', '.join(supported)}")


class Assembler:
    """Collects the weights of a model from its tensors.

    Parameters
    ----------
    source : :class:`str`
        Path of the model, for messages.
    architecture : :class:`Architecture`
        Sizes that the file states. Biases and normalised queries follow from the tensors.
    tensors : dict of :class:`WeightTensor`
        All tensors by name, with the shapes of the file.
    names : :class:`Names`
    unsupported : :class:`Unsupported`
        List that receives unknown tensors and types.
    """

    def __init__(self, source: str, architecture: Architecture,
                 tensors: Mapping[str, WeightTensor], names: Names,
                 unsupported: Unsupported) -> None:
        self._source, self._architecture, self._names = source, architecture, names
        self._tensors, self._unsupported = tensors, unsupported
        self._used: set[str] = set()
        self._problems: list[str] = []

    def assemble(self) -> tuple[Architecture, Weights]:
        """Return the weights, and the architecture with all that follows from them.

        Raises
        ------
        UnsupportedModelError
            If the file has unknown tensors or types of elements.
        ModelError
            If a tensor is missing or has another shape than the sizes require.
        """
        a = self._architecture
        embedding = self._take(self._names.model["embedding"] + ".weight", (a.vocabulary, a.dim))
        positions = (self._take(self._names.model["positions"] + ".weight", (a.context, a.dim))
                     if a.learned_positions else None)
        final_norm = self._norm(self._names.model["final_norm"], a.dim)
        head = (Projection(weight=embedding) if a.tied_head else
                self._projection(self._names.model["head"], a.vocabulary, a.dim, False))
        layers = []
        for index in range(a.layers):
            layers.append(self._layer(index))
            if self._problems:          # a wrong count of layers is reported once
                break
        self._report()
        weights = Weights(embedding=embedding, positions=positions, layers=tuple(layers),
                          final_norm=final_norm, head=head)
        biases = [tuple(role for role in ("q", "k", "v", "output", "gate", "up", "down")
                        if (part := getattr(layer, role)) is not None and part.bias is not None)
                  for layer in layers]
        if len(set(biases)) > 1:
            raise ModelError(f"{self._source} is damaged: layer 0 has biases of "
                             f"{list(biases[0])}, another layer of {list(max(biases))}; obtain the "
                             "file again")
        return dataclasses.replace(a, biases=biases[0]), weights

    def _report(self) -> None:
        left = sorted(name for name in self._tensors
                      if name not in self._used and not self._names.ignored.fullmatch(name))
        groups: dict[str, list[str]] = {}
        if not self._problems:
            for name in left:
                groups.setdefault(re.sub(r"\d+", "*", name), []).append(name)
        for group in groups.values():
            self._unsupported.add(f"tensor {group[0]!r}", "the architecture "
                                  f"{self._architecture.family!r} has no such tensor" + (
                                      f" ({len(group)} of this kind)" if len(group) > 1 else ""))
        self._unsupported.raise_if_any()
        if self._problems:
            raise ModelError(f"{self._source} is damaged: {self._problems[0]}; obtain the file "
                             "again")

    def _layer(self, index: int) -> Layer:
        a, names = self._architecture, self._names.layer
        queries, keys = a.heads * a.head_size, a.kv_heads * a.head_size
        stems = {role: name.format(index) for role, name in names.items()}
        required = _REQUIRED_BIASES.get(a.family, ())

        def projection(role: str, outputs: int, inputs: int) -> Projection:
            return self._projection(stems[role], outputs, inputs, role in required,
                                    self._names.transposed)

        if "qkv" in stems:
            fused = self._projection(stems["qkv"], queries + 2 * keys, a.dim, True,
                                     self._names.transposed)
            q, k, v = (self._part(fused, first, last) for first, last in (
                (0, queries), (queries, queries + keys), (queries + keys, queries + 2 * keys)))
        else:
            q, k, v = (projection("q", queries, a.dim), projection("k", keys, a.dim),
                       projection("v", keys, a.dim))
        qk_norms = ({role: self._norm(stems[role], a.head_size) for role in ("q_norm", "k_norm")}
                    if a.normalised_qk else {})
        return Layer(
            attention_norm=self._norm(stems["attention_norm"], a.dim), q=q, k=k, v=v,
            output=projection("output", a.dim, queries),
            feed_forward_norm=self._norm(stems["feed_forward_norm"], a.dim),
            gate=projection("gate", a.feed_forward, a.dim) if a.gated else None,
            up=projection("up", a.feed_forward, a.dim),
            down=projection("down", a.dim, a.feed_forward), **qk_norms)

    def _part(self, fused: Projection, first: int, last: int) -> Projection:
        if self._problems:          # the tensor may be too small, and is reported already
            return fused
        return Projection(weight=fused.weight.rows(first, last),
                          bias=fused.bias.rows(first, last) if fused.bias else None)

    def _projection(self, stem: str, outputs: int, inputs: int, bias: bool,
                    transposed: bool = False) -> Projection:
        weight = self._take(f"{stem}.weight", (outputs, inputs), transposed)
        name = f"{stem}.bias"
        return Projection(weight=weight, bias=self._take(name, (outputs,))
                          if bias or name in self._tensors else None)

    def _norm(self, stem: str, size: int) -> Norm:
        bias = (self._take(f"{stem}.bias", (size,)) if self._architecture.norm == "layer" else None)
        return Norm(weight=self._take(f"{stem}.weight", (size,)), bias=bias)

    def _take(self, name: str, shape: tuple[int, ...], transposed: bool = False) -> WeightTensor:
        """Return a tensor of the given shape, or note the problem and return any tensor."""
        self._used.add(name)
        found = self._tensors.get(name)
        if found is None:
            self._problems.append(f"tensor {name!r} is missing")
            return next(iter(self._tensors.values()))
        stored = shape[::-1] if transposed else shape
        if found.kind not in TYPES:
            pass                        # check_types has noted it
        elif len(shape) == 1 and found.kind not in VECTOR_TYPES:
            self._unsupported.add(f"tensor {name!r}", f"a vector of type {found.kind}; supported "
                                  f"are {', '.join(VECTOR_TYPES)}")
        elif found.shape != stored:
            self._problems.append(f"tensor {name!r} has the shape {found.shape}, but the sizes of "
                                  f"the model require {stored}")
        return dataclasses.replace(found, shape=shape, transposed=transposed)
