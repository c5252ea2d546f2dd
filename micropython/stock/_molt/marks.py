"""What an image of MicroPython says of itself: src/image/image_verify.c"""

from ustruct import unpack_from

_SECTOR = const(4096)
_BANNER_SIZE = const(13)
_VERSION_MAX = const(47)


def _map_start(seen):
    """Where its filesystem will be, by a map mark; 0 where it is none."""
    if len(seen) < 24:
        return 0
    user, romfs = unpack_from(b"<II", seen, 16)
    start = user + romfs & 0xFFFFFFFF
    if start == 0 or start % _SECTOR or start >= 0x1000000:
        return 0
    # flashbdev.py leaves a sector to native code in the part of flash that is mapped.
    return start + _SECTOR if start < 0x100000 else start


def _version(seen):
    """What it calls itself behind its banner, whose last byte is the "v"; None where there is nothing."""
    at = _BANNER_SIZE
    while at < min(len(seen), _BANNER_SIZE + _VERSION_MAX) and 32 <= seen[at] <= 126 and seen[at] != 59:
        at += 1
    if at > _BANNER_SIZE and 48 <= seen[_BANNER_SIZE] <= 57:
        return str(seen[_BANNER_SIZE - 1:at], "utf-8")
    return None


def marks(job):
    """job.image_fs, job.version: the first of job.seen that tell. verify.py has put them there."""
    image_fs = 0
    version = None
    for seen in job.seen:
        if seen[:16] == job.mark:
            image_fs = image_fs or _map_start(seen)
        else:
            version = version or _version(seen)
    # So the object has room for them; with more in it at a time it would need 472 bytes in one piece.
    del job.seen, job.mark, job.also
    job.image_fs = image_fs
    job.version = version
