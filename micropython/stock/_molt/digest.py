"""MD5 and SHA-1: the mask ROM's own, called by sums.py; slow.py brings its own.

Source of the addresses: eagle.rom.addr.v6.ld, in MicroPython's esp8266 port and in Espressif's SDK.
"""

# Functions init(context), update(context, data, size), final(digest, context); bytes of the digest.
_MD5 = (0x40009818, 0x40009834, 0x40009900, 16)
_SHA1 = (0x4000B584, 0x4000B5A8, 0x4000B648, 20)

# The larger of the ROM's two contexts has 92 bytes.
_CONTEXT_SIZE = const(96)


def digest(sums, is_md5):
    """What verify.py sums up in: of the mask ROM's a context, and the functions that update and end it; else an object."""
    if not sums.rom:
        return sums.md5() if is_md5 else sums.sha1()
    begin, update, final, size = _MD5 if is_md5 else _SHA1
    context = bytearray(_CONTEXT_SIZE)
    sums.rom(begin, context, 0, 0)
    return context, update, final, size


def ended(sums, digest):
    """Its bytes."""
    if not sums.rom:
        return digest.digest()
    context, _, final, size = digest
    found = bytearray(size)
    sums.rom(final, found, context, 0)
    return bytes(found)
