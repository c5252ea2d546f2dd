"""What tells whether an image is whole, summed in one pass: src/image/image_verify.c. judge.py judges."""

from _molt import part
from ustruct import unpack_from

# Kinds, of kind.py.
_ESP8266 = const(1)
_MICROPYTHON = const(2)
_ARDUINO = const(3)

_SKETCH_SIZE_OFF = const(0x1010)
_SIZE_OFF = const(0x8FFC)
_SECTOR = const(4096)

# Bytes that are kept of what was read before: more than a map mark has, or a banner and a version.
_KEPT = const(64)

# The map mark, and the bytes before a MicroPython's version: docs/format.md. Never in this form in flash that is an image.
_MARK_INVERTED = b"\xb4\xe7\x91\x2c\x4f\x68\x0a\xd3\x9d\x13\xf2\x5b\xa1\xc0\x65\x8e"
_BANNER = b"MicroPython v"
_VERSION_MAX = const(47)


class _Check:
    """Of the job's image: its sums, as far as they were made, and what it says of itself."""

    def __init__(self, job):
        sums = job.sums
        self._crc32 = sums.crc32
        self._xor = sums.xor
        self.crc32 = self.fs_addr = self.references = 0
        self.sha1 = sums.sha1()
        self.version = self.md5 = self.arduino = None
        self.xors = bytearray(b"\xef" * len(job.groups))
        # What the image says: the checksum of each group, and its MD5.
        self.checksums = bytearray(len(job.groups))
        self.stored_md5 = b""
        self.is_padding_used = False
        if job.safe_check and job.kind == _MICROPYTHON:
            self.md5 = sums.md5()
        if job.safe_check and job.kind == _ARDUINO and job.end:
            self.arduino = part("foreign").ArduinoCrc(job.end)
        self._mark = bytes(b ^ 0xFF for b in _MARK_INVERTED)
        self._kept = 0

    def add(self, job, buf, piece, off):
        """The bytes of the image at `off`, which are in `buf` from _KEPT on."""
        self.crc32 = self._crc32(self.crc32, piece)
        self.sha1.update(piece)
        if not job.safe_check:
            return
        self._add_segments(job, buf, piece, off)
        if self.md5:
            # The first four bytes hold flash parameters, which flashing tools change.
            self.md5.update(piece[4 if off == 0 else 0:max(0, min(len(piece), job.end - off))])
            self.stored_md5 += bytes(piece[max(0, job.end - off):max(0, job.end + 16 - off)])
            self._look_at(job, buf, piece, off)
        if self.arduino:
            self.arduino.update(piece, off)

    def _add_segments(self, job, buf, piece, off):
        for group in range(len(job.groups)):
            first, behind, at = job.groups[group]
            if off <= at < off + len(piece):
                self.checksums[group] = piece[at - off]
            for i in range(first, behind):
                _, begin, size = job.segments[i]
                end = min(begin + size, off + len(piece)) - off
                begin = max(begin - off, 0)
                if begin < end:
                    self.xors[group] ^= self._xor(piece[begin:end])
                    if job.end and job.kind == _ARDUINO:
                        # Size and CRC of the sketch were filled in when its checksum had been made.
                        fields = piece[max(begin, _SKETCH_SIZE_OFF - off):max(0, min(end, _SKETCH_SIZE_OFF + 8 - off))]
                        self.xors[group] ^= self._xor(fields)
                    if job.kind == _ESP8266:
                        self._count_references(job, buf, _KEPT + begin + (-(off + begin) & 3), _KEPT + end)

    def _count_references(self, job, buf, at, end):
        """Words that are addresses in mapped flash behind the end of the file."""
        while at + 4 <= end:
            if buf[at + 3] == 0x40 and buf[at + 2] & 0xF0 == 0x20:
                self.references += (buf[at + 2] & 15) << 16 | buf[at + 1] << 8 | buf[at] >= job.size
            at += 4

    def _look_at(self, job, buf, piece, off):
        """Padding, map mark and version. In `buf` there is the end of the piece before, too."""
        size = len(piece)
        if off < _SIZE_OFF:
            at = max(0, job.groups[0][2] + 1 - off)
            end = min(size, _SIZE_OFF - off)
            while at < end and not self.is_padding_used:
                self.is_padding_used = piece[at] != 0xFF
                at += 1
        begin = _KEPT - self._kept
        if not self.fs_addr and self._mark in buf:
            self._find_mark(buf, begin, _KEPT + size)
        if self.version is None and _BANNER in buf:
            self._find_version(buf, begin, _KEPT + size, off + size == job.size)
        buf[:_KEPT] = buf[size:size + _KEPT]
        self._kept = min(_KEPT, self._kept + size)

    def _find_mark(self, buf, begin, end):
        for at in range(begin, end - 23, 4):
            if buf[at:at + 16] == self._mark:
                user, romfs = unpack_from("<II", buf, at + 16)
                start = user + romfs & 0xFFFFFFFF
                if start and start % _SECTOR == 0 and start < 0x1000000:
                    # flashbdev.py leaves a sector to native code in the part of flash that is mapped.
                    self.fs_addr = start + _SECTOR if start < 0x100000 else start
                    return

    def _find_version(self, buf, begin, end, is_last):
        at = begin
        while at < end:
            at = buf.find(_BANNER, at, end)
            if at < 0:
                return
            at += len(_BANNER)
            first = at
            while at < end and at - first < _VERSION_MAX and 32 <= buf[at] <= 126 and buf[at] != 59:
                at += 1
            if at > first and 48 <= buf[first] <= 57 and (at < end or is_last or at - first == _VERSION_MAX):
                # The "v" is the banner's last byte.
                self.version = str(buf[first - 1:at], "utf-8")
                return


def run(job):
    """job.check: what judge.py judges by."""
    check = _Check(job)
    tell = job.tell("image", "checking image")
    with part("source").opened(job) as f:
        buf = part("source").buffer(job)
        view = memoryview(buf)
        for off in range(0, job.size, len(buf) - _KEPT):
            piece = view[_KEPT:_KEPT + min(len(buf) - _KEPT, job.size - off)]
            if f.readinto(piece) != len(piece):
                raise OSError(84)
            check.add(job, buf, piece, off)
            tell(off + len(piece), job.size)
    # Not the object itself, which has all this code.
    job.check = (check.crc32, check.sha1, check.fs_addr, check.version, check.xors, check.checksums, check.references, check.md5, check.stored_md5,
                 check.arduino, check.is_padding_used)
