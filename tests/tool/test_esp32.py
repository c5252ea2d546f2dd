#!/usr/bin/env python3
"""The tool on dumps and factory images of the ESP32 family, as TAP. rig.py has how to run it, esp32.py the devices."""

import hashlib
import json
import re
import struct
import sys
import xml.etree.ElementTree

from rig import ROOT, SECTOR, check, good, images, main, molt, refused, test
from esp32 import APP, APP_SIZE, C3, CHIPS, FS, LOADER, OTADATA, PLAN, SIZE, TABLE, UNTRIED, Board, app, boot_loader, loader_rows, rows, shown_on_page, told
from images import esp_row, esp_table, noise

MARK_CANCELLED = (PLAN + 256, PLAN + 2 * 256 + 128)  # docs/format.md


def with_bytes(data, addr, part):
    return data[:addr] + part + data[addr + len(part):]


# ---- what is told of a flash

@test
def each_part_of_a_flash_is_told(folder):
    board = Board(folder)
    found = board.info()
    check(found["chip"] == "ESP32-C3" and found["valid"] and found["defect"] is None, found)
    boot = found["boot_loader"]
    end = len(boot_loader())
    check((boot["address"], boot["size"], boot["idf"], boot["whole"], boot["erased_behind"]) == (0, end, "v5.5.1", True, TABLE - end), boot)
    check(found["table"] == {"partitions": 3, "behind_md5": 0, "md5": True, "defect": None}, found["table"])
    firmware = found["firmware"]
    check((firmware["project"], firmware["version"], firmware["idf"]) == ("micropython", "v1.26.0", "v5.4.1"), firmware)
    check((firmware["address"], firmware["room"], firmware["image_size"]) == (APP, APP_SIZE, len(board.old)), firmware)
    check({"name": "SHA-256 at the end", "result": "ok"} in firmware["checks"], firmware["checks"])
    check(found["standby"]["possible"] and not found["standby"]["installed"] and found["standby"]["loader"] == LOADER, found["standby"])
    check(found["upgrade"]["state"] == "none" and found["plan"] is None, found)
    text = good("info", board.path).out
    check("ESP-IDF v5.5.1" in text and "micropython v1.26.0, ESP-IDF v5.4.1" in text and "SHA-256 right" in text, text)
    check("not installed; there is room for it at 0x005000 (molt install)" in text, text)


@test
def an_old_boot_loader_s_version_is_found_in_its_strings_and_a_missing_one_said_to_be_so(folder):
    check(Board(folder, boot=boot_loader(idf="v4.3.2")).info()["boot_loader"]["idf"] == "v4.3.2", "by its strings")
    silent = images.esp_image([(0x3FCD5710, bytes(4000))], 0x3FCD5710)
    board = Board(folder, boot=silent)
    check(board.info()["boot_loader"]["idf"] is None, board.info())
    check("does not state its version" in good("info", board.path).out, "said")


@test
def a_firmware_that_is_damaged_or_has_no_sha256_is_told_as_such(folder):
    board = Board(folder)
    board.path.write_bytes(with_bytes(board.before, APP + 50000, b"\0\1\2\3"))
    found = board.info(status=1)
    check(not found["valid"] and not found["firmware"]["whole"] and "0x010000" in found["defect"], found)
    refused("info", board.path, saying="the firmware at 0x010000: ")
    bare = app(70000, 1, has_hash=False)
    board.path.write_bytes(with_bytes(with_bytes(board.before, APP, b"\xff" * 0x20000), APP, bare))
    check(board.info()["firmware"]["sha256"] is False and "without a SHA-256" in good("info", board.path).out, "no SHA-256")


@test
def the_map_shows_molt_s_loader_and_plan_for_what_they_are(folder):
    board = Board(folder).install()
    table = folder / "table.bin"
    table.write_bytes(esp_table(rows(), loader_rows()).ljust(0xC00, b"\xff"))
    factory = folder / "factory.bin"
    factory.write_bytes(board.before[:0x30000])
    wanted = [("boot", None, 0, LOADER), ("reserved", "molt", LOADER, SECTOR), ("reserved", "molt_otadata", OTADATA, SECTOR),
              ("reserved", "molt_end", PLAN, SECTOR), ("table", None, TABLE, SECTOR)]
    for path in (board.path, table, factory):
        found = json.loads(good("map", path, "--json").out)["regions"]
        check([(r["kind"], r.get("label"), r["addr"], r["size"]) for r in found[:5]] == wanted, path.name, found[:5])
        check([r.get("behind_md5") for r in found[:5]] == [None, True, True, True, None], path.name, found[:5])
        check(found[1]["about"] == "molt's loader" and "plan" in found[3]["about"] and "trial" in found[2]["about"], path.name, found)
        text = good("map", path).out
        check(re.search(r"M molt \* +reserved", text) and "behind the table's MD5" in text, path.name, text)
        good("map", path, "--svg", folder / "map.svg")
        names = [t.text for t in xml.etree.ElementTree.parse(folder / "map.svg").getroot().iter("{http://www.w3.org/2000/svg}text")]
        check("molt *" in names and "molt_end *" in names, path.name, names)
    check("* molt: molt's loader" in good("map", board.path).out, "and what each is")
    check("behind_md5" not in good("map", Board(folder).path, "--json").out, "without them there are none")


@test
def rows_of_somebody_else_behind_the_md5_are_shown_too(folder):
    other = folder / "table.bin"
    other.write_bytes(esp_table(rows(), esp_row(0, 0x20, 0x7000, SECTOR, "rescue")).ljust(0xC00, b"\xff"))
    found = {r.get("label"): r for r in json.loads(good("map", other, "--json").out)["regions"]}
    check(found["rescue"]["kind"] == "firmware" and found["rescue"]["behind_md5"], found)


@test
def the_map_shows_what_an_upgrade_would_change(folder):
    board = Board(folder).install()
    found = json.loads(good("map", board.path, "--json", "--upgrade", "new.bin").out)["upgrade"]
    check(found["size"] == len(board.new) and 20 <= found["changed_sectors"] <= 23, found)
    room = (APP_SIZE - len(board.new)) / 1024
    check(f"leaves {room:.1f} KB of its room" in good("map", board.path, "--upgrade", "new.bin").out, "and what is left")


# ---- standby mode

@test
def installing_writes_one_sector_and_128_bytes_of_the_table(folder):
    board = Board(folder)
    said = good("install", board.path).out
    check("the sector at 0x005000" in said and "at 0x008080" in said and "128 bytes are programmed" in said and " us (W25Q32)" in said, said)
    now = board.now()
    loader = now[LOADER:LOADER + SECTOR].rstrip(b"\xff")
    check(loader[0] == 0xE9 and hashlib.sha256(loader[:-32]).digest() == loader[-32:], "an app with its SHA-256")
    row_addr = TABLE + 4 * 32
    check(now[row_addr:row_addr + 128] == loader_rows(), "four rows")
    rest = with_bytes(with_bytes(now, LOADER, b"\xff" * SECTOR), row_addr, b"\xff" * 128)
    check(rest == board.before, "and nothing else")
    check(board.info()["standby"]["installed"] and board.info()["table"]["behind_md5"] == 4, board.info()["standby"])
    refused("install", board.path, saying="installed already")
    check(board.now() == now, "unchanged")


@test
def uninstalling_makes_the_row_s_size_0_and_installing_again_appends_another(folder):
    board = Board(folder).install()
    said = good("uninstall", board.path).out
    check("standby mode is gone" in said, said)
    changed = [i for i, (now, before) in enumerate(zip(board.now(), board.before)) if now != before]
    check(changed and all(TABLE + 4 * 32 + 8 <= i < TABLE + 4 * 32 + 12 for i in changed), changed)
    check(not board.info()["standby"]["installed"] and board.info()["standby"]["possible"], board.info())
    check("was taken out" in molt("map", board.path).err, "the map says so")
    refused("uninstall", board.path, saying="standby mode is not installed")
    good("install", board.path)
    check(board.info()["standby"]["installed"] and board.info()["table"]["behind_md5"] == 8, board.info())
    board.before = board.now()
    good("upgrade", board.path, "new.bin", "-q")
    board.check_has(board.new)


@test
def a_damaged_loader_is_named_and_installing_repairs_it(folder):
    board = Board(folder).install()
    damaged = with_bytes(board.before, LOADER + 1000, bytes(8))
    board.path.write_bytes(damaged)
    for command in ("plan", "torture"):
        refused(command, board.path, "new.bin", saying=f"damaged, or of another version of molt; put it in again: molt install {board.path}")
    check("standby loader is damaged" in board.info()["standby"]["text"], board.info()["standby"])
    check(board.now() == damaged, "unchanged")
    check("standby mode is repaired" in good("install", board.path).out, "said")
    check(board.now() == board.before, "as it was")


@test
def a_loader_that_is_damaged_while_an_upgrade_is_in_progress_is_repaired_and_the_upgrade_goes_on(folder):
    board = Board(folder).install()
    good("upgrade", board.path, "new.bin", "-q", "--cut", "120")
    damaged = with_bytes(board.now(), LOADER + 1000, bytes(8))
    board.path.write_bytes(damaged)
    for words in (["boot", board.path], ["info", board.path]):
        refused(*words, saying=f"standby loader is damaged, or of another version of molt; put it in again: molt install {board.path}")
    check(told("doctor", board.path)["next"] == f"molt install {board.path}", told("doctor", board.path))
    check(board.now() == damaged, "unchanged")
    check("molt boot goes on with it" in good("install", board.path).out, "said")
    good("boot", board.path, "-q")
    board.check_has(board.new)


@test
def where_the_gap_is_full_the_end_of_the_partition_is_taken(folder):
    data = bytearray(Board(folder).before)
    data[APP + APP_SIZE - SECTOR:APP + APP_SIZE] = b"\xff" * SECTOR
    data[0x7FF0:0x8000] = noise(16, 1)
    board = Board(folder)
    board.path.write_bytes(data)
    good("install", board.path)
    board.before = board.now()
    check(board.info()["standby"]["loader"] == FS - 3 * SECTOR, board.info()["standby"])
    check(board.info()["firmware"]["room"] == APP_SIZE - 3 * SECTOR, board.info()["firmware"])
    labels = [(r.get("label"), r["addr"]) for r in json.loads(good("map", board.path, "--json").out)["regions"]]
    check(("molt", FS - 3 * SECTOR) in labels and ("molt_end", FS - SECTOR) in labels, labels)
    good("upgrade", board.path, "new.bin", "-q")
    check(board.now()[APP:APP + len(board.new)] == board.new and board.now()[:APP] == board.before[:APP], "upgraded")


# ---- upgrades

@test
def without_standby_mode_an_upgrade_is_refused_with_the_command_that_installs_it(folder):
    board = Board(folder)
    for command in (["upgrade", board.path, "new.bin"], ["map", board.path, "--upgrade", "new.bin"]):
        refused(*command, saying=f"standby mode is not installed; install it first: molt install {board.path}")
    check(board.now() == board.before, "unchanged")
    check("no upgrade was in progress" in good("boot", board.path).out, "it starts")


@test
def an_upgrade_puts_the_image_in_and_changes_nothing_else(folder):
    (folder / "7").write_bytes(app(80000, 7))
    told_of = json.loads(good("compress", folder / "7", "--json").out)
    check(told_of["image"]["chip"] == "ESP32-C3" and told_of["made"]["window"] <= 4096, told_of)
    board = Board(folder, files={"new.bin.gz": (folder / "7.gz").read_bytes()}).install()
    plan = told("plan", board.path, "new.bin")
    check(plan["possible"] and plan["standby"] and not plan["resident"], plan)
    check(all(t["fatal_windows_ms"] == [] for t in plan["time"]), plan["time"])
    text = good("plan", board.path, "new.bin").out
    check("0x007000 to 0x007fff" in text and "nothing" in text and "window" not in text, text)
    check(board.now() == board.before, "planning changes nothing")
    good("upgrade", board.path, "new.bin")
    board.check_has(board.new)
    found = board.info()
    check(found["firmware"]["version"] == "v1.27.0" and "was carried out" in found["upgrade"]["text"], found["upgrade"])
    check(found["plan"]["image_size"] == len(board.new) and found["plan"]["done"] == found["plan"]["steps"], found["plan"])
    now = board.now()
    check("in place already" in good("upgrade", board.path, "new.bin").out and board.now() == now, "once more: nothing to do")
    board.before = board.now()
    good("upgrade", board.path, "new.bin.gz", "-q")
    board.check_has(app(80000, 7))


@test
def a_power_cut_anywhere_leaves_a_device_that_boot_brings_to_the_end(folder):
    board = Board(folder, new=app(30000, 2)).install()
    operations = told("plan", board.path, "new.bin")["operations"]
    last = operations["prepare"] - 1
    for op, tear in ((0, "before"), (last, "before"), (last, "after"), (last + 60, "random"), (operations["total"] - 3, "prefix"),
                     (operations["total"] - 1, "random")):
        board.reset()
        said = good("upgrade", board.path, "new.bin", "-q", "--cut", f"{op}:{tear}").out
        if "start again with" in said:
            check(op <= last and board.info()["upgrade"]["state"] == "none", op, said)
            good("upgrade", board.path, "new.bin", "-q")
        elif "go on with" in said:
            check(op >= last and f"molt boot {board.path}" in said, op, said)
            check(board.info(status=1)["upgrade"]["state"] == "prepared", op, said)
            boot = good("boot", board.path)
            check("the new firmware starts" in boot.out and "restore" not in boot.err, op, boot.err)
        else:
            check("complete by then and starts" in said and op > last, op, said)
        board.check_has(board.new)


@test
def while_an_upgrade_is_prepared_nothing_else_is_begun(folder):
    board = Board(folder).install()
    last = told("plan", board.path, "new.bin")["operations"]["prepare"] - 1
    good("upgrade", board.path, "new.bin", "-q", "--cut", f"{last}:after")
    prepared = board.now()
    refused("info", board.path, saying="an upgrade is in progress in this dump; molt boot goes on with it")
    refused("upgrade", board.path, "new.bin", saying="already prepared")
    refused("uninstall", board.path, saying="molt boot")
    check(told("doctor", board.path)["next"] == f"molt boot {board.path}", told("doctor", board.path))
    check(board.now() == prepared, "unchanged")


@test
def an_upgrade_that_was_taken_back_is_told_and_the_next_start_puts_the_first_byte_back(folder):
    board = Board(folder).install()
    operations = told("plan", board.path, "new.bin")["operations"]
    good("upgrade", board.path, "new.bin", "-q", "--cut", f"{operations['prepare'] - 1}:after")
    data = board.now()
    for addr in MARK_CANCELLED:
        data = with_bytes(data, addr, bytes(4))
    board.path.write_bytes(data)
    check(board.info(status=1)["upgrade"]["state"] == "cancelled", board.info(status=1)["upgrade"])
    refused("upgrade", board.path, "new.bin", saying="taken back; reset first")
    check("had been taken back" in good("boot", board.path).out, "said")
    board.check_has(board.old)
    check("the last one was taken back" in board.info()["upgrade"]["text"], board.info()["upgrade"])


@test
def torture_has_no_windows_and_loses_nothing(folder):
    board = Board(folder, new=app(5000, 9)).install()
    said = good("torture", board.path, "new.bin", "--tears", "random", "-q").out
    check("In standby mode there are no windows" in said and "window (" not in said, said)
    fired, recovered = re.search(r"(\d+) fired", said).group(1), re.search(r"(\d+)  recovered", said).group(1)
    check(fired == recovered and int(fired) > 60, said)
    check("1  recovered" in good("torture", board.path, "new.bin", "--replay", "17.random").out, "a replay")
    check(board.now() == board.before, "unchanged")


# ---- refusals

@test
def every_image_that_cannot_go_in_gets_its_sentence(folder):
    new = app(60000, 4)
    files = {"chip.bin": app(30000, 4, chip=9), "nohash.bin": app(30000, 4, has_hash=False), "large.bin": app(140000, 5),
             "damaged.bin": with_bytes(new, 40000 // 4, b"abcd"), "short.bin": new[:20000],
             "other.bin": images.esp8266([(0x40100000, bytes(5000))], 0x40100000)}
    board = Board(folder, files=files, table=esp_table(rows(0x20000))).install()
    check(len(files["large.bin"]) > 0x20000, "larger than the partition")
    for name, saying in (("chip.bin", "for another chip; take one that is built for this one (ESP32-S3)"), ("nohash.bin", "no SHA-256"),
                         ("large.bin", "there are 0x20000"), ("damaged.bin", "checksum"), ("short.bin", "cut short"),
                         ("other.bin", "another chip"), ("nothing.bin", "no such file")):
        refused("upgrade", board.path, name, saying=saying)
    check("0x010000 to 0x02ffff" in molt("plan", board.path, "large.bin").out, "with the places")
    check(board.now() == board.before, "unchanged")


@test
def every_table_that_cannot_be_used_gets_its_sentence(folder):
    ota = rows(0x40000)[:2] + [esp_row(0, 0x10, APP, 0x30000, "ota_0"), esp_row(0, 0x11, APP + 0x30000, 0x30000, "ota_1")]
    full = rows() + [esp_row(1, 6, FS + SECTOR * i, SECTOR, f"d{i}") for i in range(90)]
    good_table = esp_table(rows())
    board = Board(folder)
    tables = ((b"\xff" * 96, "there is no partition table at 0x8000"), (with_bytes(good_table, 9, b"\1"), "the MD5 of the partition table is wrong"),
              (b"".join(rows()), "has no MD5"), (esp_table(ota), "has OTA slots"), (esp_table(rows()[:2]), "no factory partition"),
              (esp_table(full), "no room for two more rows"),
              (esp_table(rows(), esp_row(0, 0x20, 0x7000, SECTOR, "rescue")), "stands something else already"),
              (esp_table(rows()[:2] + [esp_row(0, 0, APP, SIZE, "factory")]), "factory at 0x10000"))
    for table, saying in tables:
        data = with_bytes(with_bytes(board.before, TABLE, b"\xff" * 0xC00), TABLE, table)
        board.path.write_bytes(data)
        refused("install", board.path, saying=saying)
        check(board.now() == data, "unchanged")


@test
def a_gap_that_is_full_and_a_boot_loader_that_is_not_there_get_their_sentences(folder):
    board = Board(folder)
    full = with_bytes(board.before, 0x7FF0, bytes(16))
    board.path.write_bytes(full)
    refused("install", board.path, saying="there are no two erased sectors for molt, neither below the partition table nor at the end")
    check(board.info()["standby"]["possible"] is False and "where something else begins" in good("info", board.path).out, "info")
    check(board.now() == full, "unchanged")
    board.path.write_bytes(with_bytes(board.before, 0, noise(0x5000, 1)))
    for words in (["install", board.path], ["upgrade", board.path, "new.bin"], ["boot", board.path]):
        refused(*words, saying="its boot loader cannot be read")
    check("none that can be read" in good("info", board.path).out, "info")
    board.path.write_bytes(with_bytes(board.before, APP, b"\xff" * 0x20000))
    refused("install", board.path, saying="no firmware at 0x010000")


@test
def each_chip_with_a_loader_is_told_and_installed_on_and_upgraded(folder):
    for chip in CHIPS[1:]:
        board = Board(folder, of=chip)
        found = board.info()
        check(found["chip"] == chip.name and found["valid"] and found["standby"]["possible"], found)
        untried = "--untried " if chip in UNTRIED else ""
        check(told("doctor", board.path)["next"] == f"molt install {untried}{board.path}", told("doctor", board.path))
        check(board.install().info()["standby"]["installed"], board.info())
        check("molt's loader" in good("map", board.path).out, good("map", board.path).out)
        check(f"standby loader for {chip.name} of " in good("version").out, good("version").out)
        check(told("plan", board.path, "new.bin")["operations"]["prepare"] > 0, chip.name)
        check("1  recovered" in good("torture", board.path, "new.bin", "--replay", "300.random").out, chip.name)
        good("upgrade", board.path, "new.bin", "-q", "--cut", "300:random")
        check(board.info(status=1)["upgrade"]["state"] == "prepared", chip.name)
        good("boot", board.path, "-q")
        board.check_has(board.new)
        wrong = Board(folder, new=app(90000, 2, of=C3), of=chip).install()
        refused("plan", wrong.path, "new.bin", saying=f"for another chip; take one that is built for this one (ESP32-C3)")


@test
def a_loader_that_has_not_run_anywhere_goes_in_only_with_untried(folder):
    for chip in CHIPS:
        board = Board(folder, of=chip)
        if chip in UNTRIED:
            refused("install", board.path, saying=f"molt's loader for the {chip.name} has only been compiled so far")
            check(board.now() == board.before, "unchanged")
            good("install", board.path, "-q", "--untried")
        else:
            good("install", board.path, "-q")
        check(board.info()["standby"]["installed"], chip.name)


@test
def chips_without_a_loader_say_so_and_what_works_there(folder):
    for chip, boot_addr, name in ((25, 0, "ESP32-H21"), (23, 0x2000, "ESP32-C5"), (18, 0x2000, "ESP32-P4")):
        board = Board(folder, boot=boot_loader(8192, chip=chip), boot_addr=boot_addr)
        data = with_bytes(with_bytes(board.before, APP, b"\xff" * 0x20000), APP, app(70000, 1, chip=chip))
        board.path.write_bytes(data)
        for words in (["install", board.path], ["plan", board.path, "new.bin"]):
            refused(*words, saying=f"the flash of an {name}, for which molt has no loader so far")
        found = board.info()
        check(found["chip"] == name and found["boot_loader"]["address"] == boot_addr and found["valid"], found)
        check(found["boot_loader"]["idf"] == "v5.5.1" and "no loader" in found["standby"]["text"], found)
        check(board.now() == data, "unchanged")
    check(told("doctor", board.path)["ways"]["standby"]["open"] is False, "doctor")
    good("ls", board.path)


# ---- doctor and factory images

@test
def doctor_knows_standby_mode_and_the_next_command(folder):
    board = Board(folder)
    found = told("doctor", board.path)
    check(found["chip"] == "ESP32-C3" and found["next"] == f"molt install {board.path}", found)
    check(found["images"] == [{"path": "new.bin", "size": len(board.new), "possible": True, "in_place": False,
                               "text": "ESP32-family image, can be put in, when standby mode is installed"}], found["images"])
    check(set(found["ways"]) == {"raw", "gzip", "standby"} and not found["ways"]["standby"]["open"], found["ways"])
    check(board.now() == board.before, "unchanged")
    good(*found["next"].split()[1:], "-q")
    found = told("doctor", board.path)
    check(found["next"] == f"molt plan {board.path} new.bin" and found["ways"]["standby"]["open"] and not found["obstacles"], found)
    good(*found["next"].split()[1:])
    check("ESP32-C3 with 1 MB of flash" in good("doctor", board.path).out, "text")


@test
def the_filesystem_is_the_one_in_the_partition_vfs(folder):
    board = Board(folder)
    second = b"\xff" * 0x10000
    table = esp_table(rows() + [esp_row(1, 0x81, FS, 0x60000, "vfs"), esp_row(1, 0x83, FS + 0x60000, 0x10000, "data")])
    board.path.write_bytes(with_bytes(with_bytes(board.before, TABLE, table), FS + 0x60000, second))
    check("0x080000" in good("ls", board.path).out, good("ls", board.path).out)
    empty = with_bytes(with_bytes(board.before, TABLE, table), FS, b"\xff" * 0x60000)
    board.path.write_bytes(empty)
    refused("ls", board.path, saying="no littlefs in it; the firmware makes one, at 0x080000")


@test
def a_factory_image_names_its_parts_whatever_the_chip(folder):
    path = folder / "factory.bin"
    for chip, boot_addr, base in ((0, 0x1000, 0x1000), (0, 0x1000, 0), (18, 0x2000, 0x2000), (9, 0, 0), (5, 0, 0)):
        data = with_bytes(b"\xff" * APP, boot_addr, boot_loader(8192, chip=chip))
        data = with_bytes(data, TABLE, esp_table(rows(), loader_rows() if chip == 5 else b"")) + app(70000, 1, chip=chip)
        path.write_bytes(data[base:])
        found = told("info", path)
        parts = {part["name"]: part for part in found["parts"]}
        check(found["address"] == base and parts["boot loader"]["address"] == boot_addr, chip, found)
        check(parts["boot loader"]["about"] == "ESP-IDF v5.5.1", chip, found)
        check(parts["app factory"]["about"] == "micropython v1.26.0, ESP-IDF v5.4.1", chip, found)
        check(("molt" in parts) == (chip == 5), chip, found)
    good("map", path)
    board = Board(folder).install()
    path.write_bytes(board.before[:0x30000])
    found = told("info", path)
    check(found["valid"] and [p["verdict"] for p in found["parts"] if p["name"] == "molt"] == ["whole"], found)


@test
def the_page_about_it_shows_what_the_tool_prints(folder):
    """docs/esp32.md shows what the tool prints of standby mode: each command is run"""
    board = Board(folder)
    check(shown_on_page("Standby mode in a dump", folder) == 5 and board.now() != board.before, "it was run")


if __name__ == "__main__":
    sys.exit(main())
