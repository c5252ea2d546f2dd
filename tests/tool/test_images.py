#!/usr/bin/env python3
"""What the tool says of images that are special in some way, as TAP. rig.py has how to run it."""

import gzip
import hashlib
import json
import sys

from rig import (Device, KB, ROOT, SECTOR, SYSTEM_SIZE, check, esp32_image, esp8266_image, good, littlefs_2_0, main,
                 micropython_image, noise, refused, segments_image, test)

sys.path.insert(0, str(ROOT / "tests" / "vectors"))
import make_partitions  # noqa: E402

ARDUINO = ROOT / "tests" / "vectors" / "image" / "arduino-crc.bin"


def put(device, name, data):
    (device.folder / "image").write_bytes(data)
    good("put", device.path, f"{device.folder / 'image'}:{name}")


def repeating_image(size, distance):
    """A MicroPython image whose code repeats itself at that distance."""
    image = bytearray(micropython_image(size, 1))
    body = noise(distance, 2) * (size // distance + 1)
    image[0x9000:-16] = body[:size - 0x9000 - 16]
    return bytes(image[:-16]) + hashlib.md5(image[4:-16]).digest()


@test
def an_arduino_crc_for_other_flash_parameters_is_no_damage(folder):
    good("info", ARDUINO)
    dump = folder / "a.bin"
    good("mkflash", dump, "--size", "2M", "--firmware", ARDUINO, "--put", f"{ARDUINO}:new.bin")
    data = dump.read_bytes()
    check(data[:4] != ARDUINO.read_bytes()[:4], "molt has set the flash size")
    result = good("info", dump)
    check("right but for the flash parameters" in result.err and "ESP.checkFlashCRC() will be false" in result.err, result.err)
    check(json.loads(good("info", dump, "--json").out)["notes"], "for programs, too")
    firmware = [r for r in json.loads(good("map", dump, "--json").out)["regions"] if r["kind"] == "firmware"][0]
    check(firmware["size"] == 2 * SECTOR, "it ends where it says", firmware)
    # Damage is damage.
    bad = bytearray(ARDUINO.read_bytes())
    bad[0x1030] ^= 1
    (folder / "bad").write_bytes(bad)
    refused("info", folder / "bad")
    # An upgrade keeps the device's parameters, and says what comes of it.
    (folder / "old").write_bytes(esp8266_image(60 * KB, 1))
    good("mkflash", dump, "--size", "2M", "--firmware", folder / "old", "--put", f"{ARDUINO}:new.bin")
    before = dump.read_bytes()
    for command in (["plan", dump, "new.bin"], ["upgrade", dump, "new.bin", "-q"]):
        check("ESP.checkFlashCRC() will be false" in good(*command).err, command)
    good("info", dump)
    dump.write_bytes(before)
    for command in (["plan", dump, "new.bin", "--flash-params", "image"], ["upgrade", dump, "new.bin", "-q", "--flash-params", "image"]):
        check("checkFlashCRC" not in good(*command).err, command)
    check("checkFlashCRC" not in good("info", dump).err, "then it is right")


@test
def images_of_less_than_a_sector_upgrade_in_resident_mode(folder):
    device = Device(folder)
    device.blank_reserved()
    good("install", device.path)
    for size in (500, 1000, 2500, 3000):
        image = segments_image((0x40100000, size), (0x3FFE8000, size // 4 * 4 // 4 * 4))
        put(device, "tiny.bin", image)
        check(len(image) < 2 * SECTOR, len(image))
        good("upgrade", device.path, "tiny.bin", "-q")
        info = json.loads(good("info", device.path, "--json").out)
        check(info["resident"] and info["segments"][0]["size"] == size, info)


@test
def behind_a_small_image_what_is_left_of_another_does_not_count(folder):
    device = Device(folder)
    image = segments_image((0x40100000, 1000), (0x3FFE8000, 400))
    put(device, "tiny.bin", image)
    good("upgrade", device.path, "tiny.bin", "-q")
    info = json.loads(good("info", device.path, "--json").out)
    check(info["kind"] == "esp8266" and info["valid"], info)
    # A damaged MicroPython stays one: its code refers to what comes behind.
    data = bytearray(device.before)
    data[300 * KB] ^= 1
    device.path.write_bytes(data)
    refused("info", device.path, saying="MD5")


@test
def no_safe_check_says_what_would_happen(folder):
    bad = bytearray(micropython_image(300 * KB, 7))
    bad[500] ^= 0xAA
    device = Device(folder)
    put(device, "bad.bin", bytes(bad))
    before = device.now()
    for command in (["plan", device.path, "bad.bin"], ["upgrade", device.path, "bad.bin"]):
        said = refused(*command, "--no-safe-check", saying="the mask ROM would not start what is then in flash").err
        check("checksum of the segments" in said and "report" not in said and device.now() == before, said)
    device.blank_reserved()
    put(device, "bad.bin", bytes(bad))
    good("install", device.path)
    refused("plan", device.path, "bad.bin", "--no-safe-check", saying="the resident boot loader would not start")


@test
def a_gzip_file_that_needs_much_memory_is_told_apart(folder):
    image = repeating_image(300 * KB, 20 * KB)
    device = Device(folder)
    (folder / "i.bin").write_bytes(image)
    (folder / "i.bin.gz").write_bytes(gzip.compress(image, 9))
    good("compress", folder / "i.bin", folder / "small.gz")
    sentence = "needs 32 KB of memory in one piece for this file"
    for name, is_large in (("i.bin.gz", True), ("small.gz", False), ("i.bin", False)):
        good("put", device.path, folder / name)
        for command in (["info", folder / name], ["plan", device.path, name]):
            check((sentence in good(*command).err) == is_large, command)
            notes = json.loads(good(*command, "--json").out)["notes"]
            check(any(sentence in note and "molt compress" in note for note in notes) == is_large, command, notes)
        before = device.now()
        check((sentence in good("upgrade", device.path, name, "-q").err) == is_large, name)
        device.path.write_bytes(before)


@test
def bytes_behind_the_image_are_noted(folder):
    device = Device(folder)
    for count, says in ((1, "1 byte behind the end of the image is not part of it"),
                        (33, "33 bytes behind the end of the image are not part of it")):
        put(device, "long.bin", device.new + b"x" * count)
        check(says in good("info", folder / "image").err, says)
        check(says in good("plan", device.path, "long.bin").err, says)
        check(says in json.loads(good("plan", device.path, "long.bin", "--json").out)["notes"], says)
    check(says in good("upgrade", device.path, "long.bin", "-q").err, says)
    check(good("plan", device.path, "fw/new.bin").err == "", "none, none is noted")
    check(good("info", folder / "new.img").err == "" and good("info", device.path).err == "", "a dump is all about what follows")


@test
def an_image_that_is_in_place_is_left_alone(folder):
    device = Device(folder)
    device.blank_reserved()
    for resident in (False, True):
        device.reset()
        if resident:
            good("install", device.path)
        good("upgrade", device.path, "fw/new.bin", "-q")
        before = device.now()
        result = good("upgrade", device.path, "fw/new.bin")
        check("in place already" in result.out and device.now() == before, result.out)
        check("in place already" in good("plan", device.path, "fw/new.bin").out, "plan")
        check(json.loads(good("plan", device.path, "fw/new.bin", "--json").out)["in_place"] is True, "for programs")
        # One byte of it, or another header, and it is not.
        data = bytearray(before)
        data[200 * KB] ^= 1
        device.path.write_bytes(data)
        good("upgrade", device.path, "fw/new.bin", "-q")
        check(device.now()[200 * KB] == before[200 * KB], "a changed byte is made right")
        plan = json.loads(good("plan", device.path, "fw/new.bin", "--flash-params", "image", "--json").out)
        check(plan["in_place"] is False, "other flash parameters")
        check(json.loads(good("plan", device.path, "fw/new.bin", "--erase-all", "--json").out)["in_place"] is False, "erase-all")
    device.path.write_bytes(before)
    good("upgrade", device.path, "fw/new.bin", "-q", "--erase-all")
    check(device.now() != before, "--erase-all goes on")


def factory(chip, boot_addr, table, app):
    data = bytearray(b"\xff" * 0x10000)
    boot = esp32_image(chip, 9000)
    data[boot_addr:boot_addr + len(boot)] = boot
    data[0x8000:0x8000 + len(table)] = table
    return bytes(data) + app


@test
def a_factory_image_is_named_with_its_parts(folder):
    table = make_partitions.vectors()["micropython-4M"][0]
    app = esp32_image(size=30000)
    path = folder / "factory.bin"
    for chip, name, boot_addr in ((0, "ESP32", 0x1000), (18, "ESP32-P4", 0x2000), (5, "ESP32-C3", 0), (28, "ESP32-H4", 0x2000)):
        whole = factory(chip, boot_addr, table, app)
        # As it lies in flash from 0 on, and as MicroPython makes it: from the boot loader on.
        for base in {0, boot_addr}:
            path.write_bytes(whole[base:])
            text = good("info", path).out
            check(f"factory image for {name}:" in text and f"0x{boot_addr:06x}  boot loader             whole" in text, text)
            check("0x008000  partition table         whole" in text and "0x010000  app factory             whole" in text, text)
            info = json.loads(good("info", path, "--json").out)
            check(info["valid"] and info["kind"] == "esp32-factory" and info["address"] == base, info)
            check("of an ESP32" in good("map", path).out and "factory" in good("map", path).out, "its table is drawn")
    for at, says in ((0x1100, "0x001000"), (0x8004, "0x008000"), (0x11000, "0x010000")):
        bad = bytearray(factory(0, 0x1000, table, app))
        bad[at] ^= 1
        path.write_bytes(bad)
        refused("info", path, saying=f"what is at {says} is damaged")


@test
def young_chips_of_the_family_are_known(folder):
    for chip, name in ((25, "ESP32-H21"), (28, "ESP32-H4")):
        (folder / "image").write_bytes(esp32_image(chip))
        check(json.loads(good("info", folder / "image", "--json").out)["chip"] == name, name)


@test
def a_gzip_file_will_do_for_a_firmware(folder):
    image = micropython_image(300 * KB, 1)
    (folder / "image").write_bytes(image)
    (folder / "image.gz").write_bytes(gzip.compress(image))
    good("mkflash", folder / "a.bin", "--size", "4M", "--firmware", folder / "image")
    good("mkflash", folder / "b.bin", "--size", "4M", "--firmware", folder / "image.gz")
    check((folder / "a.bin").read_bytes() == (folder / "b.bin").read_bytes(), "the same")
    good("migrate", folder / "a.bin", folder / "c.bin", "--to", "molt", "--firmware", folder / "image.gz")
    check((folder / "c.bin").read_bytes()[4:len(image)] == image[4:], "migrate")
    (folder / "cut.gz").write_bytes((folder / "image.gz").read_bytes()[:-5])
    refused("mkflash", folder / "d.bin", "--size", "4M", "--firmware", folder / "cut.gz", saying="damaged or cut short")
    refused("migrate", folder / "a.bin", folder / "d.bin", "--to", "molt", "--firmware", folder / "cut.gz", saying="cut short")
    check(not (folder / "d.bin").exists(), "nothing was made")


@test
def a_refused_plan_draws_a_map_only_where_places_are_the_reason(folder):
    (folder / "image").write_bytes(micropython_image(300 * KB, 1))
    good("mkflash", folder / "a.bin", "--size", "4M", "--firmware", folder / "image")
    data = bytearray((folder / "a.bin").read_bytes())
    size = len(data) - SYSTEM_SIZE - 0x100000
    data[0x100000:0x100000 + size] = littlefs_2_0(size // 512, 512, [("new.bin", micropython_image(310 * KB, 2))])
    (folder / "a.bin").write_bytes(data)
    good("get", folder / "a.bin", "new.bin", folder / "got")
    check((folder / "got").read_bytes() == micropython_image(310 * KB, 2), "it can be read")
    check(refused("plan", folder / "a.bin", "new.bin").out == "", "no map")
    refused("put", folder / "a.bin", folder / "image", saying="blocks of 512 bytes")
    check((folder / "a.bin").read_bytes() == data, "unchanged")
    # Where it is about places, the map has a title.
    device = Device(folder, "1M", old=micropython_image(500 * KB, 1), new=micropython_image(250 * KB, 2))
    data = bytearray(device.now())
    data[0x30000:0x30000 + device.fs_end - device.fs_addr] = data[device.fs_addr:device.fs_end]
    data[0x30000 + device.fs_end - device.fs_addr:] = b"\xff" * (len(data) - 0x30000 - device.fs_end + device.fs_addr)
    device.path.write_bytes(data)
    check(refused("plan", device.path, "fw/new.bin").out.startswith(f"{device.path}: not possible"), "title")


if __name__ == "__main__":
    sys.exit(main())
