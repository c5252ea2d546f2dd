"""Whether resident mode can be put in. Writes nothing."""

import esp
from _molt import forget, part

_SECTOR = const(4096)


def allowed(reserved, size, force):
    """None; or the address of the reserved region where resident mode is in already, whole or damaged. OSError where it cannot be."""
    if size and not force and not part("state").read(reserved) and not part("is_blank").is_blank(reserved, 8 * _SECTOR):
        raise OSError(28)
    forget()
    found = part("config").config()
    if found[0] != 2:
        if found[0] == 95 or not found[0] and found[2][0] != 1:
            raise OSError(95)
        return reserved if found[0] else found[1]
    if not reserved or reserved % _SECTOR or size < 8 * _SECTOR or reserved + size > esp.flash_size():
        raise OSError(34)
    if part("planned").planned():
        raise OSError(16)
    forget()
    part("rehearse").rehearse()
