"""What an image file is, by its headers: src/image/image.c for an ESP8266's images."""

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


def _bad(defect, off):
    """The error for a damaged image."""
    from _molt.text import error

    return error(84, defect, " (at byte %u)" % off)


def _ram(vaddr, size):
    return 0x40100000 <= vaddr and vaddr + size <= 0x40110000 or 0x3FFE8000 <= vaddr and vaddr + size <= 0x3FFFC000


def _mapped(vaddr, size):
    return 0x40200000 <= vaddr and vaddr + size <= 0x40300000


class _Image:
    """An image in an open file of `size` bytes. Raises OSError with its sentence where the headers cannot be right."""

    def __init__(self, f, size):
        self.f = f
        self.size = size
        self.segments = []  # (address, offset of the data, their size)
        self.groups = []    # (first segment, behind the last one, offset of the checksum)
        self.end = 0        # behind the part that has a sum of its own; 0 for none
        self._parse()

    def read(self, off, size):
        if off + size > self.size:
            raise _bad("too_short", self.size)
        self.f.seek(off)
        data = self.f.read(size)
        if len(data) != size:
            raise OSError(84)
        return data

    def _parse(self):
        if self.size == 0:
            raise _bad("empty", 0)
        header = self.read(0, min(self.size, 24))
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
        first = len(self.segments)
        entry = unpack_from("<I", header, 4)[0]
        has_entry = False
        off = start + 8
        for _ in range(count):
            vaddr, size = unpack_from("<II", self.read(off, 8))
            present = min(size, self.size - off - 8)
            if present and not _ram(vaddr, present) and not (is_sketch and _mapped(vaddr, present)):
                raise _bad("bad_address", off)
            if present < size:
                raise _bad("bad_segment_size", off + 4)
            has_entry = has_entry or 0x40100000 <= vaddr < 0x40110000 and vaddr <= entry < vaddr + size
            self.segments.append((vaddr, off + 8, size))
            off += 8 + size
        if not has_entry:
            raise _bad("bad_entry", start + 4)
        if off | 15 >= self.size:
            raise _bad("too_short", self.size)
        self.groups.append((first, len(self.segments), off | 15))

    def _is_eboot(self, header):
        end = self.groups[0][2] + 1
        entry = unpack_from("<I", header, 4)[0]
        if header[1] > _EBOOT_SEGMENTS_MAX or entry < _EBOOT_VADDR or end > _SKETCH_OFF or end >= self.size:
            return False
        if end < _SKETCH_OFF and self.read(end, 1)[0] == _EBOOT_PADDING:
            return True
        return self.size > _SKETCH_OFF and self.read(_SKETCH_OFF, 1)[0] == 0xE9

    def _parse_arduino(self, header):
        """eboot is loaded to the end of IRAM; the rest of its sector is padded, then comes another image."""
        if not self._is_eboot(header):
            return False
        self.kind = ARDUINO
        inner = self.read(_SKETCH_OFF, 8)
        if inner[0] != 0xE9:
            raise _bad("bad_inner", _SKETCH_OFF)
        self._parse_segments(_SKETCH_OFF, inner, True)
        end = self.groups[1][2] + 1
        if unpack_from("<I", self.read(_SKETCH_SIZE_OFF, 4))[0] == end:
            self.end = end
        return True

    def _parse_micropython(self):
        """Between the segments and the size word is nothing but 0xFF."""
        end = self.groups[0][2] + 1
        if end > _SIZE_OFF or self.size < _HEAD_SIZE:
            return
        tail = self.read(_HEAD_SIZE - 32, 32)
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
        self.end = word


def parse(f, size):
    """(size, kind, header bytes 2 and 3, segments, groups, end) of the image in an open file."""
    image = _Image(f, size)
    return size, image.kind, image.params, image.segments, image.groups, image.end


def is_flash_mode(header):
    """QIO to DOUT; size codes of the SDK up to 9, 16 MB."""
    return header[2] <= 3 and header[3] >> 4 <= 9 and header[3] & 15 in (0, 1, 2, 15)
