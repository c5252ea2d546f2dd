#!/usr/bin/env python3
"""What the tool refuses, with which sentence and status, as TAP; help. rig.py has how to run it."""

import gzip
import os
import re
import sys

from rig import (Device, KB, MOLT, ROOT, check, esp32_image, esp8266_image, good, main, micropython_image, molt, noise, refused,
                 segments_image, test)

COMMANDS = ["info", "doctor", "mkflash", "map", "migrate", "ls", "get", "put", "rm", "extents", "frozen", "plan", "upgrade", "boot", "install",
            "uninstall", "compress", "torture", "push", "status", "version", "help"]


@test
def every_bad_dump_has_its_sentence(folder):
    def made(name, data):
        (folder / name).write_bytes(data)
        return folder / name

    for command in (["ls"], ["plan", "x"], ["upgrade", "x"], ["extents", "x"], ["get", "x"], ["rm", "x"], ["put", MOLT], ["boot"]):
        name, rest = command[0], command[1:]
        refused(name, folder / "nothing", *rest, saying="there is no such file")
        refused(name, folder, *rest, saying="this is a directory")
        refused(name, "/dev/null", *rest, saying="not a file")
        refused(name, made("empty", b""), *rest, saying="the file is empty")
        refused(name, made("short", b"\xff" * 1000), *rest, saying="1000 bytes are not the size of a flash chip")
        refused(name, made("odd", b"\xff" * (3 << 20)), *rest, saying="3145728 bytes are not the size of a flash chip")
        refused(name, made("blank", b"\xff" * (1 << 20)), *rest, saying="sector 0" if name == "boot" else "no littlefs")
        check((folder / "blank").read_bytes() == b"\xff" * (1 << 20), "unchanged")
    os.mkfifo(folder / "pipe")
    refused("ls", folder / "pipe", saying="not a file")
    (folder / "loop").symlink_to(folder / "loop")
    refused("ls", folder / "loop")
    (folder / "line\nbreak").write_bytes(b"")
    refused("ls", folder / "line\nbreak", saying="the file is empty")


@test
def every_bad_image_on_the_filesystem_has_its_sentence(folder):
    whole = micropython_image(300 * KB, 7)
    damaged = bytearray(whole)
    damaged[100000] ^= 4
    wrong_sum = bytearray(whole)
    wrong_sum[500] ^= 4
    vectors = ROOT / "tests" / "vectors" / "image"
    v2 = (vectors / "esp8266-v2.bin").read_bytes()
    cases = {
        "damaged": (bytes(damaged), "MD5"), "sum": (bytes(wrong_sum), "checksum"), "cut": (whole[:200 * KB], "size word"),
        "text": (b"hello\n" * 1000, "0xE9"), "erased": (b"\xff" * 9000, "0xFF"),
        "gzip": (b"\x1f\x8b\x08" + noise(5000, 1), "gzip"), "esp32": (esp32_image() * 4, "another chip"),
        "v2": (v2, "second-stage"), "tiny": (b"\xe9", "so small"), "empty": (b"", "so small"),
        "large": (micropython_image(1100 * KB, 3), "larger than the part of flash"),
        "long": (micropython_image(1 << 20, 3), None),
    }
    device = Device(folder, "8M")
    for name, (data, _) in cases.items():
        (folder / name).write_bytes(data)
        good("put", device.path, f"{folder / name}:bad/{name}")
    before = device.now()
    sentences = {}
    for name, (_, saying) in cases.items():
        if saying is None:
            continue
        for command in ("plan", "upgrade"):
            sentences[name] = refused(command, device.path, f"bad/{name}", saying=saying).err.split(": ", 2)[2]
            check(device.now() == before, "unchanged after", name)
    check(len(set(sentences.values())) >= len(sentences) - 1, "a sentence for each", sentences)
    for command in ("upgrade", "plan", "get", "extents"):
        refused(command, device.path, "", saying=": /: this is a directory")
    refused("torture", device.path, "bad/none", saying="no such file")
    refused("torture", device.path, "bad/cut", saying="size word")
    refused("upgrade", device.path, "bad", saying="directory")
    refused("upgrade", device.path, "bad/none", saying="no such file")
    refused("upgrade", device.path, "main.py/x")
    refused("get", device.path, "bad", saying="directory")
    refused("extents", device.path, "small.txt", saying="inside its directory")
    refused("extents", device.path, "bad", saying="directory")
    refused("ls", device.path, "none", saying="no such")
    refused("rm", device.path, "/")
    refused("rm", device.path, "none", saying="no such")
    refused("put", device.path, folder / "none", saying="no such file")
    refused("put", device.path, folder, saying="directory")
    refused("put", device.path, f"{folder / 'text'}:main.py/text", saying="not a directory")
    refused("put", device.path, f"{folder / 'text'}:{'n' * 300}", saying="too long")
    (folder / "huge").write_bytes(bytes(8 << 20))
    refused("put", device.path, folder / "huge", saying="room")
    (folder / "big").write_bytes(bytes(0x6E0000))
    refused("put", device.path, folder / "big", saying="full")
    check(device.now() == before, "unchanged")
    good("upgrade", device.path, "bad/long")


@test
def a_full_filesystem_is_refused_and_unchanged(folder):
    device = Device(folder, "1M", new=esp8266_image(100 * KB, 1), old=esp8266_image(90 * KB, 2))
    # Fill it up, block by block.
    (folder / "block").write_bytes(noise(60000, 1))
    (folder / "small").write_bytes(noise(4000, 1))
    for name in ("block", "small"):
        number = 0
        while molt("put", device.path, f"{folder / name}:fill/{name}{number}").status == 0:
            number += 1
    before = device.now()
    refused("upgrade", device.path, "fw/new.bin", saying="full")
    refused("plan", device.path, "fw/new.bin", saying="full")
    check(device.now() == before, "unchanged")
    good("rm", device.path, "fill/block0")
    good("upgrade", device.path, "fw/new.bin")
    check(device.now()[4:100 * KB] == device.new[4:], "with room it works")


@test
def mkflash_refuses_what_would_not_work(folder):
    image, out = folder / "image", folder / "out.bin"
    image.write_bytes(micropython_image(620 * KB, 1))
    base = ["mkflash", out, "--firmware", image]
    refused(*base, "--size", "1M", saying="filesystem begins")
    refused(*base, "--size", "512K", saying="system sectors begin")
    refused(*base, "--size", "4M", "--fs-start", "0x80000", saying="filesystem begins")
    refused(*base, "--size", "4M", "--fs-start", "0x3ff000", saying="no room")
    refused(*base, "--size", "4M", "--fs-start", "8M", saying="no room")
    refused(*base, "--size", "4M", "--fs-size", "4M", saying="no room")
    refused(*base, "--size", "4M", "--put", folder / "none", saying="no such file")
    refused("mkflash", folder / "no" / "out.bin", "--size", "4M", "--firmware", image, saying="cannot be written")
    refused("mkflash", folder, "--size", "4M", "--firmware", image, saying="cannot be written")
    for name, data, saying in [("esp32", esp32_image(), "ESP32"), ("text", b"text" * 100, "0xE9"), ("none", b"", "empty")]:
        (folder / name).write_bytes(data)
        refused("mkflash", out, "--size", "4M", "--firmware", folder / name, saying=saying)
    refused("mkflash", out, "--size", "4M", "--firmware", folder / "nowhere", saying="no such file")
    small = esp8266_image(100 * KB, 1)
    image.write_bytes(small)
    refused(*base, "--size", "512K", "--put", f"{image}:x", saying="no filesystem")
    check(not out.exists(), "nothing was made")


@test
def resident_mode_refuses_what_its_boot_loader_cannot_load(folder):
    vectors = ROOT / "tests" / "vectors" / "image"
    iram, dram = (0x40100000, 6000), (0x3FFE8000, 3000)
    # What it uses while it loads, as its own build says: code, then data and stack.
    header = (ROOT / "ports" / "esp8266" / "prebuilt" / "esp8266_resident.h").read_text()
    (code, code_size), (data, data_size) = [(int(addr, 16), int(size, 16)) for addr, size in
                                            re.findall(r"\{ (0x\w+)u, (0x\w+)u \}", header)]
    check(code >= 0x4010C000 and 0x3FFE8000 < data and data + data_size <= 0x3FFFC000, "memory of the loader")
    cases = {
        "over its code": segments_image(iram, dram, (code, 256)),
        "up to its code": segments_image(iram, dram, (code - 256, 260)),
        "to its end": segments_image(iram, dram, (code + code_size - 4, 4)),
        "over its data": segments_image(iram, (data, 256)),
        "over its buffers": segments_image(iram, (data + data_size - 4, 4)),
        "Arduino": (vectors / "arduino-crc.bin").read_bytes(),
    }
    fine = {
        "below its code": segments_image(iram, dram, (0x40108000, code - 0x40108000)),
        "below its data": segments_image(iram, (data - 256, 256)),
    }
    device = Device(folder)
    for name, data in {**cases, **fine}.items():
        (folder / "image").write_bytes(data)
        good("put", device.path, f"{folder / 'image'}:{name}")
    device.before = device.now()
    device.blank_reserved()
    for name in cases:
        good("plan", device.path, name)
    good("install", device.path)
    before = device.now()
    for name in cases:
        for command in ("plan", "upgrade"):
            refused(command, device.path, name, saying="uninstall resident mode first")
            check(device.now() == before, "unchanged after", name)
    for name in fine:
        good("plan", device.path, name)
    # Nor is it installed where such a firmware is.
    for name, data in cases.items():
        (folder / "image").write_bytes(data)
        good("mkflash", folder / "other.bin", "--size", "4M", "--firmware", folder / "image")
        before = (folder / "other.bin").read_bytes()
        refused("install", folder / "other.bin", saying="loaded over the resident boot loader")
        check((folder / "other.bin").read_bytes() == before, "unchanged after", name)


@test
def compress_refuses_what_no_device_would_take(folder):
    for name, data, saying in (("empty", b"", "empty"), ("text", b"text" * 100, "0xE9"), ("gzip", gzip.compress(b"x"), "gzip"),
                               ("cut", micropython_image(300 * KB, 1)[:-99], "size word"),
                               ("h21", esp32_image(25), "image for ESP32-H21, for which molt has no loader so far"),
                               ("plain", esp32_image(5, has_sha256=False), "SHA-256"),
                               ("changed", esp32_image(5)[:-1] + b"?", "SHA-256")):
        (folder / name).write_bytes(data)
        refused("compress", folder / name, saying=saying)
        check(not (folder / f"{name}.gz").exists(), "nothing was made of", name)
    refused("compress", folder / "none", saying="no such file")
    refused("compress", folder, saying="directory")
    (folder / "image").write_bytes(esp8266_image(20 * KB, 1))
    refused("compress", folder / "image", folder / "no" / "out", saying="cannot be written")
    for name in ("image", "link"):
        if name == "link":
            (folder / "link").symlink_to(folder / "image")
        refused("compress", folder / "image", folder / name, saying="would take the place of the image")
    check((folder / "image").read_bytes() == esp8266_image(20 * KB, 1), "the image stays")


@test
def usage_errors_have_status_2(folder):
    for args in ([], ["bogus"], ["info"], ["info", "a", "b"], ["ls"], ["ls", "a", "--bogus"], ["get", "a"], ["put", "a"],
                 ["rm", "a"], ["extents"], ["plan", "a"], ["plan", "a", "b", "c"], ["upgrade", "a"], ["boot"],
                 ["upgrade", "a", "b", "--cut", "x"], ["upgrade", "a", "b", "--cut", "5:bogus"], ["upgrade", "a", "b", "--cut=-1"],
                 ["upgrade", "a", "b", "--flash-params", "both"], ["ls", "a", "--fs-start", "0x123"],
                 ["ls", "a", "--fs-start", "x"], ["ls", "a", "--fs-start", "5G"], ["mkflash", "x", "--size", "3M"],
                 ["mkflash", "x", "--size", "4M"], ["mkflash", "x", "--firmware", "y"], ["mkflash", "--size", "4M"],
                 ["help", "bogus"], ["torture", "a", "b", "--tears", ""], ["torture", "a", "b", "--tears", "before,x"],
                 ["torture", "a", "b", "--depth", "3"], ["torture", "a", "b", "--jobs", "0"], ["compress"],
                 ["compress", "a", "--window", "1"], ["install"], ["uninstall", "a", "b"]):
        result = molt(*args)
        check(result.status == 2 and result.err and not result.out, args, result.status, result.out, result.err)


@test
def every_command_has_help(folder):
    overview = good("help").out
    check(good("--help").out == overview, "--help")
    for command in COMMANDS:
        check(re.search(rf"^  {command} ", overview, re.M), command, "is listed")
        check("usage" in good("help", command).out.lower(), command)
        check(good(command, "--help").status == 0, command)
        if command not in ("version", "help"):
            check(f"Examples:\n  molt {command} " in good("help", command).out.replace("  esptool read_flash 0 ALL flash.bin\n", ""),
                  command, "has an example")
            for example in re.findall(rf"^  molt {command} (.*)", good("help", command).out, re.M):
                for option in re.findall(r" (--[a-z][a-z-]*)", f" {example}"):
                    check(re.search(rf"^ .*{option}\b", good("help", command).out, re.M), command, "knows", option)
        check(max(len(line) for line in good("help", command).out.splitlines()) <= 100, command)
    check(re.match(r"molt \d+\.\d+\.\d+\n", good("version").out), "version")
    check(good("--version").out == good("version").out, "--version")


if __name__ == "__main__":
    sys.exit(main())
