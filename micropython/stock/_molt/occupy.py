"""The resident boot loader, put into sector 0."""

import esp
from _molt import forget, part

_SECTOR = const(4096)


def occupy(reserved):
    """Power cut: fatal while sector 0 is written, once."""
    params = esp.flash_read(0, 4)
    if params != esp.flash_read(0, 4):
        raise OSError(5)
    first = part("first_part").first_part(reserved, params[2:])
    forget()
    # What may be needed when sector 0 is gone is there before.
    put = part("put").put
    own = part("sector").Sector(reserved, _SECTOR)
    if not put(first, 0):
        put(own, 0)
        raise OSError(5)
