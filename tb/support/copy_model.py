"""Model of LOAD, LOAD_WGT, FILL and STORE on byte arrays."""

from weft.spec import isa

__all__ = ["execute_copies", "host_addresses"]


def execute_copies(instructions, *, host, spad, wgt, base=0):
    """Apply 32-byte instructions to byte arrays, in order.

    Parameters
    ----------
    host, spad, wgt : :class:`bytearray`
        Memories, which are changed.
    base : :class:`int`
        Bus address of the first byte of ``host``.
    """
    for raw in instructions:
        instruction, f = isa.decode(raw)
        for row in range(f.get("count", 0)):
            start = f["local_addr"] + row * f["local_pitch"]
            local = slice(start, start + f["bytes"])
            if instruction.name == "FILL":
                spad[local] = bytes([f["value"]]) * f["bytes"]
                continue
            start = f["host_addr"] - base + row * f["host_pitch"]
            remote = slice(start, start + f["bytes"])
            if instruction.name == "STORE":
                host[remote] = spad[local]
            else:
                target = spad if instruction.name == "LOAD" else wgt
                target[local] = host[remote]


def host_addresses(raw):
    """Return the bus addresses of all bytes of a LOAD, LOAD_WGT or STORE, in order."""
    _, f = isa.decode(raw)
    return [f["host_addr"] + row * f["host_pitch"] + index
            for row in range(f["count"]) for index in range(f["bytes"])]
