"""What tells whether an image is whole, summed in one pass: src/image/image_verify.c. judge.py judges."""

from _molt import forget, part

# Kinds, of kind.py.
_ESP8266 = const(1)
_MICROPYTHON = const(2)
_ARDUINO = const(3)

_SKETCH_SIZE_OFF = const(0x1010)
_SIZE_OFF = const(0x8FFC)

# Bytes that are kept of what was read before: more than a map mark has, or a banner and a version.
_KEPT = const(64)

# The map mark, and the bytes before a MicroPython's version: docs/format.md. Never in this form in flash that is an image.
_MARK_INVERTED = b"\xb4\xe7\x91\x2c\x4f\x68\x0a\xd3\x9d\x13\xf2\x5b\xa1\xc0\x65\x8e"
_BANNER = b"MicroPython v"


class _Check:
    """Of the job's image: its sums, as far as they were made, and what it says of itself."""

    def __init__(self, job):
        self.crc32 = self.fs_addr = self.references = self.kept = 0
        self.sha1 = part("digest").digest(job.sums, False)
        self.version = self.md5 = self.arduino = self.count = None
        self.xors = bytearray(b"\xef" * len(job.groups))
        # What the image says: the checksum of each group, and its MD5.
        self.checksums = bytearray(len(job.groups))
        self.stored_md5 = b""
        self.is_padding_used = False
        if job.safe_check and job.kind == _MICROPYTHON:
            self.md5 = part("digest").digest(job.sums, True)
        if job.safe_check and job.kind == _ARDUINO and job.end:
            self.arduino = part("foreign").ArduinoCrc(job.end)
        if job.kind == _ESP8266:
            self.count = part("references").references
        self.mark = bytes(b ^ 0xFF for b in _MARK_INVERTED)


def _add(check, job, buf, piece, off):
    """The bytes of the image at `off`, which are in `buf` from _KEPT on."""
    check.crc32 = job.sums.crc32(check.crc32, piece)
    check.sha1.update(piece)
    if not job.safe_check:
        return
    for group in range(len(job.groups)):
        _add_segments(check, job, buf, piece, off, group)
    if check.md5:
        # The first four bytes hold flash parameters, which flashing tools change.
        check.md5.update(piece[4 if off == 0 else 0:max(0, min(len(piece), job.end - off))])
        check.stored_md5 += bytes(piece[max(0, job.end - off):max(0, job.end + 16 - off)])
        _look_at(check, job, buf, piece, off)
    if check.arduino:
        check.arduino.update(piece, off)


def _add_segments(check, job, buf, piece, off, group):
    first, behind, at = job.groups[group]
    if off <= at < off + len(piece):
        check.checksums[group] = piece[at - off]
    xor = job.sums.xor
    for i in range(first, behind):
        _, begin, size = job.segments[i]
        end = min(begin + size, off + len(piece)) - off
        begin = max(begin - off, 0)
        if begin < end:
            check.xors[group] ^= xor(piece[begin:end])
            if job.end and job.kind == _ARDUINO:
                # Size and CRC of the sketch were filled in when its checksum had been made.
                check.xors[group] ^= xor(piece[max(begin, _SKETCH_SIZE_OFF - off):max(0, min(end, _SKETCH_SIZE_OFF + 8 - off))])
            if check.count:
                check.references += check.count(buf, _KEPT + begin + (-(off + begin) & 3), _KEPT + end, job.size)


def _look_at(check, job, buf, piece, off):
    """Padding, map mark and version. In `buf` there is the end of the piece before, too."""
    size = len(piece)
    if off < _SIZE_OFF:
        at = max(0, job.groups[0][2] + 1 - off)
        end = min(size, _SIZE_OFF - off)
        while at < end and not check.is_padding_used:
            check.is_padding_used = piece[at] != 0xFF
            at += 1
    begin = _KEPT - check.kept
    if not check.fs_addr and check.mark in buf:
        check.fs_addr = part("marks").map_start(buf, check.mark, begin, _KEPT + size)
        forget()
    if check.version is None and _BANNER in buf:
        check.version = part("marks").version(buf, _BANNER, begin, _KEPT + size, off + size == job.size)
        forget()
    buf[:_KEPT] = buf[size:size + _KEPT]
    check.kept = min(_KEPT, check.kept + size)


def verify(job):
    """job.check: what judge.py judges by."""
    tell = part("tell").tell(job, "image", "checking image")
    buf = part("buffer").buffer(job)
    check = _Check(job)
    with part("source").source(job) as f:
        forget()
        view = memoryview(buf)
        for off in range(0, job.size, len(buf) - _KEPT):
            piece = view[_KEPT:_KEPT + min(len(buf) - _KEPT, job.size - off)]
            if f.readinto(piece) != len(piece):
                raise OSError(84)
            _add(check, job, buf, piece, off)
            tell(off + len(piece), job.size)
    # Not the object itself, which has all this code.
    job.check = (check.crc32, check.sha1.digest(), check.fs_addr, check.version, check.xors, check.checksums, check.references,
                 check.md5 and check.md5.digest(), check.stored_md5, check.arduino, check.is_padding_used)
