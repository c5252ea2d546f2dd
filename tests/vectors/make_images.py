#!/usr/bin/env python3
"""Makes the image vectors (tests/vectors/image) and the fuzzer's seeds (tests/fuzz/corpus/image).

Knows nothing of molt's C code: it builds images from the published descriptions of the formats, so that the C
code is tested against a second opinion. Python's standard library only.

    tests/vectors/make_images.py            write the files that are not there yet
    tests/vectors/make_images.py --check    exit 1 if a committed file is not what would be made

Vectors are only added, never edited.
"""

import hashlib
import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from committed import keep, readme  # noqa: E402

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "image"
CORPUS = HERE.parent / "fuzz" / "corpus" / "image"

IRAM = 0x40100000
DRAM = 0x3FFE8000
MAPPED = 0x40200000


def pattern(size, seed=1):
    """Bytes without a period that a power of two divides."""
    return bytes((i * 7 + (i >> 8) * 13 + seed) & 0xFF for i in range(size))


def word(value):
    return struct.pack("<I", value)


def header(segments, entry, mode=2, size_freq=0x40, magic=0xE9, count=None):
    return struct.pack("<BBBBI", magic, len(segments) if count is None else count, mode, size_freq, entry)


def body(segments):
    return b"".join(struct.pack("<II", vaddr, len(data)) + data for vaddr, data in segments)


def checksum_of(segments):
    value = 0xEF
    for _, data in segments:
        for byte in data:
            value ^= byte
    return value


def closed(image, segments):
    """Zeros up to the last byte of a 16-byte line, and there the checksum."""
    return image + bytes(15 - len(image) % 16) + bytes([checksum_of(segments)])


def esp8266(segments, entry, **header_fields):
    return closed(header(segments, entry, **header_fields) + body(segments), segments)


def esp32(segments, entry, chip, with_digest=True, mode=2, size_freq=0x20, flag=None):
    extended = struct.pack("<BBBBHBHH4sB", 0xEE, 0, 0, 0, chip, 0, 0, 0xFFFF, bytes(4),
                           (1 if with_digest else 0) if flag is None else flag)
    image = closed(header(segments, entry, mode, size_freq) + extended + body(segments), segments)
    return image + hashlib.sha256(image).digest() if with_digest else image


def changed(image, off, data):
    return image[:off] + bytes(data) + image[off + len(data):]


def mark(user_start, romfs_size):
    """The flash map that a firmware with molt is made for: docs/format.md, "map mark"."""
    words = (0xD36E184B, 0x2CF597B0, 0xA40DEC62, 0x719A3F5E, user_start, romfs_size)
    return b"".join(word(w) for w in words)


def micropython(marks=b""):
    """Head up to 0x9000 with the size word at its end, the mapped part, the MD5."""
    # Literals of the loaded code: addresses of functions in the mapped part.
    text = b"".join(word(MAPPED + 0x9000 + 8 * i) for i in range(24)) + pattern(200)
    head = esp8266([(IRAM, text), (DRAM, pattern(36, 2)), (DRAM + 36, pattern(20, 3))], IRAM + 0x20, size_freq=0)
    mapped = pattern(0x400, 4)
    # Across a boundary of whatever pieces the file is read in.
    mapped = mapped[:0x1F0] + marks + mapped[0x1F0 + len(marks):]
    image = head.ljust(0x8FFC, b"\xff") + word(0x9000 + len(mapped)) + mapped
    return image + hashlib.md5(image[4:]).digest()


def crc_msb_first(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def arduino(with_crc, mapped_vaddr=MAPPED + 0x1010):
    eboot = [(0x4010F000, pattern(64, 5))]
    if with_crc:
        eboot.append((0x3FFF2000, pattern(8, 6)))
    image = esp8266(eboot, 0x4010F010).ljust(0x1000, b"\xaa")
    # The fields for size and CRC are blank when the checksum is made.
    mapped = bytes(8) + pattern(120, 7) if with_crc else pattern(128, 7)
    sketch = [(mapped_vaddr, mapped), (IRAM, pattern(60, 8)), (IRAM + 60, pattern(36, 9)), (DRAM, pattern(24, 10))]
    image += esp8266(sketch, IRAM + 8)
    if with_crc:
        image = changed(image, 0x1010, word(len(image)) + word(crc_msb_first(image)))
    return image


def esp8266_v2(with_crc):
    mapped = pattern(96, 11)
    inner = [(IRAM, pattern(60, 12)), (DRAM, pattern(20, 13))]
    image = header([], IRAM + 4, magic=0xEA, count=4) + struct.pack("<II", 0, len(mapped)) + mapped
    image = closed(image + header(inner, IRAM + 4) + body(inner), inner)
    if with_crc:
        crc = zlib.crc32(image)
        image += word(crc ^ 0xFFFFFFFF if crc & 0x80000000 else crc + 1)
    return image


def vectors():
    """name -> (bytes, one-line meaning)"""
    code = (IRAM, pattern(8))
    minimal = esp8266([code], IRAM)
    two = esp8266([(IRAM, pattern(100)), (DRAM, pattern(40))], IRAM + 12)
    app = [(0x3F400020, pattern(40, 14)), (0, bytes(12)), (0x40080000, pattern(64, 15))]
    app32 = esp32(app, 0x40080010, 0)
    riscv = [(0x3C100020, pattern(40, 16)), (0x40380000, pattern(64, 17))]
    other = {2: "S2", 9: "S3", 12: "C2", 13: "C6", 16: "H2", 18: "P4", 20: "C61", 23: "C5", 25: "H21", 28: "H4"}
    v2 = esp8266_v2(True)
    sketch = arduino(True)
    far = [(IRAM, b"".join(word(MAPPED + 0x10000 + 4 * i) for i in range(16)))]
    made = {
        "esp8266-minimal": (minimal, "one segment of 8 bytes in IRAM; nothing else"),
        "esp8266-two-segments": (two, "IRAM and DRAM"),
        "esp8266-16-segments": (esp8266([(IRAM + 4 * i, pattern(4, i)) for i in range(16)], IRAM + 60),
                                "as many segments as there may be, the entry in the last one"),
        "esp8266-empty-segment": (esp8266([code, (0, b"")], IRAM), "an empty segment may have any address"),
        "esp8266-appended": (two + b"\xff" * 100, "padding behind the image"),
        "esp8266-top-of-ram": (esp8266([(0x4010FFF8, pattern(8)), (0x3FFFFFF8, pattern(8))], 0x4010FFF8),
                               "segments that end with IRAM and with DRAM, where the mask ROM's own part is: refused"),
        "esp8266-top-of-data": (esp8266([(0x4010FFF8, pattern(8)), (0x3FFFBFF8, pattern(8))], 0x4010FFF8),
                                "segments that end with IRAM and with what an image may have of DRAM"),
        "micropython": (micropython(), "size word at 0x8ffc, MD5 at the end"),
        "micropython-mark": (micropython(mark(0x98000, 0)), "with a map mark: filesystem at 0x99000"),
        "micropython-mark-romfs": (micropython(mark(0x98000, 0)[:12] + mark(0xB0000, 0x50000)),
                                   "with the beginning of a mark, and one: ROMFS, filesystem at 0x100000"),
        "micropython-mark-wrong": (micropython(mark(0x98001, 0)), "with a mark that cannot be right"),
        "arduino": (arduino(False), "eboot with 0xAA padding, sketch at 0x1000, no CRC (before 2020)"),
        "arduino-crc": (sketch, "the same with size and CRC in the sketch"),
        "esp8266-v2": (esp8266_v2(False), "0xEA, mapped part, inner 0xE9"),
        "esp8266-v2-crc": (v2, "the same with the CRC that the SDK's tools append"),
        "esp32": (app32, "24-byte header, padding segment, SHA-256"),
        "esp32-no-digest": (esp32(app, 0x40080010, 0, with_digest=False), "no SHA-256"),
        "esp32-appended": (app32 + b"\xff" * 50, "padding behind the digest"),
        "esp32c3": (esp32(riscv, 0x40380000, 5), "chip id 5"),
    }
    for chip, name in other.items():
        made["esp32" + name.lower()] = (esp32(riscv, 0x40380000, chip), "chip id %d" % chip)
    made.update({
        "bad-empty": (b"", "no bytes"),
        "bad-erased": (b"\xff" * 64, "erased flash"),
        "bad-zeros": (bytes(64), "zeros are no image"),
        "bad-text": (b"<!DOCTYPE html><html><head><title>404</title></head></html>\n", "a saved error page"),
        "bad-gzip": (b"\x1f\x8b\x08\x00" + bytes(6) + pattern(30), "begins like a gzip file"),
        "bad-one-byte": (minimal[:1], "nothing but the magic"),
        "bad-short-header": (minimal[:16], "ends behind the first segment header"),
        "bad-short-checksum": (minimal[:31], "ends before the checksum"),
        "bad-no-segments": (changed(minimal, 1, [0]), "segment count 0"),
        "bad-17-segments": (changed(minimal, 1, [17]), "segment count 17"),
        "bad-mode": (changed(minimal, 2, [4]), "flash mode 4"),
        "bad-size-code": (changed(minimal, 3, [0xA0]), "flash size code 10"),
        "bad-frequency": (changed(minimal, 3, [0x43]), "flash frequency code 3"),
        "bad-segment-size": (changed(two, 12, word(0x1000)), "first segment past the end of the file"),
        "bad-segment-size-huge": (changed(two, 12, word(0xFFFFFFF8)), "segment size that overflows 32 bits"),
        "bad-address-mapped": (esp8266([code, (MAPPED + 0x1010, pattern(8))], IRAM),
                               "a segment that the mask ROM would load into mapped flash"),
        "bad-address-past-iram": (esp8266([(0x4010FFFC, pattern(8))], 0x4010FFFC), "a segment that leaves IRAM"),
        "bad-address-below-dram": (esp8266([code, (DRAM - 4, pattern(8))], IRAM), "a segment that begins before DRAM"),
        "bad-entry": (esp8266([code], IRAM + 8), "entry one byte behind the code"),
        "bad-entry-dram": (esp8266([code, (DRAM, pattern(8))], DRAM), "entry in data"),
        "bad-checksum": (changed(two, 20, [two[20] ^ 1]), "one bit of a segment changed"),
        "bad-no-mapped-part": (esp8266(far, IRAM), "16 addresses in mapped flash behind the end of the file"),
        "bad-arduino-inner": (changed(sketch, 0x1000, [0x00]), "eboot, but no image at 0x1000"),
        "bad-arduino-cut-in-padding": (sketch[:0xF00], "ends between eboot and sketch"),
        "bad-arduino-cut-in-sketch": (sketch[:-40], "ends inside the sketch"),
        "bad-arduino-checksum": (changed(arduino(False), 0x1030, [0]), "a byte of the sketch changed, no CRC"),
        "bad-arduino-crc": (changed(sketch, len(sketch) - 48, word(DRAM + 8)),
                            "a load address of the sketch changed: only the CRC sees it"),
        "bad-arduino-address": (arduino(False, 0x40300000), "sketch behind the mapped 1 MB"),
        "bad-v2-count": (changed(v2, 1, [3]), "0xEA with another count than 4"),
        "bad-v2-inner": (changed(v2, 16 + 96, [0xEA]), "0xEA, but no 0xE9 behind the mapped part"),
        "bad-v2-size": (changed(v2, 12, word(0xFFFFFFF0)), "mapped part past the end of the file"),
        "bad-v2-crc": (changed(v2, 30, [0]), "a byte of the mapped part changed: only the CRC sees it"),
        "bad-esp32-chip": (esp32(app, 0x40080010, 1), "chip id 1"),
        "bad-esp32-digest": (changed(app32, 4, word(0x40080014)), "entry changed: only the SHA-256 sees it"),
        "bad-esp32-cut": (app32[:-1], "ends inside the SHA-256"),
        "bad-esp32-address": (esp32([(0x20000000, pattern(8)), (0x40080000, pattern(8))], 0x40080000, 0),
                              "a segment where no chip has memory"),
        "bad-esp32-entry": (esp32(app, 0x00000004, 0), "entry in a padding segment"),
        "bad-esp32-flag": (esp32(app, 0x40080010, 0, flag=2),
                           "digest flag 2: not an ESP32 header, nor an ESP8266 image"),
    })
    return made


def main():
    made = vectors()
    words = ["Made by ../make_images.py, without molt's code. Never edited, only added. tests/unit/test_image.c has",
             "what is to be said about each."]
    meanings = {name: meaning for name, (_, meaning) in made.items()}
    files = {VECTORS / "README.md": readme("Firmware images", words, meanings)}
    for name, (data, _) in made.items():
        files[VECTORS / (name + ".bin")] = data
        files[CORPUS / name] = data
    return keep(files)


if __name__ == "__main__":
    sys.exit(main())
