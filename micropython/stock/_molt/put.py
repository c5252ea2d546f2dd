"""Sectors, put together page by page, and their writing: src/base/sector.c. Memory for a whole one may not be there.

Power cut in write(): the sector is lost. If it is sector 0 nothing boots, for some 60 ms; the firmware that is there boots
in all other cases.
"""

import esp

_SECTOR = const(4096)
_PAGE = const(256)
_PAGES = const(16)
_HEADER_SIZE = const(16)
_TRIES = const(16)


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


def is_there(sector, addr):
    """Whether flash holds it."""
    for i in range(_PAGES):
        sector.make(i)
        esp.flash_read(addr + i * _PAGE, sector.back)
        if sector.back != sector.page:
            return False
    return True


def crc(sector, sums):
    found = 0
    for i in range(_PAGES):
        sector.make(i)
        found = sums.crc32(found, sector.page)
    return found


def write(sector, addr):
    """Make flash hold the sector; whether it does. Page by page from the end, those of 0xFF left out, and the header by itself at
    last. Ctrl-C waits until then, and all memory is taken before."""
    from micropython import kbd_intr

    memory = sector, addr, sector.page[_HEADER_SIZE:], sector.page[:_HEADER_SIZE]
    kbd_intr(-1)
    try:
        for _ in range(_TRIES):
            if _try(*memory):
                return True
        return False
    finally:
        kbd_intr(3)


def _is_blank(page):
    for i in range(_PAGE):
        if page[i] != 0xFF:
            return False
    return True


def _try(sector, addr, rest, header):
    try:
        esp.flash_erase(addr // _SECTOR)
        for i in range(_PAGES - 1, -1, -1):
            sector.make(i)
            if _is_blank(sector.page):
                continue
            if i:
                esp.flash_write(addr + i * _PAGE, sector.page)
            else:
                esp.flash_write(addr + _HEADER_SIZE, rest)
                esp.flash_write(addr, header)
        return is_there(sector, addr)
    except OSError:
        return False
