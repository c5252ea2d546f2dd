#!/usr/bin/env python3
"""Make an ESP8266 boot image of an ELF file.

    elf2image.py [--chip esp8266] [--mode M] [--size S] [--freq F] elf2image FILE.elf

writes FILE.elf-0x00000.bin, the part that the mask ROM loads into RAM, and FILE.elf-0x09000.bin, the part
that stays in mapped flash. Takes esptool's command line, as far as MicroPython's esp8266 port uses it, and writes the
mode that esptool writes if none is given, which published images of MicroPython have: qio.

The boot image: E9, segment count, flash mode, size << 4 | frequency, entry (u32), then per segment address
and size (u32 each) and data, zeros up to the last byte of a 16-byte row, and there the XOR of all data
bytes and 0xEF.
"""

import argparse
import struct
import sys

FLASH_WINDOW = 0x40200000
SHF_ALLOC, SHT_PROGBITS = 2, 1
MODES = {"qio": 0, "qout": 1, "dio": 2, "dout": 3}
SIZES = {"512KB": 0, "1MB": 2, "2MB": 3, "4MB": 4, "8MB": 8, "16MB": 9}
FREQS = {"40m": 0, "26m": 1, "20m": 2, "80m": 15}


def sections(elf):
    """Yield (name, address, data) of everything in the ELF file that takes room in flash."""
    if elf[:6] != b"\x7fELF\x01\x01":
        sys.exit("not a 32-bit little-endian ELF file")
    table, = struct.unpack_from("<I", elf, 32)
    entry_size, count, names = struct.unpack_from("<HHH", elf, 46)
    headers = [struct.unpack_from("<10I", elf, table + i * entry_size) for i in range(count)]
    strings = headers[names][4]
    for name, kind, flags, addr, offset, size, *_ in headers:
        if flags & SHF_ALLOC and kind == SHT_PROGBITS and size:
            end = elf.index(0, strings + name)
            yield elf[strings + name:end].decode(), addr, elf[offset:offset + size]


def boot_image(segments, entry, mode, size_and_freq):
    out = bytearray(struct.pack("<BBBBI", 0xE9, len(segments), mode, size_and_freq, entry))
    checksum = 0xEF
    for addr, data in segments:
        data += bytes(-len(data) % 4)
        out += struct.pack("<II", addr, len(data)) + data
        for byte in data:
            checksum ^= byte
    out += bytes(15 - len(out) % 16)
    out.append(checksum)
    return bytes(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chip", choices=["esp8266"], default="esp8266")
    parser.add_argument("--mode", choices=MODES, default="qio")
    parser.add_argument("--size", choices=SIZES, default="4MB")
    parser.add_argument("--freq", choices=FREQS, default="40m")
    parser.add_argument("command", choices=["elf2image"])
    parser.add_argument("elf")
    args = parser.parse_args()

    with open(args.elf, "rb") as f:
        elf = f.read()
    in_ram, in_flash = {}, []
    for name, addr, data in sections(elf):
        if addr >= FLASH_WINDOW:
            in_flash.append((addr, data))
        else:
            in_ram[name] = (addr, data)
    if len(in_flash) != 1:
        sys.exit("expected one section in mapped flash, found %d" % len(in_flash))

    # The order of MicroPython's images.
    order = [".text", ".data", ".rodata"]
    if sorted(in_ram) != sorted(order):
        sys.exit("expected %s in RAM, found %s" % (order, sorted(in_ram)))
    head = boot_image([in_ram[n] for n in order], struct.unpack_from("<I", elf, 24)[0], MODES[args.mode],
                      SIZES[args.size] << 4 | FREQS[args.freq])
    addr, data = in_flash[0]
    data += bytes(-len(data) % 4)
    for offset, content in ((0, head), (addr - FLASH_WINDOW, data)):
        with open("%s-0x%05x.bin" % (args.elf, offset), "wb") as f:
            f.write(content)


if __name__ == "__main__":
    main()
