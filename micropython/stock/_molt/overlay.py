"""The overlay of the resident boot loader, in its place."""

from _molt import forget, part

_SECTOR = const(4096)


def overlay(reserved, buf=None):
    """Write it unless it is there. buf: 512 bytes of the caller's, if there are any."""
    sector = part("blob").sector("/overlay.bin", buf)
    forget()
    if not sector.is_at(reserved + 7 * _SECTOR) and not part("put").put(sector, reserved + 7 * _SECTOR):
        raise OSError(5)
