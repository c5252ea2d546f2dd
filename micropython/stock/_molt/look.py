"""The image file of an upgrade: where it is in flash, what it is, whether it is whole."""

import esp
import uos
from _molt import forget, part

_SECTOR = const(4096)


def explained(e, name):
    """An error with its sentence: the one it has, or that of this name."""
    if len(e.args) > 1:
        return e
    names = {2: "no_file", 20: "not_a_directory", 21: "a_directory", 95: "inline", 84: "fs_damaged"}
    return part("text").error(e.errno, names.get(e.errno, name))


def _find(job):
    place = part("place")
    if uos.stat(job.path)[0] & 0x4000:
        raise OSError(21)
    job.size, job.extents = place.extents(job.path, job.fs_addr // _SECTOR, job.fs_size // _SECTOR)
    if job.size < 1024:
        # littlefs keeps small files in their directory.
        with open(job.path, "rb") as f:
            if not job.size or esp.flash_read(place.addr(job.extents, 0)[0], 1024)[:job.size] != f.read():
                raise OSError(95)
    forget("place")


def _check(job):
    tell = job.tell("image", "checking image")
    with open(job.path, "rb") as f:
        code = part("image")
        headers = code.parse(f, job.size)
        kind = code.KINDS[headers[1]]
        del code
        forget("image")
        check = part("verify").Check(f, headers, job.sums)
        if job.safe_check:
            check.verify(job.buf, tell)
        else:
            check.sum(job.buf, tell)
    job.crc32 = check.crc32
    job.sha1 = check.sha1
    job.image_fs = check.fs_addr
    job.facts = (kind, "ESP8266", job.size, len(headers[3]), job.crc32, job.image_fs or None, check.version)


def look(job):
    """Fill in what the file says. Raises OSError with its sentence."""
    try:
        _find(job)
        _check(job)
    except OSError as e:
        raise explained(e, "no_bytes")
    finally:
        forget("image", "verify", "foreign", "place", "text")
