"""Resident mode, put in: src/resident/resident.c. Rewrites sector 0 once."""

import esp
from _molt import FOLDER, forget, part
from ustruct import pack, unpack

_SECTOR = const(4096)
_CONFIG_OFF = const(4064)
_SEGMENTS_MAX = const(16)
_OVERLAY_HEADER = const(20)


def _first_part(reserved, params):
    """Sector 0 with the first part of the resident boot loader, and the memory that this uses, which stands behind it in its file."""
    sector = part("blob").sector("/resident.bin")
    with open(FOLDER + "/resident.bin", "rb") as f:
        size = f.seek(-16, 2)
        memory = f.read(16)
    config = pack(b"<4sI4B", b"MRS2", reserved, 1, 1, 2, 0) + memory
    sector.set(size, b"\xff" * 16)
    sector.set(2, params)
    sector.set(_CONFIG_OFF, config + pack(b"<I", part("load").load().crc32(0, config)))
    return sector, unpack(b"<4I", memory)


def _rehearse(memory):
    """Read the firmware's segments as the boot loader will. OSError(84) where their checksum is wrong, (95) where one would be loaded
    over the boot loader."""
    sums = part("load").load()
    view = memoryview(bytearray(1024))
    header = esp.flash_read(0, 8)
    if header[0] != 0xE9 or not 0 < header[1] <= _SEGMENTS_MAX:
        raise OSError(84)
    off = 8
    found = 0xEF
    for _ in range(header[1]):
        vaddr, size = unpack(b"<II", esp.flash_read(off, 8))
        off += 8
        if (vaddr | size) & 3 or off + size > esp.flash_size():
            raise OSError(84)
        if any(vaddr < memory[i] + memory[i + 1] and memory[i] < vaddr + size for i in (0, 2)):
            raise OSError(95)
        end = off + size
        while off < end:
            piece = view[:min(1024, end - off)]
            esp.flash_read(off, piece)
            found ^= sums.xor(piece)
            off += len(piece)
    if esp.flash_read(off & ~15 | 12, 4)[3] != found:
        raise OSError(84)


def _is_blank(addr, size):
    view = memoryview(bytearray(1024))
    blank = b"\xff" * 256
    for off in range(addr, addr + size, 1024):
        esp.flash_read(off, view)
        for i in range(0, 1024, 256):
            if view[i:i + 256] != blank:
                return False
    return True


def _write(sector, addr):
    if not part("put").put(sector, addr):
        raise OSError(5)


def _overlay_is_whole(reserved):
    sums = part("load").load()
    view = memoryview(bytearray(256))
    addr = reserved + 7 * _SECTOR
    for _ in range(3):
        header = esp.flash_read(addr, _OVERLAY_HEADER)
        size, crc = unpack(b"<I8xI", header[4:])
        if header[:4] != b"MOV1" or size % 4 or size > _SECTOR - _OVERLAY_HEADER:
            continue
        found = sums.crc32(0, header[:16])
        for off in range(0, size, 256):
            piece = view[:min(256, size - off)]
            esp.flash_read(addr + _OVERLAY_HEADER + off, piece)
            found = sums.crc32(found, piece)
        if found == crc:
            return True
    return False


def _repair(reserved):
    """Write again what is damaged. OSError(17) where nothing is."""
    state = part("state").read(reserved)
    if not state:
        raise OSError(2)
    if state[1][0] != 1:
        raise OSError(16)
    is_whole = _overlay_is_whole(reserved)
    if not is_whole:
        part("overlay").overlay(reserved)
    if not _first_part(reserved, esp.flash_read(0, 4)[2:])[0].is_at(0):
        # With the flash parameters of the firmware's own first sector: those of a damaged sector 0 prove nothing.
        _write(_first_part(reserved, esp.flash_read(reserved + (state[1][2] & 1) * _SECTOR, 4)[2:])[0], 0)
    elif is_whole:
        raise OSError(17)


def _install_region(reserved):
    """Everything but sector 0."""
    first = part("sector").Sector(0, _SECTOR)
    if not first.is_at(0):
        raise OSError(5)
    _write(first, reserved)
    part("overlay").overlay(reserved)
    forget()
    for sector in (4, 5):
        esp.flash_erase(reserved // _SECTOR + sector)
    part("append").append(reserved, None, b"\x01\0\0\xff\xff\0")
    forget()


def _install(reserved, size):
    found = part("config").config()
    if found[0] != 2:
        if found[0] == 95 or not found[0] and found[2][0] != 1:
            raise OSError(95)
        return _repair(reserved if found[0] else found[1])
    if not reserved or reserved % _SECTOR or size < 8 * _SECTOR or reserved + size > esp.flash_size():
        raise OSError(34)
    if part("planned").planned():
        raise OSError(16)
    params = esp.flash_read(0, 4)
    if params != esp.flash_read(0, 4):
        raise OSError(5)
    forget()
    first, memory = _first_part(reserved, params[2:])
    _rehearse(memory)
    _install_region(reserved)
    # What may be needed when sector 0 is gone is there before.
    put = part("put").put
    own = part("sector").Sector(reserved, _SECTOR)
    if not put(first, 0):
        put(own, 0)
        raise OSError(5)


def resident_install(reserved, size, force):
    """Put the resident boot loader in. Power cut: fatal while sector 0 is written, once."""
    names = {17: "installed", 16: "prepared", 28: "not_free", 34: "no_reserved", 95: "not_resident", 84: "no_checksum"}
    try:
        if size and not force and not part("state").read(reserved) and not _is_blank(reserved, 8 * _SECTOR):
            raise OSError(28)
        _install(reserved, size)
    except OSError as e:
        raise part("text").error(e.errno, names.get(e.errno, "sector_0_kept"))
