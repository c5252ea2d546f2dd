"""What the tests on the virtual ESP32-C3 share: its boards, images and partition tables, and many runs with power cuts at once."""
import functools
import hashlib
import struct
import subprocess
import sys

import rig
from rig import BUILD, ENVIRONMENT, ROOT, SECTOR, firmware, same, same_bytes, tool, true

sys.path.insert(0, str(ROOT / "micropython/vport-esp32c3"))
sys.dont_write_bytecode = True
import mkflash  # noqa: E402

TABLE, APP, FS = 0x8000, 0x10000, 0x200000
TEARS = ("before", "after", "prefix", "start", "suffix", "random", "zero", "stray")


def seal(image):
    """The image with its checksum and SHA-256 as they have to be."""
    count, off, checksum = image[1], 24, 0xEF
    for _ in range(count):
        size = struct.unpack_from("<I", image, off + 4)[0]
        for byte in image[off + 8:off + 8 + size]:
            checksum ^= byte
        off += 8 + size
    body = image[:off] + bytes(15 - off % 16) + bytes([checksum])
    return body + (hashlib.sha256(body).digest() if body[23] else b"")


def changed(image, off, data):
    return seal(image[:off] + data + image[off + len(data):])


def longer(image, size):
    """With one more segment, of padding."""
    end = 24
    for _ in range(image[1]):
        end += 8 + struct.unpack_from("<I", image, end + 4)[0]
    return seal(image[:1] + bytes([image[1] + 1]) + image[2:end] + struct.pack("<II", 0, size) + bytes(size))


class Board(rig.Board):
    """A virtual ESP32-C3 with firmware A and files on a littlefs that it has made itself."""

    def run(self, code=None, *options, **kw):
        return super().run(code, *options, **{**kw, "plugin": False})

    def put(self, files):
        for number, (path, data) in enumerate(files.items()):
            source = self.path.with_suffix(f".put{number}")
            source.write_bytes(data)
            tool("put", self.path, f"{source}:{path}")


def with_table(board, rows):
    table = b"".join(rows)
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    board.change(TABLE, table + b"\xff" * (SECTOR - len(table)))


def says(board, code, *wanted, options=()):
    """The sentence of the OSError or ValueError that `code` ends in has these words, and no byte of flash is changed."""
    before = board.flash()
    run = board.run("import molt\ntry:\n " + code + "\n print('nothing was refused')\nexcept (OSError, ValueError) as e:\n"
                    " print(e.args[-1])", *options)
    sentence = run.lines()[-1]
    for words in wanted:
        true(words in sentence, f"{code}: {words!r} is not in: {sentence}")
    same(run.ops, [], f"{code}: flash operations")
    same_bytes(board.flash(), before, f"{code}: flash")


# ---- boards with a partition for frozen modules

FROZEN = next(row for row in mkflash.rows_of(ROOT / "micropython/vport-esp32c3/partitions-frozen.csv") if row[0] == "frozen")


def frozen_table(row=FROZEN, flags=0):
    """The partition table's sector with this row for frozen modules, or without one; the app partition ends where it begins."""
    rows = [r for r in mkflash.rows_of(ROOT / "micropython/vport-esp32c3/partitions-frozen.csv") if r[0] != "frozen"]
    if row:
        rows = [r[:4] + (row[3] - r[3],) if r[0] == "factory" else r for r in rows] + [row]
    table = bytearray(mkflash.table_of(rows))
    if flags:
        end = 32 * len(rows)
        table[end - 4:end] = struct.pack("<I", flags)
        table[end + 16:end + 32] = hashlib.md5(table[:end]).digest()
    return bytes(table).ljust(SECTOR, b"\xff")


@functools.cache
def _started(name, table):
    firmware(name)
    content = bytearray((BUILD / name / "flash.bin").read_bytes())
    content[TABLE:TABLE + SECTOR] = table
    board = Board(content)
    board.run("pass")
    return board.flash()


def fresh(name="c3-A", files=None, table=None):
    """A board with this firmware, a table (frozen_table()) and files, that has been started once."""
    with rig.LOCK_FRESH:
        content = _started(name, table or frozen_table())
    board = Board(content)
    board.put(files or {})
    return board


# ---- power cuts

def cut_runs(board, cuts, until, ranges, *options):
    """What became of each run with one of the cuts: (name, status, digests)."""
    listed = board.path.with_suffix(".cuts")
    listed.write_text("".join(cut + "\n" for cut in cuts))
    command = [ROOT / "vboard/run", board.path, "--icount", "--runs", listed, "--digest",
               ",".join(f"{addr:#x}:{size}" for addr, size in ranges), *(["--until", until] if until else []), *options]
    done = subprocess.run([*map(str, command)], capture_output=True, stdin=subprocess.DEVNULL, text=True, env=ENVIRONMENT)
    rows = [line.split() for line in done.stdout.splitlines()]
    same(len(rows), len(cuts) + 1, f"runs that came to an end ({done.stderr[-300:]})")
    return [(row[0], int(row[1]), row[-len(ranges):], dict(word.split("=") for word in row[2:6])) for row in rows]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def sample(count, step, more):
    """Operations and tears: of each step-th operation one tear, all tears of the first and last ones. more: of some 200 operations."""
    # Odd, as a page is eight operations and there are eight tears.
    step = count // 200 | 1 if more else step
    cuts = [f"{op}:{TEARS[op // step % len(TEARS)]}" for op in range(0, count, step)]
    edge = 8 if more else 1
    for op in [*range(min(edge, count)), *range(max(0, count - edge), count)]:
        cuts += [f"{op}:{tear}" for tear in TEARS]
    return sorted(set(cuts), key=lambda cut: (int(cut.split(":")[0]), cut))
