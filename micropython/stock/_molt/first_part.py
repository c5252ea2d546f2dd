"""The first part of the resident boot loader, for sector 0."""

from _molt import FOLDER, part
from ustruct import pack

_CONFIG_OFF = const(4064)


def first_part(reserved, params):
    """Sector 0 with the first part of the resident boot loader. The memory that this uses stands behind it in its file."""
    sector = part("blob").sector("/resident.bin")
    with open(FOLDER + "/resident.bin", "rb") as f:
        size = f.seek(-16, 2)
        memory = f.read(16)
    config = pack(b"<4sI4B", b"MRS2", reserved, 1, 1, 2, 0) + memory
    sector.set(size, b"\xff" * 16)
    sector.set(2, params)
    sector.set(_CONFIG_OFF, config + pack(b"<I", part("load").load().crc32(0, config)))
    return sector
