"""Weight buffer: memory for tiles, read into the array one line a cycle."""

from .banked import BankedMemory
from .ports import PortShape

__all__ = ["WeightBuffer"]


class WeightBuffer(BankedMemory):
    """Memory of ``config.wgt_bytes`` bytes, written at any byte address, read in whole lines.

    One bank with one read port and one write port. Both are always ready, except while the memory
    is being cleared or for the second cycle of a write. Timing and clearing are those of
    :class:`BankedMemory`, with groups of ``config.wgt_group`` lanes.

    Parameters
    ----------
    config : :class:`Config`
        Size and width, and the widths of the ports.

    Members
    -------
    matmul : :py:`In(ReadPort(line_width, cols))`
        Line ``i`` is the ``cols`` bytes from byte address ``i * cols`` on; a request's address is
        the line index ``i``.
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
