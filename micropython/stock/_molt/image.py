"""What an image file is, and whether it is whole: src/image/image.c and image_verify.c for an ESP8266's images."""

from ustruct import unpack_from

# Kinds.
ESP8266 = const(1)
MICROPYTHON = const(2)
ARDUINO = const(3)
KINDS = (None, "ESP8266 image", "MicroPython firmware for ESP8266", "Arduino firmware for ESP8266 (eboot and sketch)")

_SEGMENTS_MAX = const(16)
_EBOOT_SEGMENTS_MAX = const(4)
_EBOOT_VADDR = const(0x4010F000)
_EBOOT_PADDING = const(0xAA)
_SKETCH_OFF = const(0x1000)
_SKETCH_SIZE_OFF = const(0x1010)
_HEAD_SIZE = const(0x9000)
_SIZE_OFF = const(0x8FFC)
_REFERENCES_MAX = const(15)
_SECTOR = const(4096)

# Bytes that are kept of what was read before: more than a map mark has, or a banner and a version.
KEPT = const(64)

# The map mark, and the bytes before a MicroPython's version: docs/format.md. Never in this form in flash that is an image.
_MARK_INVERTED = b"\xb4\xe7\x91\x2c\x4f\x68\x0a\xd3\x9d\x13\xf2\x5b\xa1\xc0\x65\x8e"
_BANNER = b"MicroPython v"
_VERSION_MAX = const(47)


def _bad(defect, off):
    """The error for a damaged image."""
    from _molt.text import error

    return error(84, defect, " (at byte %u)" % off)


def _ram(vaddr, size):
    return 0x40100000 <= vaddr and vaddr + size <= 0x40110000 or 0x3FFE8000 <= vaddr and vaddr + size <= 0x3FFFC000


def _mapped(vaddr, size):
    return 0x40200000 <= vaddr and vaddr + size <= 0x40300000


class Image:
    """An image in an open file of `size` bytes. Raises OSError with its sentence where the headers cannot be right."""

    def __init__(self, f, size):
        self._f = f
        self.size = size
        self.crc32 = 0
        self.sha1 = None
        self.fs_addr = 0
        self.version = None
        self._segments = []  # (address, offset of the data, their size)
        self._groups = []    # (first segment, behind the last one, offset of the checksum)
        self._end = 0        # behind the part that has a sum of its own; 0 for none
        self._parse()

    def segment_count(self):
        return len(self._segments)

    def _read(self, off, size):
        if off + size > self.size:
            raise _bad("too_short", self.size)
        self._f.seek(off)
        data = self._f.read(size)
        if len(data) != size:
            raise OSError(84)
        return data

    def _parse(self):
        if self.size == 0:
            raise _bad("empty", 0)
        header = self._read(0, min(self.size, 24))
        if header[:8] == b"\xff" * min(self.size, 8):
            raise _bad("erased", 0)
        if header[:2] == b"\x1f\x8b":
            raise _bad("compressed", 0)
        if header[0] not in (0xE9, 0xEA):
            raise _bad("bad_magic", 0)
        if len(header) < 24:
            raise _bad("too_short", len(header))
        self.params = header[2:4]
        if header[0] == 0xEA or self._is_esp32(header):
            from _molt.foreign import refusal

            raise refusal(header)
        self.kind = ESP8266
        if not is_flash_mode(header):
            raise _bad("bad_mode", 2)
        self._parse_segments(0, header, False)
        if not self._parse_arduino(header):
            self._parse_micropython()

    def _is_esp32(self, header):
        vaddr = unpack_from("<I", header, 8)[0]
        is_pin = header[8] == 0xEE or header[8] < 64
        return not _ram(vaddr, 1) and not _mapped(vaddr, 1) and is_pin and header[19:23] == bytes(4) and header[23] <= 1

    def _parse_segments(self, start, header, is_sketch):
        """Those of the header at `start`; their sizes and places are taken for nothing else than what is checked here."""
        count = header[1]
        if not 0 < count <= _SEGMENTS_MAX:
            raise _bad("bad_segment_count", start + 1)
        first = len(self._segments)
        entry = unpack_from("<I", header, 4)[0]
        has_entry = False
        off = start + 8
        for _ in range(count):
            vaddr, size = unpack_from("<II", self._read(off, 8))
            present = min(size, self.size - off - 8)
            if present and not _ram(vaddr, present) and not (is_sketch and _mapped(vaddr, present)):
                raise _bad("bad_address", off)
            if present < size:
                raise _bad("bad_segment_size", off + 4)
            has_entry = has_entry or 0x40100000 <= vaddr < 0x40110000 and vaddr <= entry < vaddr + size
            self._segments.append((vaddr, off + 8, size))
            off += 8 + size
        if not has_entry:
            raise _bad("bad_entry", start + 4)
        if off | 15 >= self.size:
            raise _bad("too_short", self.size)
        self._groups.append((first, len(self._segments), off | 15))

    def _is_eboot(self, header):
        end = self._groups[0][2] + 1
        if header[1] > _EBOOT_SEGMENTS_MAX or unpack_from("<I", header, 4)[0] < _EBOOT_VADDR or end > _SKETCH_OFF or end >= self.size:
            return False
        if end < _SKETCH_OFF and self._read(end, 1)[0] == _EBOOT_PADDING:
            return True
        return self.size > _SKETCH_OFF and self._read(_SKETCH_OFF, 1)[0] == 0xE9

    def _parse_arduino(self, header):
        """eboot is loaded to the end of IRAM; the rest of its sector is padded, then comes another image."""
        if not self._is_eboot(header):
            return False
        self.kind = ARDUINO
        inner = self._read(_SKETCH_OFF, 8)
        if inner[0] != 0xE9:
            raise _bad("bad_inner", _SKETCH_OFF)
        self._parse_segments(_SKETCH_OFF, inner, True)
        end = self._groups[1][2] + 1
        if unpack_from("<I", self._read(_SKETCH_SIZE_OFF, 4))[0] == end:
            self._end = end
        return True

    def _parse_micropython(self):
        """Between the segments and the size word is nothing but 0xFF."""
        end = self._groups[0][2] + 1
        if end > _SIZE_OFF or self.size < _HEAD_SIZE:
            return
        tail = self._read(_HEAD_SIZE - 32, 32)
        padding = min(_SIZE_OFF - end, 28)
        is_padded = padding and tail[28 - padding:28] == b"\xff" * padding
        word = unpack_from("<I", tail, 28)[0]
        is_exact = self.size >= _HEAD_SIZE + 16 and word == self.size - 16
        if not is_exact and (not is_padded or word in (0, 0xFFFFFFFF)):
            return
        self.kind = MICROPYTHON
        if word < _HEAD_SIZE:
            raise _bad("bad_size_word", _SIZE_OFF)
        if word + 16 > self.size:
            raise _bad("truncated", self.size)
        self._end = word

    # ---- the bytes

    def sum(self, sums, buf, tell):
        """CRC-32 and SHA-1 of the file, and nothing else. buf: a bytearray of KEPT + 4096."""
        view = memoryview(buf)
        sha1 = sums.sha1()
        self._f.seek(0)
        for off in range(0, self.size, _SECTOR):
            piece = self._piece(view, off)
            self.crc32 = sums.crc32(self.crc32, piece)
            sha1.update(piece)
            tell(off + len(piece), self.size)
        self.sha1 = sha1.digest()

    def verify(self, sums, buf, tell):
        """All that can be summed, in one pass. Raises OSError with its sentence where the image is not whole."""
        view = memoryview(buf)
        sha1 = sums.sha1()
        md5 = sums.md5() if self.kind == MICROPYTHON else None
        self._xors = [0xEF] * len(self._groups)
        self._references = 0
        self._is_padding_used = False
        self._arduino = None
        if self.kind == ARDUINO and self._end:
            from _molt.foreign import ArduinoCrc

            self._arduino = ArduinoCrc(self._end)
        kept = 0
        self._f.seek(0)
        for off in range(0, self.size, _SECTOR):
            piece = self._piece(view, off)
            size = len(piece)
            self.crc32 = sums.crc32(self.crc32, piece)
            sha1.update(piece)
            self._check_segments(sums, buf, piece, off)
            if md5:
                # The first four bytes hold flash parameters, which flashing tools change.
                md5.update(piece[4 if off == 0 else 0:max(0, min(size, self._end - off))])
                self._look_at(buf, piece, off, kept)
                buf[:KEPT] = buf[size:size + KEPT]
                kept = min(KEPT, kept + size)
            if self._arduino:
                self._arduino.update(piece, off)
            tell(off + size, self.size)
        self.sha1 = sha1.digest()
        self._judge(md5)

    def _piece(self, view, off):
        piece = view[KEPT:KEPT + min(_SECTOR, self.size - off)]
        if self._f.readinto(piece) != len(piece):
            raise OSError(84)
        return piece

    def _check_segments(self, sums, buf, piece, off):
        for group in range(len(self._groups)):
            first, behind, _ = self._groups[group]
            for _, begin, size in self._segments[first:behind]:
                end = min(begin + size, off + len(piece)) - off
                begin = max(begin - off, 0)
                if begin < end:
                    self._xors[group] ^= sums.xor(piece[begin:end])
                    if self._end and self.kind == ARDUINO:
                        # Size and CRC of the sketch were filled in when its checksum had been made.
                        fields = piece[max(begin, _SKETCH_SIZE_OFF - off):max(0, min(end, _SKETCH_SIZE_OFF + 8 - off))]
                        self._xors[group] ^= sums.xor(fields)
                    if self.kind == ESP8266:
                        self._count_references(buf, KEPT + begin + (-(off + begin) & 3), KEPT + end)

    def _count_references(self, buf, at, end):
        """Words that are addresses in mapped flash behind the end of the file."""
        while at + 4 <= end:
            if buf[at + 3] == 0x40 and buf[at + 2] & 0xF0 == 0x20:
                self._references += (buf[at + 2] & 15) << 16 | buf[at + 1] << 8 | buf[at] >= self.size
            at += 4

    def _look_at(self, buf, piece, off, kept):
        """Padding, map mark and version. `kept` bytes before KEPT in buf are the end of the piece before."""
        size = len(piece)
        if off < _SIZE_OFF:
            at = max(0, self._groups[0][2] + 1 - off)
            end = min(size, _SIZE_OFF - off)
            while at < end and not self._is_padding_used:
                self._is_padding_used = piece[at] != 0xFF
                at += 1
        mark = bytes(b ^ 0xFF for b in _MARK_INVERTED)
        begin = KEPT - kept
        if not self.fs_addr and mark in buf:
            self._find_mark(mark, buf, begin, KEPT + size)
        if self.version is None and _BANNER in buf:
            self._find_version(buf, begin, KEPT + size, off + size == self.size)

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
        if self.kind == ESP8266 and self._references > _REFERENCES_MAX:
            raise _bad("no_mapped_part", self.size)
        if md5:
            if self._read(self._end, 16) != md5.digest():
                raise _bad("bad_md5", self._end)
            # The MD5 leaves the segment count out, and the checksum notices a wrong one only mostly.
            if self._is_padding_used:
                raise _bad("bad_segment_count", 1)
        if self._arduino:
            if not self._arduino.is_right(self._read(_SKETCH_SIZE_OFF + 4, 4), self.params):
                raise _bad("bad_crc", _SKETCH_SIZE_OFF + 4)


def is_flash_mode(header):
    """QIO to DOUT; size codes of the SDK up to 9, 16 MB."""
    return header[2] <= 3 and header[3] >> 4 <= 9 and header[3] & 15 in (0, 1, 2, 15)
