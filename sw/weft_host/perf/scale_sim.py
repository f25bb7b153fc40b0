"""Closed forms of SCALE-Sim: the cycles of a plain systolic array, for comparison.

Only convolutions and fully connected layers are counted, in sequence, and operands are always
available. A depthwise layer counts as one convolution whose channels share an input; a plain
systolic array would need more cycles for it.

Source: A. Samajdar et al., "A Systematic Methodology for Characterizing Scalability of DNN
Accelerators using SCALE-Sim", ISPASS 2020, section III.
"""

from __future__ import annotations

import dataclasses
import math

from weft.spec.integers import ceil_div

from ..compiler.frontend.graph import Graph

__all__ = ["Product", "output_stationary", "products", "weight_stationary"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Product:
    """Layer as a matrix product of ``m`` × ``k`` with ``k`` × ``n``.

    Attributes
    ----------
    operator : :class:`str`
        Name of the operator in TensorFlow Lite.
    m, k, n : :class:`int`
        Positions, multiplications per output, output channels.
    """

    operator: str
    m: int
    k: int
    n: int

    @property
    def macs(self) -> int:
        """Multiplications of the layer."""
        return self.m * self.k * self.n


def products(graph: Graph) -> list[Product]:
    """Return the layers of a graph that SCALE-Sim's array computes, in order.

    Parameters
    ----------
    graph : :class:`weft_host.compiler.frontend.graph.Graph`
    """
    found = []
    for op in graph.operators:
        if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        weights = graph.tensor(op.inputs[1]).shape
        outputs = graph.tensor(op.outputs[0]).shape
        depthwise = op.name == "DEPTHWISE_CONV_2D"
        n = weights[3] if depthwise else weights[0]
        k = math.prod(weights[1:3] if depthwise else weights[1:])
        found.append(Product(operator=op.name, m=math.prod(outputs) // n, k=k, n=n))
    return found


def weight_stationary(product: Product, rows: int, cols: int) -> int:
    """Return the cycles with stationary weights: a tile is loaded, then all positions pass."""
    tiles = ceil_div(product.k, rows) * ceil_div(product.n, cols)
    return (2 * rows + cols + product.m - 2) * tiles - 1


def output_stationary(product: Product, rows: int, cols: int) -> int:
    """Return the cycles with stationary sums: both operands stream through the array."""
    blocks = ceil_div(product.m, rows) * ceil_div(product.n, cols)
    return (rows + cols + product.k - 2) * blocks - 1
