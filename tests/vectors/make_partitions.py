#!/usr/bin/env python3
"""Makes the vectors of partition tables (tests/vectors/partition) and the fuzzer's seeds (tests/fuzz/corpus/partition).

Knows nothing of molt's C code: it builds tables from ESP-IDF's description of them (API guide "Partition Tables").
Python's standard library only.

    tests/vectors/make_partitions.py            write the files that are not there yet
    tests/vectors/make_partitions.py --check    exit 1 if a committed file is not what would be made

Vectors are only added, never edited.
"""

import hashlib
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from committed import keep, readme  # noqa: E402

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "partition"
CORPUS = HERE.parent / "fuzz" / "corpus" / "partition"

APP, DATA, BOOT, TABLE = range(4)
FACTORY, OTA_0, OTA_1, TEST = 0x00, 0x10, 0x11, 0x20
OTADATA, PHY, NVS, COREDUMP, KEYS, UNDEFINED, FAT, SPIFFS, LITTLEFS = 0, 1, 2, 3, 4, 6, 0x81, 0x82, 0x83
TABLE_SIZE = 0xC00


def row(label, kind, subtype, addr, size, flags=0):
    return struct.pack("<BBBBII16sI", 0xAA, 0x50, kind, subtype, addr, size, label.encode("latin-1"), flags)


def md5_row(rows):
    return b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(b"".join(rows)).digest()


def padded(data, size=TABLE_SIZE):
    return data + b"\xff" * (size - len(data))


def table(*rows):
    return padded(b"".join(rows) + md5_row(rows))


def changed(data, off, new):
    return data[:off] + bytes(new) + data[off + len(new):]


NVS_ROW = row("nvs", DATA, NVS, 0x9000, 0x6000)
PHY_ROW = row("phy_init", DATA, PHY, 0xF000, 0x1000)


def app(label="factory", subtype=FACTORY, addr=0x10000, size=0x1F0000):
    return row(label, APP, subtype, addr, size)


def vfs(addr=0x200000, size=0x200000):
    return row("vfs", DATA, FAT, addr, size)


def vectors():
    """name -> (bytes, meaning), good ones first."""
    plain = table(NVS_ROW, PHY_ROW, app(), vfs())
    many = [row("p%02d" % i, DATA, NVS, 0x9000 + i * 0x1000, 0x1000) for i in range(95)]
    made = {
        "micropython-4M": (plain, "MicroPython for 4 MB up to 1.25: one app, filesystem in the upper half"),
        "micropython-4M-plus": (table(NVS_ROW, PHY_ROW, app()),
                                "MicroPython 1.26: no row for the filesystem, which begins where the last partition ends"),
        "micropython-2M": (table(NVS_ROW, PHY_ROW, app(size=0x160000), vfs(0x170000, 0x90000)), "for 2 MB"),
        "micropython-romfs": (table(NVS_ROW, PHY_ROW, app(size=0x1D0000), row("romfs", DATA, 0x8F, 0x1E0000, 0x20000)),
                              "with a ROMFS partition, which has no subtype of its own"),
        "micropython-ota": (table(row("nvs", DATA, NVS, 0x9000, 0x4000), row("otadata", DATA, OTADATA, 0xD000, 0x2000), PHY_ROW,
                                  app("ota_0", OTA_0, 0x10000, 0x180000), app("ota_1", OTA_1, 0x190000, 0x180000),
                                  vfs(0x310000, 0xF0000)), "two apps"),
        "all-kinds": (table(NVS_ROW, app("test", TEST, 0x10000, 0x10000), row("keys", DATA, KEYS, 0x20000, 0x1000),
                            row("core", DATA, COREDUMP, 0x21000, 0x10000), row("mine", DATA, UNDEFINED, 0x31000, 0x1000),
                            row("fat", DATA, FAT, 0x32000, 0x1000), row("spiffs", DATA, SPIFFS, 0x33000, 0x1000),
                            row("lfs", DATA, LITTLEFS, 0x34000, 0x1000), row("custom", 0x40, 0x12, 0x35000, 0x1000),
                            row("web", DATA, 0x90, 0x36000, 0x1000), row("later", 0x05, 0, 0x37000, 0x1000),
                            row("ffat", DATA, UNDEFINED, 0x38000, 0x1000)), "a partition of each type that means something"),
        "boot-and-table-rows": (table(row("boot", BOOT, 0, 0x2000, 0x6000), row("ptable", TABLE, 0, 0x8000, 0x1000), NVS_ROW,
                                      app()), "boot loader and partition table have rows of their own"),
        "no-md5": (padded(NVS_ROW + PHY_ROW + app()), "no MD5, as before ESP-IDF 3.1"),
        "unordered": (table(vfs(), app(), PHY_ROW, NVS_ROW), "rows in another order than the flash"),
        "gaps": (table(NVS_ROW, app(addr=0x20000, size=0x10000), vfs(0x100000, 0x80000)), "sectors that no partition has"),
        "label-16": (table(NVS_ROW, app("sixteen_letters!")), "a label of 16 letters, with no 0 behind it"),
        "label-odd": (table(NVS_ROW, app("a\x1b[1m<&\"\xe9")), "a label with bytes that a terminal and XML take badly"),
        "odd-size": (table(NVS_ROW, row("small", DATA, UNDEFINED, 0xF000, 0x123), app()), "a data partition of less than a sector"),
        "encrypted": (table(row("nvs", DATA, NVS, 0x9000, 0x6000, 1), app()), "flag 0: encrypted"),
        "signed": (padded(plain, 0xC00) + b"\x5a" * 0x44 + b"\xff" * (0x400 - 0x44), "a whole sector, a signature behind the table"),
        "32M": (table(NVS_ROW, PHY_ROW, app(size=0x2F0000), vfs(0x300000, 0x1D00000)), "for 32 MB"),
        "94-rows": (table(*many[:94]), "as many partitions as there can be with an MD5: the end mark is the last row"),
        "95-rows": (padded(b"".join(many)), "as many as there can be without"),
    }
    made.update({
        "bad-erased": (padded(b""), "erased"),
        "bad-empty": (b"", "no bytes"),
        "bad-text": (padded(b"# Name,   Type, SubType, Offset,  Size, Flags\nnvs, data, nvs, 0x9000, 0x6000,\n"), "a CSV file"),
        "bad-md5-only": (table(), "no partitions"),
        "bad-short": (plain[:80], "ends within a row"),
        "bad-no-end": (plain[:96], "ends behind a row"),
        "bad-95-rows": (b"".join(many) + md5_row(many), "no place for the end mark behind the MD5"),
        "bad-96-rows": (b"".join(many) + row("p95", DATA, NVS, 0x68000, 0x1000), "partitions up to the end"),
        "bad-row": (changed(padded(NVS_ROW + PHY_ROW + app()), 32, [0xAB]), "the second row begins with something else, no MD5"),
        "bad-md5": (changed(plain, 5 * 32 - 1, [plain[5 * 32 - 1] ^ 1]), "a bit of the MD5 changed"),
        "bad-bit": (changed(plain, 32 + 12, b"P"), "a letter of a label changed: only the MD5 sees it"),
        "bad-two-md5": (padded(plain[:160] + plain[128:160]), "the MD5 twice"),
        "bad-row-behind-md5": (padded(plain[:160] + row("more", DATA, NVS, 0x400000, 0x1000)), "a partition behind the MD5"),
        "bad-app-place": (table(NVS_ROW, app(addr=0x18000)), "an app that does not begin with a 64 KB block"),
        "bad-app-size": (table(NVS_ROW, app(size=0x1F0800)), "an app that ends within a sector"),
        "bad-data-place": (table(NVS_ROW, row("cfg", DATA, UNDEFINED, 0xF800, 0x800), app()), "data that begin within a sector"),
        "bad-outside": (table(NVS_ROW, PHY_ROW, app(), vfs(0x200000, 0x7F00000)), "a partition that ends behind 128 MB"),
        "bad-wrap": (table(NVS_ROW, app(), vfs(0x200000, 0xFFF00000)), "address and size make more than 32 bits"),
        "bad-wrap-sector": (table(NVS_ROW, app(), vfs(0x200000, 0xFFFFFFFF)), "so does the size alone, in whole sectors"),
        "bad-overlap": (table(NVS_ROW, PHY_ROW, app(), vfs(0x1FF000, 0x201000)), "two partitions share a sector"),
        "bad-overlap-odd": (table(NVS_ROW, row("a", DATA, UNDEFINED, 0xF000, 0x1001), app()), "one byte of the next partition"),
        "bad-low": (table(row("nvs", DATA, NVS, 0x8000, 0x7000), app()), "a partition where the table is"),
        "bad-low-app": (table(app(addr=0, size=0x8000)), "an app where the boot loader is"),
        "bad-same-label": (table(NVS_ROW, row("nvs", DATA, PHY, 0xF000, 0x1000), app()), "two partitions of one name"),
        "bad-no-size": (table(NVS_ROW, row("none", DATA, PHY, 0xF000, 0), app()), "a partition of no bytes"),
    })
    return made


def main():
    made = vectors()
    words = ["Made by ../make_partitions.py, without molt's code. Never edited, only added. tests/unit/test_partition.c has",
             "what is to be said about each."]
    meanings = {name: meaning for name, (_, meaning) in made.items()}
    files = {VECTORS / "README.md": readme("Partition tables", words, meanings)}
    for name, (data, _) in made.items():
        files[VECTORS / (name + ".bin")] = data
        # The first byte is for the target: the chip it is on. An end mark is added by it.
        files[CORPUS / name] = bytes([5]) + data[:TABLE_SIZE].rstrip(b"\xff")
    return keep(files)


if __name__ == "__main__":
    sys.exit(main())
