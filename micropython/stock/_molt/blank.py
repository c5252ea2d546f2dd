"""The boot loader's report, as it is before it has begun."""

from ustruct import pack


def blank(crc32):
    return b"MRP1" + pack(b"<I", crc32) + b"\xff" * 8
