"""The firmware's own `deflate`."""

from _molt import forget, part


def _unpacker(f, bits):
    """What reads the bytes in the gzip file that `f` reads from its beginning."""
    f.seek(0)
    try:
        from deflate import GZIP, DeflateIO
    except ImportError:
        return part("older").unpacker(f, bits)
    return DeflateIO(f, GZIP, bits)


def begin(file, bits):
    """inflate.py's file begins with a window of so many bits. Raises OSError(22) and EOFError where that does not do, or it is damaged."""
    new = _unpacker(file.file, bits)
    # The window of the one before is needed for this one, and is taken before anything else.
    file.unpacker = None
    forget()
    file.unpacker = new
    file.is_ahead = new.readinto(file.ahead)
    file.at = 0
