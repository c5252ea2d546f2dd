"""Sums at the speed of native code: the mask ROM's functions are called, CRC-32 and XOR are a few instructions each.

All of it goes into the rest of IRAM that a firmware leaves for native code, and stays there until the reset. Where that is
used up the import fails with MemoryError, and slow.py does the same.
"""

import micropython


@micropython.asm_xtensa
def rom(a2, a3, a4, a5):
    # The function at address a2, with three arguments.
    mov(a8, a2)
    mov(a2, a3)
    mov(a3, a4)
    mov(a4, a5)
    callx0(a8)


# crc32(crc, data): CRC-32 as zlib's, of what `crc` is of and of `data` behind it. The table has those of the 16 nibbles, little-endian.
@micropython.viper
def crc32(crc: uint, data) -> uint:
    nibbles = ptr32(
        b"\x00\x00\x00\x00\x64\x10\xb7\x1d\xc8\x20\x6e\x3b\xac\x30\xd9\x26\x90\x41\xdc\x76\xf4\x51\x6b\x6b\x58\x61\xb2\x4d\x3c\x71\x05\x50"
        b"\x20\x83\xb8\xed\x44\x93\x0f\xf0\xe8\xa3\xd6\xd6\x8c\xb3\x61\xcb\xb0\xc2\x64\x9b\xd4\xd2\xd3\x86\x78\xe2\x0a\xa0\x1c\xf2\xbd\xbd"
    )
    at = ptr8(data)
    size = int(len(data))
    crc = crc ^ uint(0xFFFFFFFF)
    i = 0
    while i < size:
        crc = crc ^ uint(at[i])
        crc = uint(nibbles[int(crc & uint(15))]) ^ (crc >> uint(4))
        crc = uint(nibbles[int(crc & uint(15))]) ^ (crc >> uint(4))
        i += 1
    return crc ^ uint(0xFFFFFFFF)


# xor(data): all bytes of `data`, one on the other.
@micropython.viper
def xor(data) -> int:
    at = ptr8(data)
    size = int(len(data))
    x = 0
    i = 0
    while i < size:
        x ^= at[i]
        i += 1
    return x
