#!/usr/bin/env python3
"""Make the seeds of the gzip fuzzer: tests/fuzz/corpus/inflate. Another version of zlib makes others that are as good,
so nothing compares them with what is committed.

usage: seeds_gzip.py
"""

import struct
import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "corpus/inflate"
HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3])


def deflate(data, level=9, bits=-15, strategy=zlib.Z_DEFAULT_STRATEGY):
    packer = zlib.compressobj(level, zlib.DEFLATED, bits, 9, strategy)
    return packer.compress(data) + packer.flush()


def member(data, header=HEADER, **how):
    return header + deflate(data, **how) + struct.pack("<II", zlib.crc32(data), len(data))


def noise(count, seed=1):
    out = bytearray()
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(seed >> 24 & (15 if seed >> 8 & 3 else 255))
    return bytes(out)


def seeds():
    text = b"shed the old skin, grow a new one. " * 60
    yield "empty", member(b"")
    yield "stored", member(noise(300), level=0)
    yield "fixed", member(text, strategy=zlib.Z_FIXED)
    yield "dynamic", member(noise(6000))
    yield "far", member(noise(3000) + bytes(20000) + noise(3000))
    yield "near", member(bytes(5000))
    yield "small-window", member(noise(9000), bits=-9)
    yield "named", member(text, header=bytes([0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3]) + b"firmware.bin\0")
    yield "extra", member(text, header=bytes([0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3]) + b"\4\0abcd")
    yield "padded", member(text) + bytes(40)
    yield "two-members", member(text) + member(text)
    yield "cut", member(noise(2000))[:-9]
    yield "wrong-crc", member(text)[:-8] + b"\0\0\0\0" + struct.pack("<I", len(text))
    yield "bare-deflate", deflate(noise(2000))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (FOLDER / name).write_bytes(data)


main()
