"""Streams of 4-bit weights: random ones, and the weights in them, one at a time."""

__all__ = ["FOUR_BIT_SIZES", "expanded_tiles", "four_bit_config", "random_stream"]

from weft.spec.config import Config

FOUR_BIT_SIZES = [
    # rows, cols, bus_width, tile_lines
    (4, 4, 32, 1), (4, 16, 64, 1), (16, 4, 32, 1), (32, 32, 256, 1), (4, 64, 32, 1),
    (8, 8, 64, 2), (8, 16, 64, 2), (16, 16, 128, 2), (32, 8, 32, 2), (32, 32, 128, 2),
]


def four_bit_config(rows, cols, bus_width, tile_lines, **overrides):
    """Return a small configuration with 4-bit weights."""
    sizes = {"spad_bytes": 4096, "spad_banks": 1, "max_burst": 8, "vector_lanes": 2,
             "wgt_bytes": max(32 * cols, 4 * rows * cols, 4 * bus_width)}
    return Config(name=f"{rows} x {cols}, {bus_width} bits, {tile_lines} lines", rows=rows,
                  cols=cols, bus_width=bus_width, tile_lines=tile_lines, fixed_point=True,
                  weights_4bit=True, **(sizes | overrides))


def random_stream(config, rng, blocks):
    """Return the bytes of a stream with ``blocks`` blocks of weights.

    Its numbers are often extreme, so that the weights saturate. The parts without meaning, which
    are the codes of its first block and the header of its last one, are random bytes.
    """
    words, width = config.cols // config.bus_bytes, config.bus_bytes
    stream = bytearray()
    for _ in range((blocks + 1) * words):
        header = []
        for _ in range(width):
            slope = rng.choice((0, 1, 4095, rng.randrange(300), rng.randrange(4096)))
            offset = rng.choice((-2048, -2040, -1, 0, 8, 2047, rng.randrange(-2048, 2048)))
            header.append(slope | (offset & 0xFFF) << 12)
        stream += bytes(word >> 8 * byte & 0xFF for byte in range(3) for word in header)
        stream += rng.randbytes(16 * width)
    return bytes(stream)


def expanded_tiles(config, stream):
    """Return the tiles in a stream, as a list of lists of int8 numbers."""
    rows, cols, width = config.rows, config.cols, config.bus_bytes
    block_bytes, parts = 19 * cols, cols // width
    tiles = []
    for start in range(block_bytes, len(stream), block_bytes):
        before, block = stream[start - block_bytes:start], stream[start:start + block_bytes]
        words, codes = [], b""
        for part in range(parts):
            packet = before[19 * width * part:19 * width * (part + 1)]
            words += [packet[lane] | packet[width + lane] << 8 | packet[2 * width + lane] << 16
                      for lane in range(width)]
            codes += block[19 * width * part + 3 * width:19 * width * (part + 1)]
        half = rows * cols // 2
        for tile in range(32 // rows):
            weights = []
            for index in range(rows * cols):
                byte = codes[tile * half + index % half]
                code = byte >> 4 if index >= half else byte & 15
                slope, offset = words[index % cols] & 0xFFF, words[index % cols] >> 12
                offset -= 4096 * (offset >= 2048)
                weights.append(max(-128, min(127, (slope * code + 8 * offset) // 128)))
            tiles.append(weights)
    return tiles
