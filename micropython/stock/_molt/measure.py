"""A gzip file, unpacked once: whether it is whole, and what comes out. src/decode/unpack_measure.c, and src/job/job.c."""

from _molt import forget, part
from ustruct import unpack

_SECTOR = const(4096)
_MAPPED_SIZE = const(0x100000)

# The largest window of all, by its bits. The smallest that may do is look.py's.
_BITS_MAX = const(15)


def _measure(job, tell):
    """Unpack everything once: job.size, job.crc32, job.kept. Raises EOFError or OSError(22) where it cannot be."""
    gzip = job.unpacked
    view = memoryview(job.buf)[64:]
    job.size = job.crc32 = job.kept = 0
    while True:
        count = gzip.readinto(view)
        if job.size < _SECTOR:
            # Rounded up to what the C engine reads ahead.
            job.kept = min(job.file_size, gzip.file.tell() + 127 & ~127)
        if not count:
            return
        job.size += count
        job.crc32 = job.sums.crc32(job.crc32, view[:count])
        if job.size > _MAPPED_SIZE:
            raise part("text").error(27, "bomb")
        if tell:
            tell(job, gzip.file.tell(), job.file_size)


def _check_end(job, file):
    """Whether the trailer is that of what came out, and only zeros follow it."""
    if job.size != unpack(b"<I", _read_at(file, job.unpacked.file.tell() - 4, 4))[0]:
        return False
    while True:
        rest = file.read(64)
        if not rest:
            return True
        if rest.strip(b"\0"):
            raise part("text").error(95, "follows")


def _read_at(file, off, size):
    file.seek(off)
    return file.read(size)


def _check(job, file, tell):
    """Raises OSError with its sentence where the gzip file is damaged."""
    least = job.unpacked.bits
    for bits in range(least, _BITS_MAX + 1):
        try:
            job.unpacked.begin(bits)
            _measure(job, tell)
            if _check_end(job, file):
                return
            break
        except EOFError:
            break
        except OSError as e:
            # 22 is a reference that reaches back too far, or damage; at the file's end it is the CRC.
            if e.errno != 22:
                raise
            if job.unpacked.file.tell() >= job.file_size:
                break
        except MemoryError:
            if bits == least:
                raise
            raise part("no_window").no_window(bits)
    raise part("text").error(84, "bad_gzip")


def measure(job):
    """Of a gzip file: size, crc32, kept; and bits of the window, in job.unpacked. gzip.py has looked at its beginning."""
    if not job.is_gzip:
        return
    # Nothing is unpacked meanwhile: each unpacking begins with the file's first byte.
    tell = part("tell").tell(job, "image")
    forget()
    _check(job, job.unpacked.file, tell)
