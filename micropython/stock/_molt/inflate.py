"""The image in a gzip file, by the firmware's own `deflate`: src/decode/unpack.c."""

from _molt import part, sweep


def _unpacker(f, bits):
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


class File:
    """The image as a file to be read. Reading goes forward; a step back begins again."""

    def __init__(self, f):
        self._f = f
        self._scrap = bytearray(128)
        # The first byte, by which the memory is taken that unpacking needs.
        self._ahead = bytearray(1)

    def begin(self, bits):
        """Begin with a window of so many bits. Raises OSError(22) and EOFError where that does not do, or the file is damaged."""
        self._bits = bits
        new = _unpacker(self._f, bits)
        # The window of the one before is needed for this one, and is taken before anything else.
        self._in = None
        sweep()
        self._in = new
        self._is_ahead = new.readinto(self._ahead)
        self._at = 0

    def readinto(self, buf):
        """All of `buf`, but at the end."""
        view = memoryview(buf)
        done = 0
        if self._is_ahead and len(view):
            view[0] = self._ahead[0]
            self._is_ahead = 0
            done = 1
        while done < len(view):
            more = self._in.readinto(view[done:])
            if not more:
                break
            done += more
        self._at += done
        return done

    def read(self, size):
        buf = bytearray(size)
        return bytes(buf[:self.readinto(buf)])

    def seek(self, off):
        if off < self._at:
            self.begin(self._bits)
        while self._at < off:
            if not self.readinto(memoryview(self._scrap)[:min(128, off - self._at)]):
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def used(self):
        return self._f.tell()
