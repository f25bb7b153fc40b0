"""Parts of a step, to which its instructions are attributed for listings and reports."""

import enum

__all__ = ["Part"]


class Part(enum.Enum):
    """Part of a layer, or of what is in front of and behind the layers.

    The value is a pair: the name of the part, and the kind of operation that it belongs to.

    Attributes
    ----------
    label : :class:`str`
        Name of the part, such as ``"query projection"``.
    kind : :class:`str`
        Kind of operation, such as ``"projections"``.
    """

    EMBEDDING = "embedding", "embedding"
    NORM = "norm", "norms"
    QUERY_KEY_VALUE = "query, key and value projections", "projections"
    OUTPUT = "output projection", "projections"
    HEAD_NORM = "norm of heads", "norms"
    ROTATION = "rotation", "rotation"
    CACHE = "cache", "cache"
    SCORES = "attention scores", "attention scores"
    SOFTMAX = "attention softmax", "attention softmax"
    VALUES = "attention values", "attention values"
    GATE_UP = "gate and up projections", "feed-forward"
    ACTIVATION = "activation", "feed-forward"
    DOWN = "down projection", "feed-forward"
    HEAD = "head", "head"

    def __init__(self, label: str, kind: str) -> None:
        self.label, self.kind = label, kind
