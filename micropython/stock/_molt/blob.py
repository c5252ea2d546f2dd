"""The files of the package that go into flash as they are, each in one sector."""

import esp
from _molt import FOLDER, forget, part


def _find(path):
    from flashbdev import bdev

    size, extents = part("place").place(path, bdev.start_sec, bdev.blocks)
    return part("extent").addr(extents, 0)[0], size


def find(name, buf):
    """(flash address, size) of a file. OSError(5) where flash does not read as the file does: what is read wrong must not go where
    the chip starts from. All parts are forgotten."""
    path = FOLDER + name
    addr, size = _find(path)
    forget()
    view = memoryview(buf)
    found = view[:256]
    again = view[256:512]
    with open(path, "rb") as f:
        for off in range(0, size, 256):
            count = f.readinto(found)
            esp.flash_read(addr + off, again)
            if found[:count] != again[:count]:
                raise OSError(5)
    return addr, size


def sector(name, buf=None):
    """The sector that a file makes. buf: 512 bytes of the caller's, if there are any."""
    buf = buf or bytearray(512)
    where = find(name, buf)
    forget()
    return part("sector").Sector(*where, buf)
