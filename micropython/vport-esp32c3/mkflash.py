#!/usr/bin/env python3
"""Write a flash file for the virtual ESP32-C3.

usage: mkflash.py FILE MEGABYTES LOADER TABLE.csv FIRMWARE

The boot loader's image at 0, the partition table at 0x8000 as gen_esp32part makes it of MicroPython's files (name, type, subtype, offset, size), the
firmware in the first app partition; the rest is as a new chip has it.
"""
import hashlib
import struct
import sys

TABLE = 0x8000
TYPES = {"app": 0, "data": 1}
SUBTYPES = {"app": {"factory": 0, "test": 0x20, **{f"ota_{i}": 0x10 + i for i in range(16)}},
            "data": {"ota": 0, "phy": 1, "nvs": 2, "fat": 0x81, "spiffs": 0x82, "littlefs": 0x83}}


def rows_of(path):
    """(label, type, subtype, address, size) of each line."""
    with open(path, encoding="ascii") as file:
        for line in file:
            words = [word.strip() for word in line.split("#")[0].split(",")]
            if len(words) >= 5:
                subtype = SUBTYPES[words[1]].get(words[2])
                yield words[0], TYPES[words[1]], int(words[2], 0) if subtype is None else subtype, int(words[3], 0), int(words[4], 0)


def table_of(rows):
    data = b"".join(struct.pack("<HBBII16sI", 0x50AA, kind, subtype, address, size, label.encode(), 0) for label, kind, subtype, address, size in rows)
    return data + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(data).digest()


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    path, megabytes, loader, csv, firmware = sys.argv[1:]
    rows = list(rows_of(csv))
    flash = bytearray(b"\xff" * (int(megabytes) << 20))
    for address, data in ((0, open(loader, "rb").read()), (TABLE, table_of(rows))):
        flash[address:address + len(data)] = data
    image = open(firmware, "rb").read()
    address, size = next((address, size) for _, kind, _, address, size in rows if kind == 0)
    if len(image) > size:
        sys.exit(f"mkflash: {firmware} has {len(image)} bytes and its partition {size}; make the image smaller (less ballast)")
    flash[address:address + len(image)] = image
    with open(path, "wb") as file:
        file.write(flash)


if __name__ == "__main__":
    main()
