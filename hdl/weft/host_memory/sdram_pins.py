"""The pins of an SDR SDRAM and the commands on them."""

from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Command", "SdramPins"]


class Command(enum.Enum, shape=3):
    """RAS, CAS and WE, from the highest bit down; 1 is asserted, which is low on the board."""

    NOP = 0b000
    WRITE = 0b011
    READ = 0b010
    ACTIVATE = 0b100
    PRECHARGE = 0b101
    REFRESH = 0b110
    MODE = 0b111


class SdramPins(wiring.Signature):
    """What goes to an SDRAM and comes from it, seen by its controller, in positive logic.

    A chip with the controller's clock takes all of it at the rising edge that ends the cycle; on
    a board there are registers between, and the chip has a clock of its own phase.

    Members
    -------
    cke : :py:`Out(1)`
    command : :py:`Out(Command)`
    bank, addr : :py:`Out(bank_bits)`, :py:`Out(addr_width)`
    mask : :py:`Out(data_width // 8)`
        Bytes that are not written.
    dq_o, dq_en : :py:`Out(data_width)`, :py:`Out(1)`
    dq_i : :py:`In(data_width)`
    """

    def __init__(self, chip):
        super().__init__({
            "cke": Out(1),
            "command": Out(Command),
            "bank": Out(chip.bank_bits),
            "addr": Out(chip.addr_width),
            "mask": Out(chip.data_width // 8),
            "dq_o": Out(chip.data_width),
            "dq_en": Out(1),
            "dq_i": In(chip.data_width),
        })
