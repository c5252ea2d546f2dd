"""MD5 and SHA-1: the mask ROM's own, called by sums.py; slow.py brings its own.

Source of the addresses: eagle.rom.addr.v6.ld, in MicroPython's esp8266 port and in Espressif's SDK.
"""

# Functions init(context), update(context, data, size), final(digest, context); bytes of the digest.
_MD5 = (0x40009818, 0x40009834, 0x40009900, 16)
_SHA1 = (0x4000B584, 0x4000B5A8, 0x4000B648, 20)

# The larger of the ROM's two contexts has 92 bytes.
_CONTEXT_SIZE = const(96)


class _Digest:
    def __init__(self, rom, functions):
        self._rom = rom
        self._functions = functions
        self._context = bytearray(_CONTEXT_SIZE)
        rom(functions[0], self._context, 0, 0)

    def update(self, data):
        self._rom(self._functions[1], self._context, data, len(data))

    def digest(self):
        digest = bytearray(self._functions[3])
        self._rom(self._functions[2], digest, self._context, 0)
        return bytes(digest)


def digest(sums, is_md5):
    """What sums: update(data), digest()."""
    if sums.rom:
        return _Digest(sums.rom, _MD5 if is_md5 else _SHA1)
    return sums.md5() if is_md5 else sums.sha1()
