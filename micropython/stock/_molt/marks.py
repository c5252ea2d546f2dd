"""What an image of MicroPython says of itself: src/image/image_verify.c"""

from ustruct import unpack_from

_SECTOR = const(4096)
_BANNER_SIZE = const(13)
_VERSION_MAX = const(47)


def map_start(buf, mark, begin, end):
    """Where its filesystem will be, by the map mark between `begin` and `end`; 0 where there is none."""
    for at in range(begin, end - 23, 4):
        if buf[at:at + 16] == mark:
            user, romfs = unpack_from(b"<II", buf, at + 16)
            start = user + romfs & 0xFFFFFFFF
            if start and start % _SECTOR == 0 and start < 0x1000000:
                # flashbdev.py leaves a sector to native code in the part of flash that is mapped.
                return start + _SECTOR if start < 0x100000 else start
    return 0


def version(buf, banner, begin, end, is_last):
    """What it calls itself behind its banner, whose last byte is the "v"; None where there is nothing."""
    at = begin
    while at < end:
        at = buf.find(banner, at, end)
        if at < 0:
            return None
        at += _BANNER_SIZE
        first = at
        while at < end and at - first < _VERSION_MAX and 32 <= buf[at] <= 126 and buf[at] != 59:
            at += 1
        if at > first and 48 <= buf[first] <= 57 and (at < end or is_last or at - first == _VERSION_MAX):
            return str(buf[first - 1:at], "utf-8")
    return None
