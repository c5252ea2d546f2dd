#!/usr/bin/env python3
"""MicroPython's esp32 port on the virtual ESP32-C3, as TAP: what it has to be like before molt's own tests mean anything.

    BUILD=build tests/vport/test_c3.py [NAME...]     after `make vboard c3-firmwares`
"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import images  # noqa: E402
import tap  # noqa: E402
from tap import same, test, true  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
PATIENCE = float(os.environ.get("PATIENCE", 1))
SCRATCH = tempfile.TemporaryDirectory(prefix="vport-c3-")
THREAD = threading.local()
ENVIRONMENT = {**os.environ, "VBOARD_BUILD": str(BUILD / "vboard")}
ENVIRONMENT.pop("BOOTLOADER", None)
SECTOR, TABLE, FACTORY, FACTORY_END, VFS, CHIP_SIZE = 4096, 0x8000, 0x10000, 0x200000, 0x200000, 0x400000
CUT, APP, DATA = 72, 0, 1
WRITE_MAIN = """with open('main.py', 'w') as f:
    f.write(\"{}\")
"""
STANDARD = [images.esp_row(DATA, 2, 0x9000, 0x6000, "nvs"), images.esp_row(DATA, 1, 0xF000, 0x1000, "phy_init")]


def scratch():
    return THREAD.directory


def board(name="A", rows=None, place=FACTORY, loader=None):
    """A flash file with this firmware; with another table, place or boot loader."""
    flash = bytearray((BUILD / f"c3-{name}/flash.bin").read_bytes())
    image = (BUILD / f"c3-{name}/firmware.bin").read_bytes()
    if rows is not None:
        flash[TABLE:TABLE + SECTOR] = rows.ljust(SECTOR, b"\xff")
    if place != FACTORY:
        flash[FACTORY:FACTORY + len(image)] = b"\xff" * len(image)
        flash[place:place + len(image)] = image
    if loader is not None:
        path = scratch() / "loader.bin"
        subprocess.run([ROOT / "vboard/esp32c3/mkloader", loader, "4", path], check=True)
        flash[:path.stat().st_size] = path.read_bytes()
    path = scratch() / "flash.bin"
    path.write_bytes(flash)
    return path


class Run:
    """Code at the raw REPL: exit status, output, errors, counts, flash operations."""

    def __init__(self, flash, code, *options):
        self.flash = flash
        stats, log = scratch() / "stats", scratch() / "log"
        script = scratch() / "script.py"
        script.write_text(code)
        done = subprocess.run([ROOT / "vboard/run", flash, "--script", script, "--stats", stats, "--log", log, "--timeout", str(60 * PATIENCE), *options],
                              stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=90 * PATIENCE)
        self.status, self.output, self.errors = done.returncode, done.stdout.decode(), done.stderr.decode()
        self.stats = json.loads(stats.read_text())
        self.log = [line.split() for line in log.read_text().splitlines() if line[0] != "-"]

    def value(self):
        """What the last line printed, as Python."""
        true(self.status == 0, f"status {self.status}: {self.output[-400:]} {self.errors[-400:]}")
        return eval(self.output.strip().splitlines()[-1])  # noqa: S307


# ---- start

@test
def a_firmware_comes_to_its_prompt_and_tells_its_name():
    for name in ("A", "B"):
        run = Run(board(name), f"import sys, os, firmware_{name.lower()} as f\nprint((f.only_in_{name.lower()}(), sys.platform, os.uname().version[:9]))")
        same(run.value(), (name, "esp32", f"v1.25.0-{name}"))


@test
def both_dialects_of_the_boot_loader_start_it():
    for dialect in ("4.3", "5.5"):
        same(Run(board(loader=dialect), "print(6 * 7)").value(), 42, dialect)


@test
def one_changed_byte_of_the_image_and_it_is_not_started():
    image = (BUILD / "c3-A/firmware.bin").read_bytes()
    for at in (100, 0x11000, len(image) - 50):
        flash = board()
        content = bytearray(flash.read_bytes())
        content[FACTORY + at] ^= 1
        flash.write_bytes(content)
        done = subprocess.run([ROOT / "vboard/run", flash, "--until", ">>> "], stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=60)
        same(done.returncode, 70, hex(at))


@test
def the_image_is_one_as_esptool_makes_it():
    image = (BUILD / "c3-A/firmware.bin").read_bytes()
    same((image[0], image[23], struct.unpack_from("<H", image, 12)[0]), (0xE9, 1, 5), "magic, hash, chip")
    offset, mapped = 24, []
    for _ in range(image[1]):
        address, size = struct.unpack_from("<II", image, offset)
        offset += 8
        if address >> 24 in (0x3C, 0x42):
            same((FACTORY + offset - address) % 0x10000, 0, hex(address))
            mapped.append(range((address & 0xFFFFFF) // 0x10000, ((address & 0xFFFFFF) + size - 1) // 0x10000 + 1))
        offset += size
    same(struct.unpack_from("<I", image, 32)[0], 0xABCD5432, "the description is the first")
    same(len(mapped), 2, "one for each window")
    true(not set(mapped[0]) & set(mapped[1]), "no page of the table twice")


@test
def the_prompt_speaks_as_mpremote_wants_it():
    run = Run(board(), "raise ValueError('no')")
    same((run.status, "ValueError: no" in run.errors), (1, True))


# ---- filesystem

@test
def a_file_survives_reset_and_power():
    flash = board()
    first = Run(flash, "with open('a', 'w') as f:\n    f.write('hello')\nimport machine\nmachine.reset()")
    true("rst:0x3" in first.output, first.output)
    same(Run(flash, "print((open('a').read(), sorted(__import__('os').listdir('/'))))").value(), ("hello", ["a", "boot.py"]))


@test
def boot_and_main_are_run_and_a_soft_reset_is_one():
    flash = board()
    Run(flash, WRITE_MAIN.format("print('main', __import__('machine').reset_cause())"))
    typed = b"\x04print(6 * 7)\r\n"
    done = subprocess.run([ROOT / "vboard/run", flash, "--timeout", str(60 * PATIENCE)], input=typed, capture_output=True, env=ENVIRONMENT, timeout=90)
    true(re.search(r"main 1.*MPY: soft reboot.*main 5.*42", done.stdout.decode(), re.S), done.stdout.decode()[-600:])


@test
def the_filesystem_is_behind_the_last_partition_or_where_the_table_has_it():
    code = "import esp32, os\np = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='vfs')\nprint([q.info()[:5] for q in p] + [os.statvfs('/')[2]])"
    same(Run(board(), code).value(), [(1, 0x81, VFS, CHIP_SIZE - VFS, "vfs"), (CHIP_SIZE - VFS) // SECTOR])
    own = images.esp_table([*STANDARD, images.esp_row(APP, 0, FACTORY, FACTORY_END - FACTORY, "factory"),
                            images.esp_row(DATA, 0x81, 0x300000, 0x40000, "vfs")])
    same(Run(board(rows=own), code).value(), [(1, 0x81, 0x300000, 0x40000, "vfs"), 64])


# A start that does not find the one file or the other ends in a crash of the board: a load from nowhere.
WATCH = """with open('main.py', 'w') as f:
    f.write('''try:
    assert open('a').read() in ('old' * 400, 'new' * 900)
except Exception:
    __import__('machine').mem32[0x20000000]
''')
with open('a', 'w') as f:
    f.write('old' * 400)
"""


@test
def a_file_is_as_it_was_or_as_it_is_to_be_after_any_cut():
    flash = board()
    same(Run(flash, WATCH + "print(1)").value(), 1)
    code = "with open('b', 'w') as f:\n    f.write('new' * 900)\n__import__('os').rename('b', 'a')\n__import__('machine').reset()"
    listed = scratch() / "runs"
    listed.write_text("".join(f"{n}:{tear}\n" for n in range(0, 90, 2) for tear in ("before", "random", "prefix")))
    done = subprocess.run([ROOT / "vboard/run", flash, "--runs", listed, "--exec", code], capture_output=True, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                          timeout=90 * PATIENCE)
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    same([line[:2] for line in lines if line[1] != "0"], [], "runs that did not come to a whole file")
    true(len(lines) > 60, f"{len(lines)} runs: {done.stderr.decode()[:400]}")
    same(Run(flash, "with open('a', 'w') as f:\n    f.write('x')\n__import__('machine').reset()").status, 71, "what another file would do")


# ---- partitions and flash

@test
def partitions_are_those_before_the_md5():
    behind = images.esp_row(APP, 0x20, 0x6000, 0x1000, "hidden") + images.esp_row(DATA, 0x40, 0x7000, 0x1000, "dummy")
    rows = images.esp_table([*STANDARD, images.esp_row(APP, 0, FACTORY, FACTORY_END - FACTORY, "factory")], behind)
    code = "from esp32 import Partition as P\nprint([p.info()[4] for t in (P.TYPE_APP, P.TYPE_DATA) for p in P.find(t)] + [P(P.RUNNING).info()[4], P(P.BOOT).info()[4]])"
    same(Run(board(rows=rows), code).value(), ["factory", "nvs", "phy_init", "vfs", "factory", "factory"])


@test
def a_program_in_an_ota_slot_knows_where_it_runs_and_selects_the_next():
    rows = images.esp_table([images.esp_row(DATA, 2, 0x9000, 0x4000, "nvs"), images.esp_row(DATA, 0, 0xD000, 0x2000, "otadata"),
                             images.esp_row(APP, 0x10, FACTORY, 0x180000, "ota_0"), images.esp_row(APP, 0x11, 0x190000, 0x180000, "ota_1")])
    flash = board(rows=rows)
    content = bytearray(flash.read_bytes())
    image = (BUILD / "c3-B/firmware.bin").read_bytes()
    content[0x190000:0x190000 + len(image)] = image
    flash.write_bytes(content)
    ask = "from esp32 import Partition as P\nprint([P(P.RUNNING).info()[4], P(P.BOOT).info()[4], P(P.RUNNING).get_next_update().info()[4]])"
    same(Run(flash, ask).value(), ["ota_0", "ota_0", "ota_1"])
    Run(flash, "from esp32 import Partition as P\nP(P.RUNNING).get_next_update().set_boot()")
    same(Run(flash, ask).value(), ["ota_1", "ota_1", "ota_0"], "on trial")
    same(Run(flash, ask).value(), ["ota_0", "ota_0", "ota_1"], "and back: nobody has said that it works")
    Run(flash, "from esp32 import Partition as P\nP(P.RUNNING).get_next_update().set_boot()")
    Run(flash, "from esp32 import Partition as P\nP.mark_app_valid_cancel_rollback()")
    same([Run(flash, ask).value()[0] for _ in range(2)], ["ota_1", "ota_1"])


@test
def a_dangerous_write_aborts_and_changes_nothing():
    for address in (0, TABLE, 0x8C00, 0xFFFC, FACTORY_END - 4):
        flash = board()
        size = 8 if address == 0xFFFC else 4
        run = Run(flash, f"import esp\nesp.flash_write({address:#x}, b'\\0' * {size})\nprint('written')")
        true("abort() was called" in run.output and "written" not in run.output and run.stats["resets"] == 1, (hex(address), run.output[:200]))
        same(flash.read_bytes()[:FACTORY_END], board().read_bytes()[:FACTORY_END], hex(address))
    run = Run(board(), "import esp\nesp.flash_erase(8)\n")
    true("abort() was called" in run.output, run.output)


@test
def after_an_abort_the_cause_is_a_hard_reset():
    flash = board()
    run = Run(flash, WRITE_MAIN.format("print('cause', __import__('machine').reset_cause())") + "import esp\nesp.flash_write(0, b'1234')")
    true("cause 2" in run.output, run.output)


@test
def writes_beside_what_is_dangerous_are_done():
    code = "import esp\nesp.flash_write(0x8C04, b'1234')\nesp.flash_write(0xF000, b'56789')\nb = bytearray(5)\nesp.flash_read(0xF000, b)\nprint(bytes(b))"
    run = Run(board(), code)
    same(run.value(), b"56789")
    same(run.flash.read_bytes()[0x8C04:0x8C08], b"1234")


@test
def esp_flash_functions_are_the_ports():
    flash = board()
    Run(flash, "pass")
    run = Run(flash, """import esp
b = bytearray(300)
esp.flash_erase(0xF)
esp.flash_write(0xF001, bytes(range(200)) + b'x')
esp.flash_read(0xF000, b)
r = [esp.flash_size(), esp.flash_user_start(), b[0], bytes(b[1:201]) == bytes(range(200)), b[202]]
for f, a in ((esp.flash_read, (0x400000, bytearray(4))), (esp.flash_write, (0x3ffffe, b'1234')), (esp.flash_erase, (0x400,))):
    try:
        f(*a)
        r.append('done')
    except OSError as e:
        r.append(e.errno)
esp.flash_read(0x3ffffd, memoryview(b)[:3])
print(r)""")
    same(run.value(), [CHIP_SIZE, 0x200000, 255, True, 255, 5, 5, 5])
    same([line[1:] for line in run.log], [["sector", "0x00f000", "4096"], ["page", "0x00f001", "64"], ["page", "0x00f041", "64"], ["page", "0x00f081", "64"],
                                          ["page", "0x00f0c1", "9"]], "commands of 64 bytes")


@test
def partition_objects_are_the_ports():
    code = """from esp32 import Partition
p = Partition('phy_init')
b = bytearray(8)
p.ioctl(6, 0)
p.writeblocks(0, b'abcdefgh', 0)
p.readblocks(0, b)
r = [bytes(b), p.ioctl(4, 0), p.ioctl(5, 0), p.ioctl(6, 0)]
p.readblocks(0, b)
r.append(bytes(b))
for f, a in ((p.readblocks, (1, b)), (p.readblocks, (2, b)), (p.writeblocks, (0, b)), (Partition, ('none',))):
    try:
        f(*a)
        r.append('done')
    except OSError as e:
        r.append(e.args)
print(r)"""
    same(Run(board(), code).value(), [b"abcdefgh", 1, 4096, 0, b"\xff" * 8, (-0x104, "ESP_ERR_INVALID_SIZE"), (-0x102, "ESP_ERR_INVALID_ARG"),
                                          (-0x104, "ESP_ERR_INVALID_SIZE"), (2,)])


# ---- the rest

@test
def time_is_the_boards_and_no_watchdog_bites():
    run = Run(board(), "import time\nt = time.ticks_ms()\ntime.sleep(12)\nprint(time.ticks_diff(time.ticks_ms(), t))")
    true(12000 <= run.value() < 12100, run.output)
    same(run.stats["watchdog_bites"], 0)


@test
def control_c_stops_what_runs():
    process = subprocess.Popen([ROOT / "vboard/run", board(), "--timeout", str(60 * PATIENCE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=ENVIRONMENT, bufsize=0)
    process.stdin.write(b"print('be' + 'gins')\r\nwhile True: pass\r\n\r\n")
    output = b""

    def read_until(is_there):
        nonlocal output
        while not is_there():
            data = os.read(process.stdout.fileno(), 4096)
            true(data, f"the board has ended: {output[-400:]}")
            output += data

    read_until(lambda: b"begins\r\n" in output and output.endswith(b"... \r\n"))
    process.stdin.write(b"\x03")
    read_until(lambda: b"KeyboardInterrupt" in output)
    process.stdin.close()
    same(process.wait(timeout=60), 0)
    process.stdout.close()


@test
def native_code_runs_and_memory_is_collected():
    code = "import gc\n@micropython.native\ndef f(x):\n    return x * 2\nfor i in range(2000):\n    bytearray(1000)\nprint((f(21), gc.mem_free() > 60000))"
    same(Run(board(), code).value(), (42, True))


def in_folder(function):
    THREAD.directory = pathlib.Path(SCRATCH.name) / function.__name__
    THREAD.directory.mkdir()
    function()


if __name__ == "__main__":
    sys.exit(tap.main(sys.argv[1:], in_folder, os.cpu_count()))
