#!/usr/bin/env python3
"""`molt map` of ESP32 flashes and of partition tables, from outside, as TAP. Flashes are made up here, from images and
tables as tests/vectors makes them.

    tests/map/test_map_esp32.py [MOLT]      (default: build/molt)
"""
import json
import random
import re
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/map")]
import tap  # noqa: E402
from maptool import MOLT, SECTOR, molt, shown  # noqa: E402
from tap import check, test  # noqa: E402

sys.path.insert(0, str(ROOT / "tests/vectors"))
import make_images  # noqa: E402
import make_partitions as parts  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="map-esp32-")
WORK = Path(SCRATCH.name)
VECTORS = ROOT / "tests/vectors/partition"
MB = 1 << 20


def named(*words):
    """Regions by label, those without by kind."""
    return {r.get("label", r["kind"]): r for r in shown(*words)["regions"]}


def image(size, chip=0):
    data = random.Random(size).randbytes(size)
    return make_images.esp32([(0x3F400020, data), (0x40080000, bytes(64))], 0x40080010, chip)


def littlefs(size, files):
    """A littlefs of `size` bytes: molt makes it in a flash of an ESP8266, out of which it is cut."""
    (WORK / "firmware").write_bytes(make_images.esp8266([(0x40100000, bytes(64))], 0x40100000))
    words = []
    for number, (name, data) in enumerate(files.items()):
        (WORK / f"file{number}").write_bytes(data)
        words += ["--put", f"{WORK / f'file{number}'}:{name}"]
    molt("mkflash", WORK / "other.bin", "--size", "8M", "--firmware", WORK / "firmware", "--fs-start", 4 * MB, "--fs-size", size,
         *words)
    return (WORK / "other.bin").read_bytes()[4 * MB:4 * MB + size]


FILES = {"main.py": b"print(1)\n", "data/blob": random.Random(1).randbytes(10 * SECTOR)}


def flash(name, table, boot_addr=0x1000, chip=0, size=4 * MB, parts_of_it=()):
    """A flash with a boot loader of 22 KB and the table; parts_of_it: (address, bytes)."""
    content = bytearray(b"\xff" * size)
    for addr, data in ((boot_addr, image(22000, chip)), (0x8000, table), *parts_of_it):
        content[addr:addr + len(data)] = data
    path = WORK / name
    path.write_bytes(content)
    return path


def plain(name="plain.bin", **words):
    return flash(name, parts.vectors()["micropython-4M"][0],
                 parts_of_it=((0x10000, image(100000, words.get("chip", 0))), (2 * MB, littlefs(2 * MB, FILES))), **words)


@test
def a_flash_is_recognized_and_each_partition_is_there():
    found = shown(plain())
    check(found["map"] == "partitions" and found["flash_size"] == 4 * MB, found)
    check([(r["kind"], r.get("label"), r["addr"], r["size"]) for r in found["regions"]] == [
        ("unused", None, 0, 0x1000), ("boot", None, 0x1000, 0x7000), ("table", None, 0x8000, 0x1000),
        ("system", "nvs", 0x9000, 0x6000), ("system", "phy_init", 0xF000, 0x1000), ("firmware", "factory", 0x10000, 0x1F0000),
        ("filesystem", "vfs", 0x200000, 0x200000)], found)


@test
def what_is_used_of_app_and_littlefs_is_told():
    path = plain()
    content = bytearray(path.read_bytes())
    # Left over from a larger app, and two sectors of settings.
    content[0x100000:0x110000] = bytes(0x10000)
    content[0x9000:0xB000] = bytes(0x2000)
    path.write_bytes(content)
    found = named(path)
    check(found["factory"]["used"] == 25 * SECTOR, found["factory"])  # 100000 bytes, headers and digest
    check(found["boot"]["used"] == 6 * SECTOR and found["nvs"]["used"] == 2 * SECTOR, found)
    check(found["phy_init"]["used"] == 0 and "used" not in found["unused"], found)
    check(13 * SECTOR <= found["vfs"]["used"] <= 17 * SECTOR, found["vfs"])
    text = molt("map", path)
    check("-BBBBBBbTSSsssss" + "F" * 25 + "f" in text, text)
    cells = sum(len(m) for m in re.findall(r"^  0x\w+  (\S{64})$", text, re.M))
    cells += sum(int(m) * 64 for m in re.findall(r"\((\d+) more rows", text))
    check(cells == 1024, cells)


@test
def the_partition_for_frozen_modules_is_of_a_kind_of_its_own():
    rows = [parts.NVS_ROW, parts.PHY_ROW, parts.app(size=0x1E0000), parts.row("frozen", 1, 0x4D, 0x1F0000, 0x10000), parts.vfs()]
    path = flash("frozen.bin", parts.table(*rows), parts_of_it=((0x1FF000, b"\0" * 100),))
    found = named(path)["frozen"]
    check((found["kind"], found["size"], found["used"]) == ("frozen", 0x10000, SECTOR), found)
    (WORK / "frozen-table.bin").write_bytes(parts.table(*rows))
    check("dynamic frozen modules" in molt("map", WORK / "frozen-table.bin"), "what it is for")
    for label, subtype, kind in (("frozen", 0x4E, "system"), ("other", 0x4D, "system")):
        rows[3] = parts.row(label, 1, subtype, 0x1F0000, 0x10000)
        check(named(flash("other.bin", parts.table(*rows)))[label]["kind"] == kind, label)


@test
def a_damaged_app_counts_with_all_that_is_not_erased():
    path = plain()
    content = bytearray(path.read_bytes())
    content[0x11000] ^= 1
    content[0x100000:0x110000] = bytes(0x10000)
    path.write_bytes(content)
    check(named(path)["factory"]["used"] == (25 + 16) * SECTOR, named(path)["factory"])


@test
def each_chip_of_the_family_is_known_by_its_boot_loader():
    for addr, chip, name in ((0x1000, 0, "ESP32"), (0x1000, 2, "ESP32-S2"), (0, 5, "ESP32-C3"), (0, 9, "ESP32-S3"),
                             (0x2000, 18, "ESP32-P4")):
        path = plain(f"chip{chip}.bin", boot_addr=addr, chip=chip)
        check(named(path)["boot"]["addr"] == addr, name)
        check(f"an {name}, by" in molt("map", path), name, molt("map", path).splitlines()[0])
    # Without one, for it can be encrypted, by the table.
    content = bytearray(path.read_bytes())
    content[0x2000:0x8000] = b"\x5a" * 0x6000
    path.write_bytes(content)
    check(named(path)["factory"]["addr"] == 0x10000, "by the table")


@test
def a_filesystem_behind_the_last_partition_is_found():
    table = parts.vectors()["micropython-4M-plus"][0]
    path = flash("plus.bin", table, parts_of_it=((0x200000, littlefs(2 * MB, FILES)),))
    found = named(path)["vfs"]
    check((found["kind"], found["addr"], found["size"]) == ("filesystem", 0x200000, 0x200000), found)
    check(13 * SECTOR <= found["used"] <= 17 * SECTOR, found)
    check("vfs" not in named(flash("plus2.bin", table)), "none is there, none is shown")


@test
def a_table_on_its_own_is_drawn_for_the_smallest_chip_or_for_the_one_given():
    table = VECTORS / "micropython-4M-plus.bin"
    check(shown(table)["flash_size"] == 2 * MB, shown(table))
    found = shown(table, "--size", "8M")
    check(found["flash_size"] == 8 * MB and found["regions"][-1] == {"kind": "unused", "addr": 2 * MB, "size": 6 * MB}, found)
    check('"used"' not in json.dumps(found), "nothing is known of what is used")
    check(shown(VECTORS / "32M.bin")["flash_size"] == 32 * MB, "larger than any ESP8266's")
    molt("map", table, "--size", "1M", status=1)


@test
def every_good_vector_is_drawn_and_every_bad_one_refused_with_a_sentence():
    for name, (data, _) in parts.vectors().items():
        (WORK / "table.bin").write_bytes(data)
        if name == "bad-row-behind-md5":  # boot loaders read on there: test_esp32.py has molt's own rows
            check("not drawn: more, 0x1000 bytes at 0x400000" in molt("map", WORK / "table.bin"), "it is named")
            continue
        if not name.startswith("bad-"):
            molt("map", WORK / "table.bin", "--svg", WORK / "table.svg")
            xml.etree.ElementTree.parse(WORK / "table.svg")
            text = molt("map", WORK / "table.bin")
            check(all(" " <= c <= "~" or c == "\n" for c in text), name, "is printable")
            shown(WORK / "table.bin")
        else:
            said = molt("map", WORK / "table.bin", status=1)
            check(re.search(r"; (correct|flash|read|give)", said), name, "says what to do:", said)
        # The same in a flash, where what comes behind the table is erased.
        path = flash("vector.bin", data, size=16 * MB)
        if name in ("bad-no-end", "bad-short"):
            continue  # what is erased ends it there
        if name == "32M" or name.startswith("bad-"):
            said = molt("map", path, status=1)
            check(re.search(r"; (correct|flash|read)", said), name, said)
        else:
            molt("map", path)


@test
def what_is_wrong_is_said_with_the_partition_s_name_and_place():
    said = molt("map", VECTORS / "bad-overlap.bin", status=1)
    check("vfs at 0x1ff000" in said and "overlaps another region: factory" in said, said)
    check("boot loader or partition table" in molt("map", VECTORS / "bad-low.bin", status=1), "what has no row")
    check("MD5" in molt("map", VECTORS / "bad-bit.bin", status=1), "the MD5")
    said = molt("map", flash("small.bin", parts.vectors()["micropython-4M"][0], size=2 * MB), status=1)
    check("vfs" in said and "2 MB" in said and "past the end" in said, said)
    said = molt("map", flash("erased.bin", b""), status=1)
    check("no partition table" in said and "0x8000" in said, said)


@test
def the_picture_names_the_partitions():
    molt("map", plain(), "--svg", WORK / "plain.svg")
    root = xml.etree.ElementTree.parse(WORK / "plain.svg").getroot()
    names = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    check(all(n in names for n in ("boot", "table", "nvs", "phy_init", "factory", "vfs", "filesystem", "1984 KB")), names)


@test
def what_is_for_an_esp8266_or_for_a_chip_with_a_loader_refuses_an_esp32():
    path = plain()
    before = path.read_bytes()
    for words in (("frozen", "ls", path), ("frozen", "add", path, WORK / "file0"),
                  ("migrate", path, WORK / "out.bin", "--to", "molt")):
        said = molt(*words, status=1)
        check("an ESP32, and that is for an ESP8266's only" in said, words[0], said)
    other = plain("other-chip.bin", boot_addr=0x2000, chip=23)
    for words in (("plan", other, "main.py"), ("upgrade", other, "main.py"), ("torture", other, "main.py"), ("boot", other),
                  ("install", other), ("uninstall", other), ("map", other, "--upgrade", "main.py")):
        said = molt(*words, status=1)
        check("an ESP32-C5, for which molt has no loader so far" in said and "molt info, map, doctor" in said, words[0], said)
    for words in (("--variant", "molt"), ("--ld", WORK / "x.ld")):
        check(f"leave out {words[0]}" in molt("map", path, *words, status=1), words)
    for words in (("--upgrade", "main.py"), ("--variant", "molt"), ("--ld", WORK / "x.ld")):
        check(f"leave out {words[0]}" in molt("map", VECTORS / "gaps.bin", *words, status=1), words)
    check(path.read_bytes() == before and not (WORK / "out.bin").exists(), "nothing is written")


@test
def files_of_an_esp32_can_be_read_and_written():
    path = plain()
    check("main.py" in molt("ls", path) and "0x200000" in molt("ls", path), molt("ls", path))
    (WORK / "more").write_bytes(b"more")
    molt("put", path, f"{WORK / 'more'}:more")
    molt("rm", path, "main.py")
    molt("get", path, "more", WORK / "got")
    check((WORK / "got").read_bytes() == b"more" and "main.py" not in molt("ls", path), "written")


@test
def an_esp8266_is_taken_for_one_whatever_is_at_0x8000():
    (WORK / "other.bin").write_bytes(b"")
    littlefs(MB, FILES)
    content = bytearray((WORK / "other.bin").read_bytes())
    table = parts.vectors()["micropython-4M"][0]
    for what in (table, table[:40]):
        content[0x8000:0x8000 + len(what)] = what
        (WORK / "esp8266.bin").write_bytes(content)
        check(shown(WORK / "esp8266.bin")["map"] == "other", shown(WORK / "esp8266.bin")["map"])


if __name__ == "__main__":
    sys.exit(tap.main())
