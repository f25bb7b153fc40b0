"""The self-test's checks of what lies before the accelerator: host link and host memory."""

__all__ = ["check_link", "check_memory"]

_FRAMES = 64


def check_link(bench):
    """Frames of every size, and none of them has to be sent twice."""
    link = bench.device.link
    sent, again = link.sent, link.again
    base = bench.device.memory_base
    for index in range(_FRAMES):
        size = 1 + int(bench.draw.integers(link.info.payload))
        addr = base + index + int(bench.draw.integers(256))
        data = bench.bytes(size).tobytes()
        link.write_memory(addr, data)
        found = link.read_memory(addr, size)
        if found != data:
            return f"{size} bytes at {addr:#x} came back wrong, with a right CRC"
    again = link.again - again
    if again:
        return (f"{again} of {link.sent - sent} frames had to be sent again: try another cable or "
                "port, or a lower baud rate")
    return None


def _compare(found, data, start):
    for at, (a, b) in enumerate(zip(found, data)):
        if a != b:
            return f"byte {start + at:#x} of host memory reads {a:#04x} instead of {b:#04x}"
    return None


def check_memory(bench):
    """Blocks in three places, and then a mark at every power of two: each address is its own."""
    device = bench.device
    for start in (0, bench.source, bench.target):
        data = bench.bytes(4096).tobytes()
        device.write_memory(device.memory_base + start, data)
        message = _compare(device.read_memory(device.memory_base + start, len(data)), data, start)
        if message:
            return message
    places = [0, *(1 << bit for bit in range(4, device.memory_bytes.bit_length())
                   if (1 << bit) + 16 <= device.memory_bytes), device.memory_bytes - 16]
    marks = {place: bench.draw.bytes(16) for place in places}
    for place, mark in marks.items():
        device.write_memory(device.memory_base + place, mark)
    for place, mark in marks.items():
        message = _compare(device.read_memory(device.memory_base + place, 16), mark, place)
        if message:
            return message
    return None
