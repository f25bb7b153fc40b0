"""How long the textbook systolic array needs: SCALE-Sim's closed forms, for scale.

Only convolutions and fully connected layers are counted, one after the other, with operands that
are always there. A depthwise layer is counted as one convolution whose channels share an input:
the textbook array would need more.

Source: A. Samajdar et al., "A Systematic Methodology for Characterizing Scalability of DNN
Accelerators using SCALE-Sim", ISPASS 2020, section III.
"""

import dataclasses

__all__ = ["Product", "output_stationary", "products", "weight_stationary"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Product:
    """A layer as a matrix product of ``m`` x ``k`` with ``k`` x ``n``.

    Attributes
    ----------
    operator, m, k, n
        ``m`` positions, ``k`` products an output, ``n`` output channels.
    """

    operator: str
    m: int
    k: int
    n: int

    @property
    def macs(self):
        """Multiplications."""
        return self.m * self.k * self.n


def products(graph):
    """The layers of a graph that the textbook array computes, in order.

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
        n = weights[3] if op.name == "DEPTHWISE_CONV_2D" else weights[0]
        k = 1
        for size in weights[1:3] if op.name == "DEPTHWISE_CONV_2D" else weights[1:]:
            k *= size
        m = 1
        for size in outputs:
            m *= size
        found.append(Product(operator=op.name, m=m // n, k=k, n=n))
    return found


def _ceil(value, size):
    return -(-value // size)


def weight_stationary(product, rows, cols):
    """Cycles with weights that stay: each tile is shifted in, then the positions pass."""
    tiles = _ceil(product.k, rows) * _ceil(product.n, cols)
    return (2 * rows + cols + product.m - 2) * tiles - 1


def output_stationary(product, rows, cols):
    """Cycles with sums that stay: both operands stream past."""
    blocks = _ceil(product.m, rows) * _ceil(product.n, cols)
    return (rows + cols + product.k - 2) * blocks - 1
