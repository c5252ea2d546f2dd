"""Whether an image is whole: src/image/image_verify.c. What is found goes into the image."""

from ustruct import unpack_from

# Kinds, of image.py.
_ESP8266 = const(1)
_MICROPYTHON = const(2)
_ARDUINO = const(3)

_SKETCH_SIZE_OFF = const(0x1010)
_SIZE_OFF = const(0x8FFC)
_REFERENCES_MAX = const(15)
_SECTOR = const(4096)

# Bytes that are kept of what was read before: more than a map mark has, or a banner and a version.
_KEPT = const(64)

# The map mark, and the bytes before a MicroPython's version: docs/format.md. Never in this form in flash that is an image.
_MARK_INVERTED = b"\xb4\xe7\x91\x2c\x4f\x68\x0a\xd3\x9d\x13\xf2\x5b\xa1\xc0\x65\x8e"
_BANNER = b"MicroPython v"
_VERSION_MAX = const(47)


def _bad(defect, off):
    """The error for a damaged image."""
    from _molt.text import error

    return error(84, defect, " (at byte %u)" % off)


class Check:
    """Of the image in the open file f. headers: what image.parse() has found; sums: the module.

    crc32, sha1, fs_addr, version  are known afterwards; the last two only of a MicroPython that was verified
    """

    def __init__(self, f, headers, sums):
        self._f = f
        self._sums = sums
        self._size, self._kind, self._params, self._segments, self._groups, self._end = headers
        self.crc32 = 0
        self.fs_addr = 0
        self.version = None

    def _read(self, off, size):
        self._f.seek(off)
        return self._f.read(size)

    def sum(self, buf, tell):
        """CRC-32 and SHA-1 of the file, and nothing else. buf: a bytearray of _KEPT + 4096."""
        view = memoryview(buf)
        sha1 = self._sums.sha1()
        self._f.seek(0)
        for off in range(0, self._size, _SECTOR):
            piece = self._piece(view, off)
            self.crc32 = self._sums.crc32(self.crc32, piece)
            sha1.update(piece)
            tell(off + len(piece), self._size)
        self.sha1 = sha1.digest()

    def verify(self, buf, tell):
        """All that can be summed, in one pass. Raises OSError with its sentence where the image is not whole."""
        view = memoryview(buf)
        sha1 = self._sums.sha1()
        md5 = self._sums.md5() if self._kind == _MICROPYTHON else None
        self._xors = [0xEF] * len(self._groups)
        self._references = 0
        self._is_padding_used = False
        self._arduino = None
        if self._kind == _ARDUINO and self._end:
            from _molt.foreign import ArduinoCrc

            self._arduino = ArduinoCrc(self._end)
        kept = 0
        self._f.seek(0)
        for off in range(0, self._size, _SECTOR):
            piece = self._piece(view, off)
            size = len(piece)
            self.crc32 = self._sums.crc32(self.crc32, piece)
            sha1.update(piece)
            self._check_segments(buf, piece, off)
            if md5:
                # The first four bytes hold flash parameters, which flashing tools change.
                md5.update(piece[4 if off == 0 else 0:max(0, min(size, self._end - off))])
                self._look_at(buf, piece, off, kept)
                buf[:_KEPT] = buf[size:size + _KEPT]
                kept = min(_KEPT, kept + size)
            if self._arduino:
                self._arduino.update(piece, off)
            tell(off + size, self._size)
        self.sha1 = sha1.digest()
        self._judge(md5)

    def _piece(self, view, off):
        piece = view[_KEPT:_KEPT + min(_SECTOR, self._size - off)]
        if self._f.readinto(piece) != len(piece):
            raise OSError(84)
        return piece

    def _check_segments(self, buf, piece, off):
        for group in range(len(self._groups)):
            first, behind, _ = self._groups[group]
            for _, begin, size in self._segments[first:behind]:
                end = min(begin + size, off + len(piece)) - off
                begin = max(begin - off, 0)
                if begin < end:
                    self._xors[group] ^= self._sums.xor(piece[begin:end])
                    if self._end and self._kind == _ARDUINO:
                        # Size and CRC of the sketch were filled in when its checksum had been made.
                        fields = piece[max(begin, _SKETCH_SIZE_OFF - off):max(0, min(end, _SKETCH_SIZE_OFF + 8 - off))]
                        self._xors[group] ^= self._sums.xor(fields)
                    if self._kind == _ESP8266:
                        self._count_references(buf, _KEPT + begin + (-(off + begin) & 3), _KEPT + end)

    def _count_references(self, buf, at, end):
        """Words that are addresses in mapped flash behind the end of the file."""
        while at + 4 <= end:
            if buf[at + 3] == 0x40 and buf[at + 2] & 0xF0 == 0x20:
                self._references += (buf[at + 2] & 15) << 16 | buf[at + 1] << 8 | buf[at] >= self._size
            at += 4

    def _look_at(self, buf, piece, off, kept):
        """Padding, map mark and version. `kept` bytes before _KEPT in buf are the end of the piece before."""
        size = len(piece)
        if off < _SIZE_OFF:
            at = max(0, self._groups[0][2] + 1 - off)
            end = min(size, _SIZE_OFF - off)
            while at < end and not self._is_padding_used:
                self._is_padding_used = piece[at] != 0xFF
                at += 1
        mark = bytes(b ^ 0xFF for b in _MARK_INVERTED)
        begin = _KEPT - kept
        if not self.fs_addr and mark in buf:
            self._find_mark(mark, buf, begin, _KEPT + size)
        if self.version is None and _BANNER in buf:
            self._find_version(buf, begin, _KEPT + size, off + size == self._size)

    def _find_mark(self, mark, buf, begin, end):
        for at in range(begin, end - 23, 4):
            if buf[at:at + 16] == mark:
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
            text = ""
            while at < end and len(text) < _VERSION_MAX and 32 <= buf[at] <= 126 and buf[at] != 59:
                text += chr(buf[at])
                at += 1
            if text[:1] in "0123456789" and text and (at < end or is_last or len(text) == _VERSION_MAX):
                self.version = "v" + text
                return

    def _judge(self, md5):
        for (_, _, off), xor in zip(self._groups, self._xors):
            if self._read(off, 1)[0] != xor:
                raise _bad("bad_checksum", off)
        if self._kind == _ESP8266 and self._references > _REFERENCES_MAX:
            raise _bad("no_mapped_part", self._size)
        if md5:
            if self._read(self._end, 16) != md5.digest():
                raise _bad("bad_md5", self._end)
            # The MD5 leaves the segment count out, and the checksum notices a wrong one only mostly.
            if self._is_padding_used:
                raise _bad("bad_segment_count", 1)
        if self._arduino:
            if not self._arduino.is_right(self._read(_SKETCH_SIZE_OFF + 4, 4), self._params):
                raise _bad("bad_crc", _SKETCH_SIZE_OFF + 4)
