"""Where in flash a file's bytes are: littlefs itself says, on a block device that notes what is read.

Of the format no more is known than that block i of a file has ctz(i) + 1 pointers of 4 bytes in front, none in block 0. That
it is so is proven for each file, by the sum of its bytes.
"""

import esp
import uos

_SECTOR = const(4096)


class _Tap:
    """The sectors from `first` on as a block device that cannot be written; `last` is the block that was read last."""

    def __init__(self, first, count):
        self._first = first
        self._count = count
        self.last = -1

    def readblocks(self, block, buf, off=0):
        self.last = block
        esp.flash_read((self._first + block) * _SECTOR + off, buf)

    def writeblocks(self, block, buf, off=0):
        raise OSError(30)

    def ioctl(self, op, arg):
        return self._count if op == 4 else _SECTOR if op == 5 else 0


def volume(first, count):
    """(littlefs, its tap), for reading, of the sectors from `first` on. OSError where there is none."""
    try:
        from vfs import VfsLfs2
    except ImportError:
        # MicroPython 1.22 and before; and firmwares that have FAT only.
        VfsLfs2 = getattr(uos, "VfsLfs2", None)
        if not VfsLfs2:
            raise OSError(19)
    tap = _Tap(first, count)
    return VfsLfs2(tap, readsize=16, progsize=16, lookahead=16), tap


def pointers(index):
    """Words in front of the data in a file's block."""
    count = 0
    if index:
        count = 1
        while not index & 1:
            index >>= 1
            count += 1
    return count


def extents(path, first, count):
    """(size, extents as a plan has them: 16 bits each) of the file at `path` inside the filesystem."""
    fs, tap = volume(first, count)
    size = fs.stat(path)[6]
    found = bytearray()
    byte = bytearray(1)
    at = 0
    with fs.open(path, "rb") as f:
        while at < size:
            index = len(found) // 2
            f.seek(at)
            tap.last = -1
            f.readinto(byte)
            if tap.last < 0:
                # Of no block of its own: it came from a cache, or from the directory.
                raise OSError(95)
            extent = first + tap.last | pointers(index) << 12
            found.append(extent & 255)
            found.append(extent >> 8)
            at += _SECTOR - 4 * pointers(index)
    return size, found
