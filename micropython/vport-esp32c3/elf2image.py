#!/usr/bin/env python3
"""Write the image of an ELF file for the ESP32-C3, in place of esptool.

usage: elf2image.py ELF IMAGE [BALLAST]

Segments are those of the ELF file. Each that is mapped lies in the image as it does in its window, modulo 64 KB, for a partition that begins with
a page; the gap before it is taken by what is loaded into RAM, and by padding. Checksum and SHA-256 are appended. BALLAST bytes of noise, mapped
behind the data, stand for the code of the radio, which a real firmware has. The program's description gets the SHA-256 of the ELF file, as by
esptool's --elf-sha256-offset 0xb0.
"""
import functools
import hashlib
import operator
import random
import struct
import sys

PAGE = 0x10000
HEADER_SIZE, SEGMENT_HEADER_SIZE = 24, 8
CHIP_ESP32C3, MODE_DIO, SIZE_4MB_SPEED_80M = 5, 2, 0x2F
WINDOWS = (0x3C000000, 0x42000000)
PT_LOAD = 1
DESCRIPTION_MAGIC, DESCRIPTION_SHA_OFF = b"\x32\x54\xcd\xab", 144


def read_segments(elf):
    """(address, bytes) of what is loaded, and the entry point."""
    entry, table = struct.unpack_from("<II", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 42)
    segments = []
    for i in range(count):
        kind, offset, address, _, length = struct.unpack_from("<IIIII", elf, table + i * size)
        if kind == PT_LOAD and length > 0:
            data = elf[offset:offset + length]
            segments.append((address, data + bytes(-len(data) % 4)))
    return segments, entry


def is_mapped(address):
    return any(base <= address < base + 0x800000 for base in WINDOWS)


class Image:
    def __init__(self):
        self.segments = []
        self.size = HEADER_SIZE

    def add(self, address, data):
        self.segments.append((address, data))
        self.size += SEGMENT_HEADER_SIZE + len(data)

    def pad_for(self, address):
        """A segment that nobody loads, so that the next one's data lie right."""
        gap = (address - self.size - SEGMENT_HEADER_SIZE) % PAGE
        if gap > 0:
            self.add(0, bytes((gap - SEGMENT_HEADER_SIZE) % PAGE))

    def bytes(self, entry):
        data = struct.pack("<BBBBI4sHBHHIB", 0xE9, len(self.segments), MODE_DIO, SIZE_4MB_SPEED_80M, entry, b"\xee\0\0\0", CHIP_ESP32C3, 0, 3, 0xFFFF, 0, 1)
        for address, content in self.segments:
            data += struct.pack("<II", address, len(content)) + content
        data += bytes(15 - len(data) % 16)
        data += bytes([functools.reduce(operator.xor, b"".join(c for _, c in self.segments), 0xEF)])
        return data + hashlib.sha256(data).digest()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        elf = file.read()
    segments, entry = read_segments(elf)
    ballast = random.Random(1).randbytes(int(sys.argv[3])) if len(sys.argv) == 4 else b""
    image = Image()
    mapped = sorted(s for s in segments if is_mapped(s[0]))
    (data_address, data), (code_address, code) = mapped  # one for each window: data is the lower
    if data.startswith(DESCRIPTION_MAGIC):
        data = data[:DESCRIPTION_SHA_OFF] + hashlib.sha256(elf).digest() + data[DESCRIPTION_SHA_OFF + 32:]
    image.add(data_address, data + ballast + bytes(-len(ballast) % 4))
    for segment in segments:
        if segment not in mapped:
            image.add(*segment)
    image.pad_for(code_address)
    image.add(code_address, code)
    with open(sys.argv[2], "wb") as file:
        file.write(image.bytes(entry))


if __name__ == "__main__":
    main()
