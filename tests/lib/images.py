"""Firmware images, made from the descriptions of their formats: nothing here knows molt's code."""
import functools
import hashlib
import operator
import random
import struct

MARK_WORDS = [~word & 0xFFFFFFFF for word in (0x2C91E7B4, 0xD30A684F, 0x5BF2139D, 0x8E65C0A1)]


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def checksum(*parts):
    """The mask ROM's: XOR over all bytes of the segments."""
    return functools.reduce(operator.xor, b"".join(parts), 0xEF)


def esp8266(segments, entry, magic=0xE9, mode=2, size_freq=0x00, xor=None):
    """Header, segments of (address, bytes) each, checksum."""
    data = struct.pack("<BBBBI", magic, len(segments), mode, size_freq, entry)
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
    data += bytes(15 - len(data) % 16)
    return data + bytes([checksum(*(content for _, content in segments)) if xor is None else xor])


def micropython(size, segments, entry, seed, mark=None, size_freq=0x00):
    """Segments, size word at 0x8ffc, mapped part, MD5. `mark`: (esp.flash_user_start() without ROMFS, its size)."""
    head = esp8266(segments, entry, size_freq=size_freq)
    image = head.ljust(0x8FFC, b"\xff") + struct.pack("<I", size - 16) + noise(size - 16 - 0x9000, seed)
    if mark:
        words = struct.pack("<6I", *MARK_WORDS, *mark)
        image = image[:0xA000] + words + image[0xA000 + len(words):]
    return image + hashlib.md5(image[4:]).digest()


def esp_image(segments, entry, chip=5, place=0x10000, magic=0xE9, has_hash=True, xor=None, min_revision=0, max_revision=0xFFFF, digest=None):
    """An application image of the ESP32 family: header, segments of (address, bytes), checksum, SHA-256."""
    data = struct.pack("<BBBBI4sHBHHIB", magic, len(segments), 2, 0x2F, entry, b"\xee\0\0\0", chip, 0, min_revision, max_revision, 0, has_hash)
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
    data += bytes(15 - len(data) % 16)
    data += bytes([checksum(*(content for _, content in segments)) if xor is None else xor])
    return data + (digest or hashlib.sha256(data).digest() if has_hash else b"")


def esp_description(min_efuse=0, max_efuse=0xFFFF):
    """What stands at the beginning of the first segment."""
    return struct.pack("<II8s32s32s16s16s32s32sHHB", 0xABCD5432, 0, b"", b"1", b"test", b"", b"", b"", b"", min_efuse, max_efuse, 16).ljust(256, b"\0")


def esp_row(kind, subtype, address, size, label):
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, address, size, label.encode(), 0)


def esp_table(rows, behind=b""):
    """A partition table with its MD5, and what stands behind that."""
    table = b"".join(rows)
    return table + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest() + behind
