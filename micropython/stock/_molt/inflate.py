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

    def __init__(self, job, f, bits):
        self._job = job
        self._f = f
        self._bits = bits
        self._scrap = bytearray(128)
        self._begin()

    def _begin(self):
        # The window of the one before is needed for this one, and taken before anything else is.
        self._in = self._job.hole = None
        sweep()
        self._in = _unpacker(self._f, self._bits)
        self._ahead = self._in.read(1)
        self._at = 0

    def readinto(self, buf):
        """All of `buf`, but at the end."""
        view = memoryview(buf)
        done = 0
        if self._ahead and len(view):
            view[0] = self._ahead[0]
            self._ahead = None
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
            self._begin()
        while self._at < off:
            if not self.readinto(memoryview(self._scrap)[:min(128, off - self._at)]):
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._in = None
        self._f.close()
        part("reserve").reserve(self._job, self._bits)

    def used(self):
        return self._f.tell()
