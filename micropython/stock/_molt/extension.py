"""The boot loader's extension in molt.head."""

import esp
import uos
from _molt import FOLDER


def extension(job, addr):
    """(address, size, CRC) of the saved extension; None if it is not there."""
    path = FOLDER + "/inflate.bin"
    size = uos.stat(path)[6]
    crc = 0
    view = memoryview(job.buf)[64:]
    with open(path, "rb") as f:
        for off in range(0, size, 256):
            count = f.readinto(view[:256])
            esp.flash_read(addr + off, view[256:512])
            if view[:count] != view[256:256 + count]:
                return None
            crc = job.sums.crc32(crc, view[:count])
    return addr, size, crc
