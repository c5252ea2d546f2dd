#!/usr/bin/env python3
"""Dumps and the files in them, as TAP: mkflash, ls, get, put, rm, extents. rig.py has how to run it."""

import os
import re
import resource
import struct
import subprocess
import sys
import zlib

from rig import Device, KB, MOLT, SECTOR, SYSTEM_SIZE, check, esp8266_image, good, main, noise, refused, test


@test
def every_chip_size_has_its_filesystem_where_micropython_has_it(folder):
    (folder / "f").write_bytes(esp8266_image(100 * KB, 1, 0x0F))
    for size, text, code in [(0x80000, "512K", 0), (0x100000, "1M", 2), (0x200000, "2M", 3), (0x400000, "4M", 4),
                             (0x800000, "8M", 8), (0x1000000, "16M", 9)]:
        out = folder / "x.bin"
        good("mkflash", out, "--size", text, "--firmware", folder / "f")
        data = out.read_bytes()
        check(len(data) == size and data[3] == code << 4 | 15, text, "header", hex(data[3]))
        start = {0x80000: None, 0x100000: 0x99000}.get(size, 0x100000)
        if start:
            check(data[start + 8:start + 16] == b"littlefs", "at", hex(start))
            check(struct.unpack_from("<I", data, start + 28)[0] == (size - SYSTEM_SIZE - start) // SECTOR, "its size")
        else:
            check(b"littlefs" not in data, "none")
            refused("ls", out, saying="no littlefs")
    good("mkflash", out, "--size", "4M", "--firmware", folder / "f", "--keep-header")
    check(out.read_bytes()[3] == 0x0F, "--keep-header")
    good("mkflash", out, "--size", "512K", "--firmware", folder / "f", "--fs-start", "0x40000", "--put", f"{folder / 'f'}:a/b")
    check(out.read_bytes()[0x40008:0x40010] == b"littlefs", "--fs-start")


@test
def files_make_the_round_trip(folder):
    device = Device(folder)
    for number, size in enumerate([0, 1, 17, 4096, 4097, 100000]):
        data = noise(size, number)
        (folder / "in.bin").write_bytes(data)
        good("put", device.path, f"{folder / 'in.bin'}:new/dir{number}/f.bin")
        check(device.get(f"/new/dir{number}/f.bin") == data, "size", size)
        process = subprocess.run([str(MOLT), "get", str(device.path), f"new/dir{number}/f.bin", "-"], capture_output=True,
                                 check=True)
        check(process.stdout == data, "to standard output")
    good("put", device.path, folder / "in.bin")
    good("put", device.path, f"{folder / 'in.bin'}:deep/")
    listing = good("ls", device.path).out
    for name in ["in.bin", "deep/in.bin", "new/dir0/f.bin", "new/dir5/f.bin", "lib/a/b/c.mpy", "new/dir3/"]:
        check(re.search(rf"  {re.escape(name)}$", listing, re.M), name, "in", listing)
    check("100000" in listing and "97.7 KB" in listing, "sizes")
    check("main.py" not in good("ls", device.path, "new").out, "only that directory")
    refused("rm", device.path, "new/dir0", saying="not empty")
    good("rm", device.path, "new/dir0/f.bin")
    good("rm", device.path, "new/dir0/")
    refused("get", device.path, "new/dir0/f.bin", folder / "got", saying="no such file")
    check("dir0" not in good("ls", device.path).out, "removed")
    good("put", device.path, "/dev/null:frozen.off")
    check(device.get("frozen.off") == b"", "/dev/null is an empty file")
    refused("put", device.path, "/dev/zero:zero", saying="not a file")
    for path, data in device.files.items():
        check(device.get(path) == data, "untouched", path)
    good("get", device.path, "lib/a/b/c.mpy", cwd=folder)
    check((folder / "c.mpy").read_bytes() == device.files["lib/a/b/c.mpy"], "to its own name")


@test
def extents_lead_to_the_bytes(folder):
    device = Device(folder)
    data = b"".join(device.before[addr:addr + size] for addr, size in device.extents("fw/new.bin"))
    check(data == device.new, "bytes through the extents")
    result = good("extents", device.path, "fw/new.bin")
    check(f"0x{zlib.crc32(device.new):08x}" in result.out, "CRC")


@test
def the_filesystem_is_found_or_named(folder):
    device = Device(folder)
    # Another superblock in front of it that leads nowhere, and one in a file behind it.
    data = bytearray(device.before)
    data[0xA8000:0xA8100] = data[device.fs_addr:device.fs_addr + 0x100]
    data[0xA8000 + 40] ^= 1
    device.path.write_bytes(data)
    check("main.py" in good("ls", device.path).out, "found")
    # Either of its two first blocks may be damaged. The one with the higher revision holds the present directory.
    revisions = struct.unpack_from("<I", device.before, device.fs_addr) + struct.unpack_from("<I", device.before,
                                                                                             device.fs_addr + SECTOR)
    for block in (0, 1):
        data = bytearray(device.before)
        at = device.fs_addr + block * SECTOR
        data[at:at + SECTOR] = noise(SECTOR, block)
        device.path.write_bytes(data)
        listing = good("ls", device.path).out
        check(f"littlefs at 0x{device.fs_addr:06x}" in listing, "block", block, "damaged", listing)
        if revisions[block] < revisions[1 - block]:
            check("main.py" in listing, "block", block, "damaged", listing)
            check(device.get("lib/a/b/c.mpy") == device.files["lib/a/b/c.mpy"], "and read rightly")
    device.reset()
    check("main.py" in good("ls", device.path, "--fs-start", hex(device.fs_addr)).out, "named")
    size = hex(device.fs_end - device.fs_addr)
    check("main.py" in good("ls", device.path, "--fs-start", hex(device.fs_addr), "--fs-size", size).out, "with its size")
    refused("ls", device.path, "--fs-start", "0x200000", saying="no littlefs at 0x200000")
    refused("ls", device.path, "--fs-start", "8M")
    refused("ls", device.path, "--fs-size", "64M")
    check(device.now() == device.before, "unchanged")


@test
def the_dump_is_replaced_as_a_whole_or_not_at_all(folder):
    device = Device(folder)
    names = sorted(os.listdir(folder))
    os.chmod(device.path, 0o640)

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    for args in (["upgrade", device.path, "fw/new.bin", "-q"], ["put", device.path, folder / "file0"], ["rm", device.path, "main.py"]):
        # restore_signals=False: the signal for too large a file stays ignored, so that write() fails.
        refused(*args, saying="cannot be written", preexec_fn=little_room, restore_signals=False)
        check(device.now() == device.before, "unchanged")
        check(sorted(os.listdir(folder)) == names, "no temporary is left")
    link = folder / "link.bin"
    link.symlink_to(device.path.name)
    good("upgrade", link, "fw/new.bin", "-q")
    check(link.is_symlink() and os.stat(device.path).st_mode & 0o777 == 0o640, "link and permissions stay")
    device.check_upgraded(device.new)
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([str(MOLT), "ls", str(device.path)], stdout=full, stderr=subprocess.PIPE, check=False)
        check(process.returncode == 1 and b"output cannot be written" in process.stderr, "lost output")


if __name__ == "__main__":
    sys.exit(main())
