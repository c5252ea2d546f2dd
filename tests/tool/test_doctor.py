#!/usr/bin/env python3
"""`molt doctor`, as TAP: for each state of a board what is in the way, and a next command that does what it says. rig.py has
how to run it."""

import json
import sys

from rig import (Device, KB, SECTOR, SYSTEM_SIZE, check, esp32_image, esp8266_image, fat_boot_sector, good, main,
                 micropython_image, noise, refused, test)

STOCK = (0x100000, 0)


def told(path, *words):
    """The diagnosis; what it says to people has all of it, in 80 columns."""
    found = json.loads(good("doctor", path, "--json", *words).out)
    text = good("doctor", path, *words).out
    flat = " ".join(text.split())
    for sentence in found["obstacles"] + [way["text"] for way in found["ways"].values()] + [found["next"]]:
        check(" ".join(sentence.split()) in flat, sentence, "in", text)
    check(max(len(line) for line in text.splitlines() if str(path) not in line and "write_flash" not in line) <= 100, text)
    return found


def fresh(folder, *puts, size="4M", image=None, **words):
    (folder / "image").write_bytes(image or micropython_image(600 * KB, 1, STOCK))
    path = folder / "flash.bin"
    good("mkflash", path, "--size", size, "--firmware", folder / "image",
         *(word for put in puts for word in ("--put", put)))
    return path


@test
def a_board_with_molt_is_told_to_take_an_image_and_then_to_plan(folder):
    path = fresh(folder)
    found = told(path)
    check(found["has_molt"] and found["map"] == "stock-2M" and found["boot"] == "ordinary" and not found["obstacles"], found)
    check(found["ways"]["raw"]["open"] and found["ways"]["gzip"]["open"] and found["ways"]["resident"]["open"], found["ways"])
    check(found["next"] == f"molt put {path} firmware.bin" and "nothing" in good("doctor", path).out, found["next"])
    before = path.read_bytes()
    (folder / "new").write_bytes(micropython_image(610 * KB, 2, STOCK))
    (folder / "bad").write_bytes(micropython_image(610 * KB, 2, STOCK)[:-1])
    (folder / "other").write_bytes(micropython_image(610 * KB, 2, (0x110000, 0)))
    for name in ("bad", "other", "new"):
        good("put", path, f"{folder / name}:fw/{name}.bin")
    good("put", path, f"{folder / 'image'}:same.bin")
    found = told(path)
    check({i["path"]: (i["possible"], i["in_place"]) for i in found["images"]} == {
        "fw/bad.bin": (False, False), "fw/new.bin": (True, False), "fw/other.bin": (False, False), "same.bin": (True, True)},
          found["images"])
    check("another flash map" in next(i["text"] for i in found["images"] if i["path"] == "fw/other.bin"), found["images"])
    check(found["next"] == f"molt plan {path} fw/new.bin", found["next"])
    good(*found["next"].split()[1:])
    check(before != path.read_bytes() and good("doctor", path).err == "", "nothing but the files was changed")


@test
def an_upgrade_in_progress_is_to_be_finished(folder):
    (folder / "new").write_bytes(micropython_image(610 * KB, 2, STOCK))
    path = fresh(folder, f"{folder / 'new'}:new.bin")
    good("upgrade", path, "new.bin", "-q", "--cut", "100")
    found = told(path)
    check(found["boot"] == "an upgrade is in progress" and found["next"] == f"molt boot {path}", found)
    good(*found["next"].split()[1:])
    found = told(path)
    check(found["boot"] == "ordinary" and found["images"][0]["in_place"], found)


@test
def resident_mode_is_seen(folder):
    path = fresh(folder)
    good("install", path)
    found = told(path)
    check(found["boot"] == "resident" and "installed" in found["ways"]["resident"]["text"] and not found["obstacles"], found)
    data = bytearray(fresh(folder).read_bytes())
    data[0xF8000:0xF9000] = noise(SECTOR, 1)
    path.write_bytes(data)
    check(not told(path)["ways"]["resident"]["open"], "its sectors are in use")


@test
def what_is_in_the_way_is_said(folder):
    path = fresh(folder, image=micropython_image(600 * KB, 1))
    found = told(path)
    check("no molt in it" in found["obstacles"][0] and found["next"].startswith("esptool write_flash"), found)
    data = path.read_bytes()
    # No firmware; a damaged one.
    for bad in (b"\xff" * 0x100000, noise(0x100000, 3)):
        path.write_bytes(bad + data[0x100000:])
        found = told(path)
        check("no firmware runs" in found["obstacles"][0] and found["next"].startswith("esptool write_flash"), found)
    # No filesystem, FAT, two.
    path = fresh(folder)
    data = path.read_bytes()
    blank = data[:0x100000] + b"\xff" * (len(data) - 0x100000)
    path.write_bytes(blank)
    check("no littlefs" in told(path)["obstacles"][0], told(path))
    path.write_bytes(blank[:0x100000] + fat_boot_sector(len(data) - 0x100000 - SYSTEM_SIZE) + blank[0x100200:])
    check("is FAT" in told(path)["obstacles"][0], told(path))
    (folder / "image").write_bytes(micropython_image(600 * KB, 1))
    good("mkflash", path, "--size", "4M", "--firmware", folder / "image", "--fs-size", "1M")
    one = path.read_bytes()
    path.write_bytes(one[:0x200000] + one[0x100000:0x200000] + one[0x300000:])
    found = told(path)
    check(any("two filesystems" in text for text in found["obstacles"]), found["obstacles"])
    check(found["next"] == f"molt ls {path} --fs-start 0x100000", found["next"])
    good(*found["next"].split()[1:])
    # The wrong size in the header.
    path.write_bytes(data[:3] + b"\x20" + data[4:])
    check(any("the header says that the flash has 1 MB" in text for text in told(path)["obstacles"]), told(path))
    # Not a board of this kind, or no dump at all.
    refused("doctor", folder / "nothing")
    refused("doctor", folder / "image")
    path.write_bytes(data + data)
    refused("doctor", path, saying="the second half repeats the first")
    esp32 = bytearray(b"\xff" * (1 << 20))
    boot = esp32_image()
    esp32[0x1000:0x1000 + len(boot)] = boot
    path.write_bytes(esp32)
    refused("doctor", path, saying="there is no partition table")


@test
def a_board_that_is_too_small_is_told_so(folder):
    found = told(fresh(folder, size="1M", image=micropython_image(600 * KB, 1, (0x98000, 0))))
    check(not found["ways"]["raw"]["open"] and not found["ways"]["gzip"]["open"], found["ways"])
    check("too small for a firmware of the present size, also as a gzip file" in found["obstacles"][0], found["obstacles"])
    check(found["next"].startswith("esptool write_flash"), found["next"])
    # A smaller one fits.
    found = told(fresh(folder, size="1M", image=micropython_image(300 * KB, 1, (0x98000, 0))))
    check(found["ways"]["raw"]["open"] and not found["obstacles"], found)
    # Full: files have to go.
    path = fresh(folder, size="1M", image=micropython_image(300 * KB, 1, (0x98000, 0)))
    (folder / "fill").write_bytes(noise(250 * KB, 1))
    good("put", path, folder / "fill")
    found = told(path)
    check("too full" in found["obstacles"][0] and found["next"] == f"molt ls {path}", found)
    good(*found["next"].split()[1:])


@test
def other_firmwares_than_micropython_are_told_about(folder):
    path = fresh(folder, image=esp8266_image(300 * KB, 1))
    found = told(path)
    check(not found["has_molt"] and found["filesystem"]["usable"], found)
    device = Device(folder)
    check(told(device.path)["images"][0]["path"] == "fw/new.bin", "the image on it")
    check(device.now() == device.before, "nothing is changed")


if __name__ == "__main__":
    sys.exit(main())
