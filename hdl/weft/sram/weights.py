"""The weight buffer: tiles on their way into the array, a line a cycle."""

from .access import PortShape
from .banked import BankedMemory

__all__ = ["WeightBuffer"]


class WeightBuffer(BankedMemory):
    """``config.wgt_bytes`` bytes, filled at any byte address and read by lines of ``cols`` bytes.

    One bank with one reader and one writer, both always ready except while the memory is being
    cleared, or for the second cycle of a write. Timing and clearing as in :class:`BankedMemory`,
    in groups of ``config.wgt_group`` lanes.

    Parameters
    ----------
    config : :class:`Config`
        Size and width, and the widths of the ports.

    Members
    -------
    matmul : :py:`In(ReadPort(line_width, cols))`
        Line ``i`` is the ``cols`` bytes from byte address ``i * cols`` on; the address of the
        request is ``i``.
    load : :py:`In(WritePort(addr_width, bus_bytes))`
        Beats from host memory, at byte addresses.
    """

    def __init__(self, config):
        self.config = config
        super().__init__(
            size=config.wgt_bytes, width=config.wgt_row_bytes, banks=1,
            group=config.wgt_group,
            reads={"matmul": PortShape(config.cols, step=config.cols)},
            writes={"load": PortShape(config.bus_bytes)})

    @property
    def addr_width(self):
        """Bits of a byte address."""
        return self.config.wgt_addr_width

    @property
    def line_width(self):
        """Bits of a line index."""
        return self.config.wgt_line_addr_width
