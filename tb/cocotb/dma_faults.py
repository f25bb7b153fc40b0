"""Error responses of cocotb's AXI memory."""

from cocotbext.axi import AxiResp

__all__ = ["Faults"]


class Faults:
    """Error responses of a memory at chosen beat addresses.

    Parameters
    ----------
    ram : :class:`cocotbext.axi.AxiRam`
    bus_bytes : :class:`int`
        Bytes of a beat.

    Attributes
    ----------
    responses : :class:`dict`
        Response of each beat address that is not OKAY.
    """

    def __init__(self, ram, bus_bytes):
        self.responses = {}
        self.bus_bytes = bus_bytes
        self._read_address, self._write_response = None, AxiResp.OKAY
        read, write = ram.read_if, ram.write_if
        read_data, write_data = read._read, write._write
        send_r, send_b = read.r_channel.send, write.b_channel.send

        async def note_read(address, length):
            self._read_address = address
            return await read_data(address, length)

        async def note_write(address, data):
            # called only for bytes with a strobe: a beat without one has no error
            self._write_response = self._write_response or self._response(address)
            return await write_data(address, data)

        async def send_read_data(beat):
            beat.rresp = self._response(self._read_address)
            await send_r(beat)

        async def send_write_response(response):
            response.bresp, self._write_response = self._write_response, AxiResp.OKAY
            await send_b(response)

        read._read, write._write = note_read, note_write
        read.r_channel.send, write.b_channel.send = send_read_data, send_write_response

    def _response(self, address):
        return self.responses.get(address // self.bus_bytes * self.bus_bytes, AxiResp.OKAY)
