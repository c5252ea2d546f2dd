"""The image in a gzip file, unpacked as it is read: src/decode/unpack.c."""

from _molt import forget, part


class File:
    """The image as a file to be read. Reading goes forward; a step back begins again."""

    def __init__(self, f, scrap):
        self.file = f
        # What is skipped goes there.
        self._scrap = scrap
        # The first byte, by which the memory is taken that unpacking needs.
        self._ahead = bytearray(1)

    def begin(self, bits):
        """Begin with a window of so many bits. Raises OSError(22) and EOFError where that does not do, or the file is damaged."""
        self.bits = bits
        new = part("unpacker").unpacker(self.file, bits)
        # The window of the one before is needed for this one, and is taken before anything else.
        self._in = None
        forget()
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

    def seek(self, off):
        if off < self._at:
            self.begin(self.bits)
        while self._at < off and self.readinto(self._scrap[:off - self._at]):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
