"""Pins of an SDR SDRAM, and the commands on them."""

from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Command", "SdramPins"]


class Command(enum.Enum, shape=3):
    """Command of an SDRAM. Bits 2, 1 and 0 are RAS, CAS and WE.

    A 1 means that the signal is asserted, which is a low level on the board.
    """

    NOP = 0b000
    WRITE = 0b011
    READ = 0b010
    ACTIVATE = 0b100
    PRECHARGE = 0b101
    REFRESH = 0b110
    MODE = 0b111


class SdramPins(wiring.Signature):
    """Signals between a controller and an SDRAM, from the controller's side, all active high.

    A chip with the controller's clock samples the signals at the rising edge that ends the cycle.
    On a board, there are registers in between, and the clock of the chip has another phase.

    Members
    -------
    cke : :py:`Out(1)`
        Clock enable.
    command : :py:`Out(Command)`
        Command.
    bank, addr : :py:`Out(bank_bits)`, :py:`Out(addr_width)`
        Bank, and row or column address.
    mask : :py:`Out(data_width // 8)`
        Byte mask; a 1 inhibits the write of a byte.
    dq_o, dq_en : :py:`Out(data_width)`, :py:`Out(1)`
        Data to the chip, and output enable.
    dq_i : :py:`In(data_width)`
        Data from the chip.
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
