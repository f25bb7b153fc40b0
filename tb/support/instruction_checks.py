"""Reference of the instruction validator, and instructions at its limits."""

from weft.spec import isa
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset

__all__ = ["CRAFTED", "UNIT_OF", "absolute", "copy", "drain", "expected", "matmul", "rows", "word"]

SPAD, WGT, ACC = ErrorCode.SPAD_BOUNDS, ErrorCode.WGT_BOUNDS, ErrorCode.ACC_BOUNDS
LOAD, MATMUL, VECTOR, STORE, SEQUENCER = range(5)
UNIT_OF = {0x10: LOAD, 0x11: LOAD, 0x12: LOAD, 0x1F: LOAD, 0x20: MATMUL, 0x2F: MATMUL,
           0x30: VECTOR, 0x31: VECTOR, 0x32: VECTOR, 0x33: VECTOR, 0x34: VECTOR, 0x3F: VECTOR,
           0x40: STORE, 0x4F: STORE}


def expected(config, word, addr, mem_base, windows):
    """Return the error of an instruction, ``(code, unit, addr)`` or ``None``.

    Source: ``docs/decisions/0001-contracts-between-blocks.md``.
    """
    def bits(offset, width):
        return word >> offset & (1 << width) - 1

    opcode = bits(0, 8)
    if opcode not in UNIT_OF:
        return ErrorCode.ILLEGAL_OPCODE, SEQUENCER, addr
    unit = UNIT_OF[opcode]
    name = isa.BY_OPCODE[opcode].name
    v = isa.decode(word.to_bytes(32, "little"))[1]
    defined = sum((1 << f.width) - 1 << f.offset for f in isa.BY_OPCODE[opcode].fields)
    if word & ~defined or (v["wait"] | v["signal"]) >> unit & 1:
        return ErrorCode.RESERVED_BITS, unit, addr

    bad = any(v[key] == 0 for key in ("count", "bytes", "row_count", "chunk_count", "y_count",
                                      "x_count") if key in v)
    channels = max(config.cols, min(128, 16 * config.vector_lanes))
    if name in ("PARAMS", "DRAIN"):
        bad |= v["channels"] == 0 or v["channel"] % config.cols != 0 or v["channel"] >= channels
    if name == "PARAMS":
        bad |= v["channel"] + v["channels"] > channels
    if name == "DRAIN":
        bad |= v["channels"] > config.cols
        bad |= bool(v["apart"]) and v["channel"] + v["y_count"] * config.cols > channels
    if name == "MATMUL":
        bad |= v["lead"] >= (config.rows if v["depthwise"] else 1)
        bad |= v["blank"] >= (1 if v["depthwise"] else config.rows)
        bad |= bool(v["apart"]) and v["y_count"] != 1
    if name in ("PARAMS", "TABLE"):
        bad |= v["shift"] > 62 or v["multiplier"] >= 2 ** 31
    if name in ("DRAIN", "MAP"):
        bad |= v["clamp_min"] > v["clamp_max"]
    if name == "MAP":
        bad |= v["op"] == 3 or v["mode"] == 3
    if bad:
        return ErrorCode.BAD_FIELD, unit, addr

    checks = []
    if name in ("LOAD", "FILL", "STORE"):
        end = v["local_addr"] + (v["count"] - 1) * v["local_pitch"] + v["bytes"]
        checks.append((end <= config.spad_bytes, SPAD, v["local_addr"]))
    if name == "LOAD_WGT":
        end = v["local_addr"] + (v["count"] - 1) * v["local_pitch"] + v["bytes"]
        checks.append((end <= config.wgt_bytes, WGT, v["local_addr"]))
    if name == "MATMUL":
        end = (v["act_addr"] + (v["row_count"] - 1) * v["row_pitch"]
               + (v["chunk_count"] - 1) * v["chunk_pitch"] + (v["y_count"] - 1) * v["y_pitch"]
               + (v["x_count"] - 1 + v["lead"]) * v["x_pitch"] + config.rows)
        checks.append((end <= config.spad_bytes, SPAD, v["act_addr"]))
        tiles = 1 if v["hold"] else v["row_count"] * v["chunk_count"]
        checks.append((v["wgt_addr"] + tiles <= config.wgt_bytes // (config.rows * config.cols),
                       WGT, v["wgt_addr"]))
        lines = v["row_count" if v["apart"] else "y_count"] * v["x_count"]
        checks.append((v["acc_addr"] + lines <= config.acc_rows, ACC, v["acc_addr"]))
    if name == "PARAMS":
        checks.append((v["bias_addr"] + 4 * v["channels"] <= config.spad_bytes, SPAD,
                       v["bias_addr"]))
        if v["per_channel"]:
            checks.append((v["scale_addr"] + 8 * v["channels"] <= config.spad_bytes, SPAD,
                           v["scale_addr"]))
    if name == "DRAIN":
        size = v["channels"] * (4 if v["mode"] == 3 else 1)
        end = (v["out_addr"] + (v["y_count"] - 1) * v["y_pitch"]
               + (v["x_count"] - 1) * v["x_pitch"] + size)
        checks.append((end <= config.spad_bytes, SPAD, v["out_addr"]))
        end = v["acc_addr"] + (v["y_count"] - 1) * v["acc_pitch"] + v["x_count"]
        checks.append((end <= config.acc_rows, ACC, v["acc_addr"]))
    if name == "TABLE":
        checks.append((v["table_addr"] + 1024 <= config.spad_bytes, SPAD, v["table_addr"]))
    if name in ("MAP", "SOFTMAX"):
        for which in ("a", "b", "out") if v.get("op") else ("a", "out"):
            start = v[f"{which}_addr"]
            end = start + (v["count"] - 1) * v[f"{which}_pitch"] + v["bytes"]
            checks.append((end <= config.spad_bytes, SPAD, start))
    for ok, code, where in checks:
        if not ok:
            return code, unit, where

    if name in ("LOAD", "LOAD_WGT", "STORE"):
        first = mem_base + v["host_addr"]
        last = first + (v["count"] - 1) * v["host_pitch"] + v["bytes"] - 1
        right = 3 if name == "STORE" else 2
        inside = any(w[0] <= first and last <= w[1] and w[right] for w in windows)
        if not inside or last >= 1 << config.addr_width:
            return ErrorCode.HOST_WINDOW, unit, first % 2 ** 32
    return None


def absolute(word, mem_base):
    """Return the word that the unit receives, with MEM_BASE added to ``host_addr``."""
    if word & 0xFF in (0x10, 0x11, 0x13, 0x14, 0x40):
        host = (word >> 32) + mem_base & 0xFFFFFFFF
        word = word & ~(0xFFFFFFFF << 32) | host << 32
    return word


def word(name, **values):
    return int.from_bytes(isa.encode(name, **values), "little")


def matmul(name="MATMUL", **values):
    return word(name, **{"row_count": 1, "chunk_count": 1, "y_count": 1, "x_count": 1} | values)


def drain(**values):
    return word("DRAIN", **{"y_count": 1, "x_count": 1, "channels": 1} | values)


def rows(name="MAP", **values):
    return word(name, **{"count": 1, "bytes": 1} | values)


def copy(name="LOAD", **values):
    return word(name, **{"count": 1, "bytes": 1} | values)


TINY = preset("tiny")
S, W, A, P = TINY.spad_bytes, TINY.wgt_bytes, TINY.acc_rows, TINY.param_channels
WORST = dict(count=0xFFFF, local_pitch=0xFFFFFF, bytes=0xFFFFFF, local_addr=0xFFFFFF)

CRAFTED = [
    (0, ErrorCode.ILLEGAL_OPCODE), (0x13, ErrorCode.ILLEGAL_OPCODE), (0xFF, 1),
    (word("SYNC_LOAD"), 0), (word("SYNC_LOAD") | 1 << 255, ErrorCode.RESERVED_BITS),
    (word("SYNC_STORE", wait=7, signal=7), 0),
    (word("SYNC_STORE", wait=8), ErrorCode.RESERVED_BITS),
    (word("SYNC_VECTOR", signal=4), ErrorCode.RESERVED_BITS),
    (copy() | 1 << 124, ErrorCode.RESERVED_BITS),
    (copy(count=0), ErrorCode.BAD_FIELD), (copy(bytes=0), ErrorCode.BAD_FIELD),
    (matmul(row_count=0), ErrorCode.BAD_FIELD), (matmul(chunk_count=0), ErrorCode.BAD_FIELD),
    (matmul(x_count=0), ErrorCode.BAD_FIELD), (matmul(y_count=0), ErrorCode.BAD_FIELD),
    (drain(channels=4), 0), (drain(channels=5), ErrorCode.BAD_FIELD),
    (drain(channels=0), ErrorCode.BAD_FIELD),
    (drain(clamp_min=-128, clamp_max=127, zero_point=-128), 0),
    (drain(clamp_min=1, clamp_max=0), ErrorCode.BAD_FIELD),
    (drain(mode=3, clamp_min=127, clamp_max=-128), ErrorCode.BAD_FIELD),
    (word("PARAMS", channels=1, shift=62, multiplier=0x7FFFFFFF), 0),
    (word("PARAMS", channels=1, shift=63), ErrorCode.BAD_FIELD),
    (word("PARAMS", channels=1, multiplier=1 << 31), ErrorCode.BAD_FIELD),
    *((word("PARAMS", channel=channel, channels=channels), code) for channel, channels, code in (
        (0, P, 0), (0, P + 1, ErrorCode.BAD_FIELD), (0, 255, ErrorCode.BAD_FIELD),
        (P - 4, 4, 0), (P - 4, 5, ErrorCode.BAD_FIELD), (P - 4, 0, ErrorCode.BAD_FIELD),
        (8, P - 8, 0), (8, P - 7, ErrorCode.BAD_FIELD), (4, 1, 0), (6, 1, ErrorCode.BAD_FIELD),
        (1, 1, ErrorCode.BAD_FIELD), (P, 1, ErrorCode.BAD_FIELD), (252, 4, ErrorCode.BAD_FIELD))),
    (drain(channel=P - 4, channels=4), 0), (drain(channel=P), ErrorCode.BAD_FIELD),
    (drain(channel=P - 2), ErrorCode.BAD_FIELD), (drain(channel=252), ErrorCode.BAD_FIELD),
    (drain(apart=1, y_count=P // 4), 0), (drain(apart=1, y_count=P // 4 + 1), ErrorCode.BAD_FIELD),
    (drain(apart=1, y_count=0xFFFF), ErrorCode.BAD_FIELD), (drain(y_count=P // 4 + 1), 0),
    (drain(apart=1, channel=8, y_count=P // 4 - 2), 0),
    (drain(apart=1, channel=8, y_count=P // 4 - 1), ErrorCode.BAD_FIELD),
    (drain(apart=1, channel=P - 4, y_count=2), ErrorCode.BAD_FIELD),
    (drain(channel=P - 4, y_count=2), 0), (drain(each=1), 0),
    (matmul(apart=1, row_count=3), 0), (matmul(apart=1, y_count=2), ErrorCode.BAD_FIELD),
    (matmul(blank=3), 0), (matmul(blank=4), ErrorCode.BAD_FIELD),
    (matmul(blank=1, depthwise=1), ErrorCode.BAD_FIELD),
    (matmul(apart=1, x_count=8, row_count=8), 0), (matmul(x_count=8, row_count=8, acc_addr=56), 0),
    (matmul(apart=1, x_count=8, row_count=8, acc_addr=1), ACC),
    (matmul(apart=1, hold=1, x_count=1, row_count=A + 1), ACC),
    (matmul(apart=1, hold=1, x_count=1 << 15, row_count=1 << 15), ACC),
    (copy("FILL") | 1 << 248, ErrorCode.RESERVED_BITS),
    (word("TABLE") | 1 << 248, ErrorCode.RESERVED_BITS),
    (word("PARAMS", channels=1) | 1 << 248, ErrorCode.RESERVED_BITS),
    (copy(each=1), 0), (copy("LOAD_WGT", each=1), 0), (copy("STORE", each=1), 0),
    (matmul(each=1), 0),
    (word("PARAMS", channels=4, bias_addr=S - 16), 0),
    (word("PARAMS", channels=4, bias_addr=S - 15), SPAD),
    (word("PARAMS", channels=4, scale_addr=S - 31), 0),
    (word("PARAMS", channels=4, scale_addr=S - 31, per_channel=1), SPAD),
    (word("PARAMS", channels=4, scale_addr=S - 32, per_channel=1), 0),
    (copy(bytes=S), 0), (copy(bytes=S + 1), SPAD), (copy(local_addr=S - 1), 0),
    (copy(local_addr=S), SPAD), (copy(count=S, local_pitch=1), 0),
    (copy(count=S + 1, local_pitch=1), SPAD), (copy(**WORST), SPAD),
    (copy("FILL", value=255, count=2, local_pitch=S - 1), 0),
    (copy("FILL", count=2, local_pitch=S), SPAD),
    (copy("LOAD_WGT", bytes=W), 0), (copy("LOAD_WGT", bytes=W + 1), WGT),
    (matmul(act_addr=S - 4), 0), (matmul(act_addr=S - 3), SPAD),
    (matmul(row_count=0xFFFF, chunk_count=0xFFFF, y_count=0xFFFF, x_count=0xFFFF,
            row_pitch=0xFFFFFF, chunk_pitch=0xFFFFFF, y_pitch=0xFFFFFF, x_pitch=0xFFFFFF), SPAD),
    (matmul(row_count=2, row_pitch=1, chunk_count=2, chunk_pitch=1, y_count=2, y_pitch=1,
            x_count=2, x_pitch=S - 7), 0),
    (matmul(row_count=2, row_pitch=1, chunk_count=2, chunk_pitch=1, y_count=2, y_pitch=1,
            x_count=2, x_pitch=S - 6), SPAD),
    (matmul(depthwise=1, lead=3), 0), (matmul(depthwise=1, lead=4), ErrorCode.BAD_FIELD),
    (matmul(depthwise=1, lead=63), ErrorCode.BAD_FIELD), (matmul(lead=1), ErrorCode.BAD_FIELD),
    (matmul(depthwise=1, lead=3, x_count=2, x_pitch=(S - 4) // 4), 0),
    (matmul(depthwise=1, lead=3, x_count=2, x_pitch=(S - 4) // 4 + 1), SPAD),
    (matmul(depthwise=1, lead=2, x_pitch=0xFFFFFF, x_count=0xFFFF), SPAD),
    (matmul(row_count=4, chunk_count=8), 0), (matmul(row_count=3, chunk_count=11), WGT),
    (matmul(row_count=3, chunk_count=11, hold=1), 0),
    (matmul(row_count=1 << 15, chunk_count=1 << 15, hold=1, wgt_addr=31), 0),
    (matmul(hold=1, wgt_addr=32), WGT), (matmul(wgt_addr=0xFFFF, hold=1), WGT),
    (matmul(x_count=8, y_count=8), 0), (matmul(x_count=8, y_count=8, acc_addr=1), ACC),
    (matmul(x_count=1 << 15, y_count=1 << 15), ACC),
    (drain(x_count=32, y_count=2, acc_pitch=32), 0),
    (drain(x_count=32, y_count=2, acc_pitch=33), ACC),
    (drain(out_addr=S - 4, channels=4), 0), (drain(out_addr=S - 3, channels=4), SPAD),
    (drain(out_addr=S - 16, channels=4, mode=3), 0),
    (drain(out_addr=S - 15, channels=4, mode=3), SPAD),
    (drain(out_addr=S, acc_addr=A), SPAD), (drain(acc_addr=A), ACC),
    (word("TABLE", table_addr=S - 1024, shift=62, multiplier=0x7FFFFFFF, table=1), 0),
    (word("TABLE", table_addr=S - 1023), SPAD), (word("TABLE", table_addr=0xFFFFFF), SPAD),
    (word("TABLE", shift=63), ErrorCode.BAD_FIELD),
    (word("TABLE", multiplier=1 << 31), ErrorCode.BAD_FIELD),
    (rows(op=2, mode=2), 0), (rows(op=3), ErrorCode.BAD_FIELD),
    (rows(mode=3), ErrorCode.BAD_FIELD), (rows(clamp_min=1), ErrorCode.BAD_FIELD),
    (rows(count=0), ErrorCode.BAD_FIELD), (rows(bytes=0), ErrorCode.BAD_FIELD),
    (rows(bytes=S), 0), (rows(bytes=S + 1), SPAD), (rows(a_addr=S), SPAD),
    (rows(a_addr=S, out_addr=S + 1), SPAD), (rows(out_addr=S - 1), 0), (rows(out_addr=S), SPAD),
    (rows(b_addr=S), 0), (rows(b_addr=S, op=1), SPAD), (rows(b_addr=S, op=2), SPAD),
    (rows(b_addr=S, out_addr=S + 7, op=2), SPAD), (rows(b_addr=S - 1, op=1), 0),
    (rows(count=3, a_pitch=(S - 1) // 2, op=1, b_pitch=5, out_pitch=9), 0),
    (rows(count=3, a_pitch=S // 2, op=1, b_pitch=5, out_pitch=9), SPAD),
    (rows(count=3, op=1, b_pitch=S // 2), SPAD), (rows(count=3, b_pitch=S // 2), 0),
    (rows(count=3, out_pitch=S // 2), SPAD),
    (rows(count=0xFFFF, bytes=0xFFFFFF, a_pitch=0xFFFFFF, a_addr=0xFFFFFF), SPAD),
    (rows("SOFTMAX", count=2, bytes=S - 1, a_pitch=1), 0),
    (rows("SOFTMAX", count=2, bytes=S - 1, a_pitch=2), SPAD),
    (rows("SOFTMAX", count=2, bytes=S - 1, out_pitch=2), SPAD),
    (rows("SOFTMAX", bytes=0), ErrorCode.BAD_FIELD),
    (rows("SOFTMAX") | 1 << 18, ErrorCode.RESERVED_BITS),       # field op of MAP
    (rows("SOFTMAX") | 1 << 200, ErrorCode.RESERVED_BITS),      # field b_addr of MAP
]
"""Instructions for preset ``tiny`` with their error codes; 0 for a legal one."""
