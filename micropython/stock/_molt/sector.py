"""Sectors, put together page by page: src/base/sector.c. Memory for a whole one may not be there."""

import esp

_PAGE = const(256)
_PAGES = const(16)


class Sector:
    """What is at flash address `addr`, so many bytes, and 0xFF behind; with bytes set over it."""

    def __init__(self, addr=0, size=0, buf=None):
        """buf: 512 bytes of the caller's, if there are any."""
        view = memoryview(buf or bytearray(2 * _PAGE))
        self._addr = addr
        self._size = size
        self._set = []
        self.page = view[:_PAGE]
        self.back = view[_PAGE:2 * _PAGE]

    def set(self, off, data):
        """Have `data` at `off`; it must stay as it is."""
        self._set.append((off, data))

    def make(self, i):
        """Make self.page the i-th page. Takes no memory."""
        page = self.page
        begin = i * _PAGE
        if begin < self._size:
            esp.flash_read(self._addr + begin, page)
        for k in range(max(0, min(_PAGE, self._size - begin)), _PAGE):
            page[k] = 0xFF
        for off, data in self._set:
            for k in range(max(off, begin), min(off + len(data), begin + _PAGE)):
                page[k - begin] = data[k - off]

    def is_at(self, addr):
        """Whether flash holds it."""
        for i in range(_PAGES):
            self.make(i)
            esp.flash_read(addr + i * _PAGE, self.back)
            if self.back != self.page:
                return False
        return True
