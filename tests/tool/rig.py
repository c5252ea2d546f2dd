"""What the tests of the command-line tool are made of: runs of it, images, devices, and TAP.

    tests/tool/test_X.py [MOLT [WORD]]      (default: build/molt, or $MOLT; only the tests with WORD in their names)

The tool is looked at from outside: what it prints, what it returns, what it leaves in the files. Images are synthesized
here from the descriptions of the formats. Python's standard library only.
"""

import hashlib
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import images  # noqa: E402
import tap  # noqa: E402
from images import noise  # noqa: E402
from tap import Failure, check, test  # noqa: E402, F401

MOLT = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MOLT", ROOT / "build" / "molt")).resolve()
SECTOR = 4096
KB = 1024
SYSTEM_SIZE = 5 * SECTOR
TEARS = ["before", "after", "prefix", "suffix", "random", "stray", "zero"]


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout.decode("utf-8", "replace")
        self.err = process.stderr.decode("utf-8", "replace")


def molt(*args, **options):
    process = subprocess.run([str(MOLT), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                             check=False, **options)
    return Result(process)


def good(*args, **options):
    result = molt(*args, **options)
    check(result.status == 0, "molt", *args, "->", result.status, result.out, result.err)
    return result


def refused(*args, saying=None, **options):
    """Status 1 and exactly one sentence, which says what to do."""
    result = molt(*args, **options)
    check(result.status == 1, "molt", *args, "->", result.status, result.out, result.err)
    lines = result.err.splitlines()
    check(len(lines) == 1 and lines[0].startswith("molt: "), "one sentence:", result.err)
    check(len(lines[0]) > 20 and not lines[0].endswith(":"), "a sentence:", result.err)
    check(saying is None or saying in result.err, "it says", repr(saying), "in", result.err)
    return result


def on_terminal(*args, **environment):
    chunks = []
    env = {**os.environ, "TERM": "xterm", **environment}
    leader, follower = pty.openpty()
    with subprocess.Popen([str(MOLT), *map(str, args)], stdin=follower, stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            chunks.append(chunk)
    os.close(leader)
    check(process.returncode == 0, "on a terminal:", process.returncode)
    return b"".join(chunks).decode()


# ---- images

def esp8266_image(size, seed, size_freq=0x00):
    """0xE9, one segment in IRAM, the rest is mapped flash."""
    segment_size = min(24 * KB, size // 8 * 4)
    body = bytearray(noise(size, seed))
    struct.pack_into("<BBBBIII", body, 0, 0xE9, 1, 2, size_freq, 0x40100004, 0x40100000, segment_size)
    body[(16 + segment_size) | 15] = images.checksum(body[16:16 + segment_size])
    return bytes(body)


def segments_image(*segments):
    """An image of nothing but these segments, (address, size) each; it starts in the first."""
    return images.esp8266([(vaddr, noise(size, vaddr)) for vaddr, size in segments], segments[0][0] + 4)


def micropython_image(size, seed, mark=None):
    """Head of three segments, size word at 0x8ffc, mapped part, MD5. `mark`: (esp.flash_user_start() without ROMFS, its size)."""
    # Code refers to the mapped part; without that a file cut short would pass for a smaller image.
    literals = b"".join(struct.pack("<I", 0x40209000 + 8 * i) for i in range(32))
    segments = [(0x40100000, literals + noise(8000 - len(literals), seed)), (0x3FFE8000, noise(400, seed + 1)),
                (0x3FFE8190, noise(36, seed + 2))]
    return images.micropython(size, segments, 0x40100010, seed + 3, mark)


def esp32_image(chip=0, size=256, has_sha256=True):
    data = noise(size, 9)
    image = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080004) + struct.pack("<BBBBHBHH4sB", 0xEE, 0, 0, 0, chip, 0, 0, 0xFFFF,
                                                                            bytes(4), int(has_sha256))
    image += struct.pack("<II", 0x40080000, len(data)) + data
    image += bytes(15 - len(image) % 16) + bytes([images.checksum(data)])
    return image + (hashlib.sha256(image).digest() if has_sha256 else b"")


def file_blocks(data, first, block_size):
    """A file's list of blocks, numbered from `first` on: each begins with pointers to the block before it, two, four ... before."""
    blocks = []
    while data:
        number = len(blocks)
        pointers = [number - (1 << i) for i in range(32) if number and number % (1 << i) == 0]
        head = b"".join(struct.pack("<I", first + pointer) for pointer in pointers)
        blocks.append((head + data[:block_size - len(head)]).ljust(block_size, b"\xff"))
        data = data[block_size - len(head):]
    return blocks


def littlefs_2_0(block_count, block_size=SECTOR, files=()):
    """A littlefs of disk version 2.0, made from littlefs's SPEC: one commit in the first superblock block; with files, (name,
    bytes) each."""
    tags = [(0x0FF << 20 | 8, b"littlefs"),
            (0x201 << 20 | 24, struct.pack("<6I", 0x00020000, block_size, block_count, 255, 0x7FFFFFFF, 1022))]
    content = []
    for number, (name, data) in enumerate(files, 1):
        blocks = file_blocks(data, 2 + len(content), block_size)
        content += blocks
        tags += [(0x401 << 20 | number << 10, b""), (0x001 << 20 | number << 10 | len(name), name.encode()),
                 (0x202 << 20 | number << 10 | 8, struct.pack("<II", 1 + len(content), len(data)))]
    block, before = struct.pack("<I", 1), 0xFFFFFFFF
    for tag, data in tags:
        block += struct.pack(">I", tag ^ before) + data
        before = tag
    # The commit ends with its CRC, at a multiple of the program size.
    size = -(-(len(block) + 8) // 32) * 32 - len(block) - 4
    tag = 0x500 << 20 | 0x3FF << 10 | size
    block += struct.pack(">I", tag ^ before)
    block += struct.pack("<I", zlib.crc32(block) ^ 0xFFFFFFFF)
    return (block.ljust(2 * block_size, b"\xff") + b"".join(content)).ljust(block_size * block_count, b"\xff")


def littlefs_version(data, addr):
    """The disk version that the littlefs at `addr` has, from the newest commit of its superblock pair."""
    found = []
    for block in (addr, addr + SECTOR):
        if data[block + 8:block + 16] == b"littlefs":
            found.append((struct.unpack_from("<I", data, block)[0], block))
    at = max(found)[1] + 4
    before, version = 0xFFFFFFFF, None
    while True:
        tag = struct.unpack_from(">I", data, at)[0] ^ before
        if tag >> 31:
            return version
        size = tag & 0x3FF
        if tag >> 20 == 0x201 and tag >> 10 & 0x3FF == 0 and size == 24:
            version = struct.unpack_from("<I", data, at + 4)[0]
        before = tag ^ ((tag >> 20 & 1) << 31 if tag >> 28 == 5 and tag >> 20 != 0x5FF else 0)
        at += 4 + (0 if size == 0x3FF else size)
        if at > max(found)[1] + SECTOR - 8:
            return version


def fat_boot_sector(size):
    """The boot sector of a FAT volume as MicroPython's VfsFat.mkfs() leaves it on a board's own flash."""
    sector = bytearray(512)
    sector[0:11] = b"\xeb\xfe\x90MSDOS5.0"
    struct.pack_into("<HBHBHHB", sector, 11, SECTOR, 1, 1, 1, 512, size // SECTOR, 0xF8)
    sector[43:62] = b"NO NAME    FAT     "
    sector[510:512] = b"\x55\xaa"
    return bytes(sector)


def sectors_up(size):
    return -(-size // SECTOR) * SECTOR


# ---- devices

class Device:
    """A flash dump with an old firmware, the new one as /fw/new.bin, and other files."""

    def __init__(self, folder, size="4M", old=None, new=None, name="flash.bin", seed=100):
        self.folder = folder
        self.path = folder / name
        self.old = old or micropython_image(600 * KB, seed)
        self.new = new or micropython_image(604 * KB + 123, seed + 10)
        self.files = {"main.py": noise(5000, 1), "lib/a/b/c.mpy": noise(40000, 2), "small.txt": b"a few bytes", "empty": b"",
                      "fw/readme": noise(700, 3)}
        (folder / "old.img").write_bytes(self.old)
        (folder / "new.img").write_bytes(self.new)
        puts = []
        for number, (path, data) in enumerate(self.files.items()):
            source = folder / f"file{number}"
            source.write_bytes(data)
            puts += ["--put", f"{source}:{path}"]
        puts[4:4] = ["--put", f"{folder / 'new.img'}:fw/new.bin"]
        good("mkflash", self.path, "--size", size, "--firmware", folder / "old.img", *puts)
        # What lies outside is something, so that a change shows.
        data = bytearray(self.path.read_bytes())
        plan = json.loads(good("plan", self.path, "fw/new.bin", "--json").out)
        self.fs_addr = plan["filesystem"]["address"]
        self.fs_end = self.fs_addr + plan["filesystem"]["size"]
        end = sectors_up(max(len(self.old), len(self.new)))
        data[end:self.fs_addr] = noise(self.fs_addr - end, 4)
        data[self.fs_end:] = noise(len(data) - self.fs_end, 5)
        self.path.write_bytes(data)
        self.before = bytes(data)

    def now(self):
        return self.path.read_bytes()

    def reset(self):
        self.path.write_bytes(self.before)

    def blank_reserved(self):
        """Resident mode needs MicroPython's own flash map, in which what is behind the firmware is free."""
        data = bytearray(self.before)
        data[sectors_up(max(len(self.old), len(self.new))):self.fs_addr] = b"\xff" * (
            self.fs_addr - sectors_up(max(len(self.old), len(self.new))))
        self.before = bytes(data)
        self.reset()

    def get(self, path):
        out = self.folder / "got"
        good("get", self.path, path, out)
        return out.read_bytes()

    def extents(self, path):
        rows = re.findall(r"^ +\d+ +0x[0-9a-f]+ +0x([0-9a-f]+) +(\d+)$", good("extents", self.path, path).out, re.M)
        return [(int(addr, 16), int(size)) for addr, size in rows]

    def check_upgraded(self, image, params=None, repeated=False):
        """The image is there, every file, and nothing else has changed but the saved file and its directory."""
        now = self.now()
        end = sectors_up(len(image))
        wanted = image[:2] + (params or self.before[2:4]) + image[4:]
        check(now[:len(image)] == wanted, "the image is in place")
        check(now[len(image):end] == b"\xff" * (end - len(image)), "the rest of its last sector is erased")
        check(now[end:self.fs_addr] == self.before[end:self.fs_addr], "between image and filesystem")
        check(now[self.fs_end:] == self.before[self.fs_end:], "the system sectors")
        for path, data in {**self.files, "fw/new.bin": self.new}.items():
            check(self.get(path) == data, "file", path)
        saved = {addr // SECTOR for addr, _ in self.extents("molt.head")}
        changed = {i for i in range(self.fs_addr // SECTOR, self.fs_end // SECTOR)
                   if now[i * SECTOR:(i + 1) * SECTOR] != self.before[i * SECTOR:(i + 1) * SECTOR]}
        # The root directory is a pair of blocks; a repeated preparation may move things.
        check(len(changed - saved) <= (6 if repeated else 2), "changed on the filesystem:", sorted(changed - saved))


def in_folder(function):
    with tempfile.TemporaryDirectory(prefix="molt-tool-", ignore_cleanup_errors=True) as folder:
        function(Path(folder))


def main():
    if not MOLT.exists():
        print(f"Bail out! there is no {MOLT}; make build/molt")
        return 1
    return tap.main(sys.argv[2:3], in_folder)
