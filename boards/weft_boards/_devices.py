"""FPGAs on the boards.

Sources: Lattice FPGA-DS-02012 (ECP5), FPGA-DS-02008 (iCE40 UltraPlus), Gowin DS226 (GW2A).
"""

import dataclasses

__all__ = ["Device", "ECP5_25F", "ECP5_85F", "ECP5_85F_FAST", "ECP5_5G_85F", "ICE40UP5K", "GW2A_18"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """FPGA with its family and its RAMs.

    Parameters
    ----------
    name : :class:`str`
        Name that the vendor uses, with the speed grade.
    family : :class:`str`
        ``"ecp5"``, ``"ice40"`` or ``"gowin"``.
    block_rams, wide_rams : :class:`int`
        Number of block RAMs, and of large single-port RAMs (SPRAM of the iCE40 UltraPlus).
    block_ram_bytes : :class:`int`
        Size of a block RAM in bytes, without parity.
    """

    name: str
    family: str
    block_rams: int
    block_ram_bytes: int
    wide_rams: int = 0


ECP5_25F = Device(name="LFE5U-25F-6", family="ecp5", block_rams=56, block_ram_bytes=2048)
ECP5_85F = Device(name="LFE5U-85F-6", family="ecp5", block_rams=208, block_ram_bytes=2048)
ECP5_85F_FAST = Device(name="LFE5U-85F-8", family="ecp5", block_rams=208, block_ram_bytes=2048)
ECP5_5G_85F = Device(name="LFE5UM5G-85F-8", family="ecp5", block_rams=208, block_ram_bytes=2048)
ICE40UP5K = Device(name="iCE40UP5K", family="ice40", block_rams=30, block_ram_bytes=512,
                   wide_rams=4)
GW2A_18 = Device(name="GW2A-LV18PG256C8/I7", family="gowin", block_rams=46, block_ram_bytes=2048)
