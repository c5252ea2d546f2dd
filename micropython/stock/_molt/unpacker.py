"""The firmware's own `deflate`."""

from _molt import part


def unpacker(f, bits):
    """What reads the bytes in the gzip file that `f` reads from its beginning."""
    f.seek(0)
    try:
        from deflate import GZIP, DeflateIO
    except ImportError:
        return part("older").unpacker(f, bits)
    return DeflateIO(f, GZIP, bits)
