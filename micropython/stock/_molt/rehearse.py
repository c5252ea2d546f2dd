"""Whether the resident boot loader will be able to load the firmware."""

import esp
from _molt import FOLDER, part
from ustruct import unpack

_SEGMENTS_MAX = const(16)


def _memory():
    """Of the memory that the boot loader uses address and size, twice: the end of its file."""
    with open(FOLDER + "/resident.bin", "rb") as f:
        f.seek(-16, 2)
        return unpack(b"<4I", f.read(16))


def rehearse():
    """Read the firmware's segments as the boot loader will. OSError(84) where their checksum is wrong, (95) where one would be loaded
    over the boot loader."""
    memory = _memory()
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
