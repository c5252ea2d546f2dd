"""The image in a gzip file, unpacked as it is read: src/decode/unpack.c."""

from _molt import part


class File:
    """The image as a file to be read. Reading goes forward; a step back begins again."""

    def __init__(self, f, scrap):
        self.file = f
        self.unpacker = None
        # What is skipped goes there.
        self._scrap = scrap
        # The first byte, by which the memory is taken that unpacking needs.
        self.ahead = bytearray(1)

    def begin(self, bits):
        self.bits = bits
        part("unpacker").begin(self, bits)

    def readinto(self, buf):
        """All of `buf`, but at the end."""
        view = memoryview(buf)
        done = 0
        if self.is_ahead and len(view):
            view[0] = self.ahead[0]
            self.is_ahead = 0
            done = 1
        while done < len(view):
            more = self.unpacker.readinto(view[done:])
            if not more:
                break
            done += more
        self.at += done
        return done

    def seek(self, off):
        if off < self.at:
            self.begin(self.bits)
        while self.at < off and self.readinto(self._scrap[:off - self.at]):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
