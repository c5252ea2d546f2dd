"""Sums at the speed of native code: SHA-1 and MD5 are the mask ROM's own, CRC-32 and XOR a few instructions each.

All of it goes into the rest of IRAM that a firmware leaves for native code, and stays there until the reset. Where that is
used up the import fails with MemoryError, and slow.py does the same.

Source of the addresses: eagle.rom.addr.v6.ld, in MicroPython's esp8266 port and in Espressif's SDK.
"""

import micropython

# Functions init(context), update(context, data, size), final(digest, context); bytes of the digest.
_MD5 = (0x40009818, 0x40009834, 0x40009900, 16)
_SHA1 = (0x4000B584, 0x4000B5A8, 0x4000B648, 20)

# The larger of the ROM's two contexts has 92 bytes.
_CONTEXT_SIZE = const(96)

# CRC-32 of the 16 nibbles, little-endian words.
_NIBBLES = (
    b"\x00\x00\x00\x00\x64\x10\xb7\x1d\xc8\x20\x6e\x3b\xac\x30\xd9\x26\x90\x41\xdc\x76\xf4\x51\x6b\x6b\x58\x61\xb2\x4d\x3c\x71\x05\x50"
    b"\x20\x83\xb8\xed\x44\x93\x0f\xf0\xe8\xa3\xd6\xd6\x8c\xb3\x61\xcb\xb0\xc2\x64\x9b\xd4\xd2\xd3\x86\x78\xe2\x0a\xa0\x1c\xf2\xbd\xbd"
)


@micropython.asm_xtensa
def _rom(a2, a3, a4, a5):
    # The function at address a2, with three arguments.
    mov(a8, a2)
    mov(a2, a3)
    mov(a3, a4)
    mov(a4, a5)
    callx0(a8)


@micropython.viper
def _crc(crc: uint, data: ptr8, size: int, nibbles: ptr32) -> uint:
    crc = crc ^ uint(0xFFFFFFFF)
    i = 0
    while i < size:
        crc = crc ^ uint(data[i])
        crc = uint(nibbles[int(crc & uint(15))]) ^ (crc >> uint(4))
        crc = uint(nibbles[int(crc & uint(15))]) ^ (crc >> uint(4))
        i += 1
    return crc ^ uint(0xFFFFFFFF)


@micropython.viper
def _xor(data: ptr8, size: int) -> int:
    x = 0
    i = 0
    while i < size:
        x ^= data[i]
        i += 1
    return x


def crc32(crc, data):
    """CRC-32 as zlib's, of what `crc` is of and of `data` behind it."""
    return _crc(crc, data, len(data), _NIBBLES)


def xor(data):
    """All bytes of `data`, one on the other."""
    return _xor(data, len(data))


class _Hash:
    def __init__(self, functions):
        self._functions = functions
        self._context = bytearray(_CONTEXT_SIZE)
        _rom(functions[0], self._context, 0, 0)

    def update(self, data):
        _rom(self._functions[1], self._context, data, len(data))

    def digest(self):
        digest = bytearray(self._functions[3])
        _rom(self._functions[2], digest, self._context, 0)
        return bytes(digest)


def md5():
    return _Hash(_MD5)


def sha1():
    return _Hash(_SHA1)
