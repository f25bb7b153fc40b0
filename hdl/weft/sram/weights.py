"""Weight buffer: memory for tiles, which are read into the array one line per cycle."""

from .banked import BankedMemory
from .ports import PortShape

__all__ = ["WeightBuffer"]


class WeightBuffer(BankedMemory):
    """Memory of ``config.wgt_bytes`` bytes, written at any byte address, read in whole lines.

    The memory has one bank, one read port and one write port. Both ports are always ready, except
    while the memory is being cleared, and except for the write port in the first cycle of a write
    that takes two. :class:`BankedMemory`, with groups of ``config.wgt_group`` lanes, defines timing
    and clearing.

    Parameters
    ----------
    config : :class:`Config`
        Size and width, and the widths of the ports.

    Members
    -------
    matmul : :py:`In(ReadPort(line_width, cols))`
        Lines of tiles. The address of a request is a line index ``i``; line ``i`` consists of the
        ``cols`` bytes from byte address ``i * cols`` on.
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
        """Width of a byte address in bits."""
        return self.config.wgt_addr_width

    @property
    def line_width(self):
        """Width of a line index in bits."""
        return self.config.wgt_line_addr_width
