"""The firmware's own `deflate`."""

from _molt import part


def unpacker(f, bits):
    """What reads the bytes in the gzip file that `f` reads from its beginning."""
    f.seek(0)
    try:
        from deflate import GZIP, DeflateIO

        return DeflateIO(f, GZIP, bits)
    except ImportError:
        pass
    try:
        # MicroPython 1.20 and before
        from uzlib import DecompIO

        return DecompIO(f, 16 + bits)
    except ImportError:
        raise part("text").error(95, "no_deflate")
