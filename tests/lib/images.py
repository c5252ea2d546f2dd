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
