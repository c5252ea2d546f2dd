"""Flash that is blank."""

import esp


def is_blank(addr, size):
    view = memoryview(bytearray(1024))
    blank = b"\xff" * 256
    for off in range(addr, addr + size, 1024):
        esp.flash_read(off, view)
        for i in range(0, 1024, 256):
            if view[i:i + 256] != blank:
                return False
    return True
