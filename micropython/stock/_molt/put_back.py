"""The firmware's own first sector, back in its place."""

from _molt import part


def put_back(sums, addr, crc, buf=None):
    """Make sector 0 what is saved at `addr`, if that has this CRC: None if it has not, else whether sector 0 is so."""
    sector = part("sector").Sector(addr, 4096, buf)
    found = 0
    for i in range(16):
        sector.make(i)
        found = sums.crc32(found, sector.page)
    return part("put").put(sector, 0) if found == crc else None
