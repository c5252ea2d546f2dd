"""The device's littlefs once more, on a block device that notes what is read."""

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
