"""Sectors, written.

Power cut: the sector is lost. If it is sector 0 nothing boots, for some 60 ms; the firmware that is there boots in all other cases.
"""

import esp

_SECTOR = const(4096)
_PAGE = const(256)
_PAGES = const(16)
_HEADER_SIZE = const(16)
_TRIES = const(16)


def put(sector, addr):
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
        return sector.is_at(addr)
    except OSError:
        return False
