#!/usr/bin/env python3
"""`molt info`, as TAP. rig.py has how to run it."""

import gzip
import hashlib
import json
import os
import sys
import zlib
from pathlib import Path

from rig import Device, KB, ROOT, check, esp32_image, good, main, micropython_image, molt, noise, on_terminal, refused, test


@test
def info_agrees_with_every_vector(folder):
    vectors = sorted((ROOT / "tests" / "vectors" / "image").glob("*.bin"))
    check(len(vectors) > 30, "vectors")
    sentences = set()
    for vector in vectors:
        # What it is called it was before the mask ROM's part of the data RAM was known.
        is_bad = vector.name.startswith("bad-") or vector.name == "esp8266-top-of-ram.bin"
        result = refused("info", vector, "--json") if is_bad else good("info", vector, "--json")
        info = json.loads(result.out)
        check(info["valid"] is not is_bad and (info["defect"] is not None) == is_bad, vector.name)
        check(info["size"] == vector.stat().st_size and info["checks"], vector.name)
        failed = [c for c in info["checks"] if c["result"] == "failed"]
        check(len(failed) == is_bad, vector.name, info["checks"])
        text = molt("info", vector)
        check(text.status == is_bad and ("FAILED" in text.out) == is_bad and "\033" not in text.out, vector.name, text.out)
        sentences.add(info["defect"]["text"] if is_bad else "")
    check(len(sentences) > 12, "sentences of their own")


@test
def info_tells_what_an_image_is(folder):
    path = folder / "image \"quoted\"\t\xe4.bin"
    path.write_bytes(micropython_image(300 * KB, 1))
    result = good("info", path)
    check("MicroPython" in result.out and "307200 bytes (300 KB)" in result.out and "IRAM" in result.out, result.out)
    info = json.loads(good("info", path, "--json").out)
    check(info["file"] == str(path) and info["kind"] == "micropython" and info["chip"] == "ESP8266", info)
    check([s["size"] for s in info["segments"]] == [8000, 400, 36], info["segments"])
    check(info["crc32"] == zlib.crc32(path.read_bytes()), "CRC-32")
    strange = os.fsencode(folder) + b"/\xff\xfe.bin"
    Path(os.fsdecode(strange)).write_bytes(esp32_image())
    info = json.loads(good("info", os.fsdecode(strange), "--json").out)
    check(info["kind"] == "esp32" and info["chip"] == "ESP32", info)
    # One that has the size of a chip is no less of one.
    image = esp32_image(size=(1 << 19) - 80)
    path.write_bytes(image)
    info = json.loads(good("info", path, "--json").out)
    check(len(image) == 1 << 19 and info["kind"] == "esp32" and info["valid"], len(image), info)
    path.write_bytes(image[:70000] + b"x" + image[70001:])
    refused("info", path)
    device = Device(folder)
    info = json.loads(good("info", device.path, "--json").out)
    check(info["kind"] == "micropython" and info["image_size"] == len(device.old), "a dump will do")


@test
def info_looks_into_gzip_files(folder):
    image = micropython_image(300 * KB, 1)
    (folder / "image").write_bytes(image)
    good("compress", folder / "image")
    packed = (folder / "image.gz").read_bytes()
    check(gzip.decompress(packed) == image and len(packed) < len(image), "compress makes a gzip file")
    text = good("info", folder / "image.gz").out
    check(f"{len(packed)} bytes" in text and "unpacked   307200 bytes" in text and "MicroPython" in text, text)
    info = json.loads(good("info", folder / "image.gz", "--json").out)
    check((info["gzip_size"], info["size"], info["valid"]) == (len(packed), len(image), True), info)
    (folder / "cut.gz").write_bytes(packed[:-9])
    result = refused("info", folder / "cut.gz", "--json", saying="damaged or cut short")
    check("damaged or cut short" in json.loads(result.out)["defect"]["text"], result.out)


# Not so random as noise: pieces come again from near and far.
def code_like(size):
    random = noise(size, 5)
    out = bytearray(random[:64])
    at = 0
    while len(out) < size:
        a, b, c = random[at % size], random[(at + 1) % size], random[(at + 2) % size]
        at += 3
        back = (a << 8 | b) % 40000 + 1
        out += out[-back:][:c % 24 + 4] if back <= len(out) and c % 3 else bytes((a & b & 0x3F, b & c & 0x1F, c))
    return bytes(out[:size])


def zlib_size(data, bits):
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + bits, 9)
    return len(packer.compress(data) + packer.flush())


@test
def compress_makes_less_than_zlib_of_a_window_that_is_kept(folder):
    body = bytearray(micropython_image(128 * KB, 1)[:-16])
    body[0xA000:] = code_like(len(body) - 0xA000)
    image = bytes(body) + hashlib.md5(body[4:]).digest()
    (folder / "image").write_bytes(image)
    for window, bits, size in (("512", 9, "512 bytes"), ("5K", 13, "8 KB"), ("32K", 15, "32 KB")):
        out = good("compress", folder / "image", "--window", window).out
        check(f"needs {size} of memory" in out, out)
        # The window that a file needs: zlib refuses to unpack with a smaller one.
        data = (folder / "image.gz").read_bytes()
        check(zlib.decompressobj(16 + bits).decompress(data) == image, "unpacks with a window of", size)
        check(len(data) < zlib_size(image, bits), "smaller than zlib's best", len(data), zlib_size(image, bits))
    told = json.loads(good("compress", folder / "image", folder / "out", "--json").out)
    data = (folder / "out").read_bytes()
    check(told["made"] == {"file": str(folder / "out"), "size": len(data), "window": 4096}, told)
    check((told["image"]["size"], told["image"]["chip"]) == (len(image), "ESP8266"), told)
    check(len(data) * 100 < zlib_size(image, 12) * 99, "by 1 % at least", len(data), zlib_size(image, 12))
    said = on_terminal("compress", folder / "image", folder / "out")
    check("packing" in said and "%" in said, said)
    check((folder / "out").read_bytes() == data, "the same file each time")
    check(good("compress", folder / "image").err == "", "and nothing is told elsewhere")


@test
def info_of_a_dump_tells_what_stands_in_sector_0(folder):
    device = Device(folder)
    fresh = json.loads(good("info", device.path, "--json").out)
    check(fresh["valid"] and not fresh["resident"], fresh)
    check(fresh["crc32"] == zlib.crc32(device.before[:len(device.old)]), "the CRC of the image, not of the dump")
    good("upgrade", device.path, "fw/new.bin", "--cut", json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
         ["operations"]["prepare"] + 5, "-q")
    refused("info", device.path, saying="an upgrade is in progress in this dump; molt boot goes on with it")
    device.reset()
    device.blank_reserved()
    good("install", device.path)
    info = json.loads(good("info", device.path, "--json").out)
    check(info["valid"] and info["resident"], info)
    check({**info, "resident": False} == fresh, "the same image as before", info, fresh)
    check("boot       resident; the image's first sector is at 0x" in good("info", device.path).out, "text")


if __name__ == "__main__":
    sys.exit(main())
