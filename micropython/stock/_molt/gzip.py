"""How a gzip file begins, and what is in it, before all of it is unpacked."""

from _molt import part


def _begins(job):
    """The first bytes of what is in it; none where measure.py has to tell why."""
    try:
        with open(job.path, "rb") as f:
            header = f.read(4)
        if header[2:3] != b"\x08" or header[3] & 0xE0:
            raise part("text").error(95, "follows")
        found = bytearray(8)
        job.unpacked.begin(job.unpacked.bits)
        return bytes(found[:job.unpacked.readinto(found)])
    except (EOFError, MemoryError):
        return b""
    except OSError as e:
        if e.errno != 22:
            raise
        return b""


def gzip(job):
    """Raises OSError with its sentence where it is of a kind that nobody makes, or what is in it no image."""
    if job.is_gzip:
        if not job.unpacked:
            raise MemoryError
        found = _begins(job)
        if found:
            part("first").first(found)
