"""The window that a gzip file needs, by its first 32 KB."""

from _molt import forget, part

# `molt compress` makes files for 4 KB, and for 512 bytes and more.
_BITS_MIN = const(9)
_BITS = const(12)
_LOOKED_AT = const(32768)


def look(path, scrap):
    """Bits of the smallest one that does there, up to 4 KB. Of damaged files, and of those that need more, measure.py tells."""
    with open(path, "rb") as f:
        for bits in range(_BITS_MIN, _BITS):
            unpacked = None
            forget()
            unpacked = part("inflate").File(f, scrap)
            try:
                unpacked.begin(bits)
                unpacked.seek(_LOOKED_AT)
                return bits
            except OSError as e:
                if e.errno != 22:
                    break
            except EOFError:
                break
    return _BITS
