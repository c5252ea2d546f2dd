"""What tells whether an image is whole, summed up in one pass: src/image/image_verify.c. ready.py begins, judge.py judges."""

from _molt import forget, part

# Bytes that are kept of what was read before: more than a map mark has, or a banner and a version.
_KEPT = const(64)
_SEEN = const(60)

# The bytes before a MicroPython's version: docs/format.md.
_BANNER = b"MicroPython v"


def _update(job, digest, data):
    if job.sums.rom:
        job.sums.rom(digest[1], digest[0], data, len(data))
    else:
        digest.update(data)


def _add(job, buf, piece, off):
    """The bytes of the image at `off`, which are in `buf` from _KEPT on."""
    job.found_crc = job.sums.crc32(job.found_crc, piece)
    _update(job, job.sha1, piece)
    if not job.safe_check:
        return
    for group in range(len(job.groups)):
        _add_segments(job, buf, piece, off, group)
    if job.md5:
        # The first four bytes hold flash parameters, which flashing tools change.
        _update(job, job.md5, piece[4 if off == 0 else 0:max(0, min(len(piece), job.end - off))])
        job.stored_md5 += bytes(piece[max(0, job.end - off):max(0, job.end + 16 - off)])
        _look_at(job, buf, len(piece), off)
    if job.arduino:
        job.arduino.update(piece, off)


def _add_segments(job, buf, piece, off, group):
    first, behind, at = job.groups[group]
    if off <= at < off + len(piece):
        job.checksums[group] = piece[at - off]
    for i in range(first, behind):
        _, begin, size = job.pieces[i]
        end = min(begin + size, off + len(piece)) - off
        begin = max(begin - off, 0)
        if begin < end:
            job.xors[group] ^= job.sums.xor(piece[begin:end])
            if job.also:
                job.also(job, group, buf, piece, off, begin, end)


def _look_at(job, buf, size, off):
    """Map marks and versions. In `buf` there is the end of the piece before, too."""
    end = _KEPT + size
    for wanted in (job.mark, _BANNER):
        at = buf.find(wanted, _KEPT - min(_KEPT, off), end)
        while at >= 0:
            # What is cut off here comes whole with the next piece. A mark is at a whole word.
            if (at + _SEEN <= end or off + size == job.size) and (wanted is _BANNER or not at & 3):
                job.seen.append(bytes(buf[at:min(end, at + _SEEN)]))
            at = buf.find(wanted, at + 4, end)
    buf[:_KEPT] = buf[size:size + _KEPT]


def verify(job):
    """What judge.py judges by."""
    # What unpacks is the same one always, which stays open: its window would not find another place so large.
    tell = part("tell").tell(job, "image")
    forget()
    buf = job.buf if job.is_gzip else part("buffer").buffer(job)
    forget()
    with job.unpacked or open(job.path, "rb") as f:
        view = memoryview(buf)
        f.seek(0)
        for off in range(0, job.size, len(buf) - _KEPT):
            piece = view[_KEPT:_KEPT + min(len(buf) - _KEPT, job.size - off)]
            if f.readinto(piece) != len(piece):
                raise OSError(84)
            _add(job, buf, piece, off)
            if tell:
                tell(job, off + len(piece), job.size)
