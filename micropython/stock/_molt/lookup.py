"""Which filesystem a file is on."""

import uos
from _molt import part


def lookup(path):
    """(mount point, path inside it, block device, whether it is a littlefs) of the filesystem that holds an absolute path.

    Only the filesystem of flashbdev is known here, at the root; of another one the block device is None.
    """
    from flashbdev import bdev

    if part("map").is_behind_yaota():
        raise part("text").error(95, "yaota")
    try:
        fs = part("volume").volume(bdev.start_sec, bdev.blocks)[0]
    except OSError:
        return "/", path, bdev, False
    # What is nowhere is missing here.
    stat = _stat(uos, path)
    is_here = not stat or stat[0] & 0x4000 or _stat(fs, path)[6:7] == stat[6:7]
    return "/", path, bdev if is_here else None, True


def _stat(fs, path):
    """stat(), or an empty tuple."""
    try:
        return fs.stat(path)
    except OSError:
        return ()
