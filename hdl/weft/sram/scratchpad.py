"""Scratchpad: memory for activations and parameters, accessible at any byte address."""

from .banked import BankedMemory
from .ports import PortShape

__all__ = ["Scratchpad"]


class Scratchpad(BankedMemory):
    """Memory of ``config.spad_bytes`` bytes that all units share; see :class:`BankedMemory`.

    Parameters
    ----------
    config : :class:`Config`
        Size, lanes and banks, and the widths of the ports.

    Members
    -------
    matmul : :py:`In(ReadPort(addr_width, rows))`
        Vectors for the array.
    vector : :py:`In(ReadPort(addr_width, max(vector_lanes, 4)))`
        Parameters, table entries and operands for VECTOR.
    store : :py:`In(ReadPort(addr_width, bus_bytes))`
        Beats to host memory.
    load : :py:`In(WritePort(addr_width, bus_bytes))`
        Beats from host memory.
    vector_out : :py:`In(WritePort(addr_width, max(vector_lanes, 4)))`
        Results of VECTOR.
    """

    def __init__(self, config):
        self.config = config
        super().__init__(
            size=config.spad_bytes, width=config.spad_row_bytes, banks=config.spad_banks,
            reads={
                "matmul": PortShape(config.rows),
                "vector": PortShape(config.vector_port_bytes),
                "store": PortShape(config.bus_bytes),
            },
            writes={
                "load": PortShape(config.bus_bytes),
                "vector_out": PortShape(config.vector_port_bytes),
            })

    @property
    def addr_width(self):
        """Width of a byte address in bits."""
        return self.config.spad_addr_width
