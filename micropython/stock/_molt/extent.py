"""What the 16 bits of an extent say."""

_SECTOR = const(4096)


def addr(extents, index):
    """The address of the first byte of an extent, and how many bytes there are up to its sector's end."""
    extent = extents[2 * index] | extents[2 * index + 1] << 8
    skip = (extent >> 12) * 4
    return (extent & 0xFFF) * _SECTOR + skip, _SECTOR - skip
