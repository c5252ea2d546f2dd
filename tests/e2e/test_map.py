#!/usr/bin/env python3
"""Flash maps on the virtual ESP8266, as TAP: what the device says of its own, and the way from one map to another.

    tests/e2e/test_map.py [WORD...]     only the tests with a WORD in their names

Where regions are is asked of the tool (`molt map --json`), which has its own test against MicroPython's sources.
"""
import gzip
import json
import subprocess
import sys

from checks import files_are, landed, refused
from rig import (BUILD, FS_START, SECTOR, SYSTEM_SIZE, Board, firmware, fresh, main, same, same_bytes, scratch, small_program,
                 stored, test, tool, true, user_files)

ROWS = "import molt; molt.map()"


def regions(*words):
    """{kind: (address, size)} of the map that the tool shows for these words."""
    shown = json.loads(tool("map", "--json", *words))
    return shown["map"], {r["kind"]: (r["addr"], r["size"]) for r in shown["regions"]}


def molts(size="4M"):
    return regions("--size", size, "--variant", "molt")[1]


def migrated(board, name, to="molt", status=0):
    """A new board: the old one's flash with another map and the firmware of that name."""
    out = scratch("migrated")
    tool("migrate", board.path, out, "--to", to, "--firmware", BUILD / name / "firmware.bin", status=status)
    return Board(out.read_bytes())


def printed(board):
    """(cells, {kind: (address, size in KB)}) of what molt.map() prints."""
    lines = board.run(ROWS).lines()
    cells, table = {}, {}
    for line in lines:
        words = line.split()
        if len(words) == 2 and words[0].startswith("0x"):
            cells[int(words[0], 0)] = words[1]
        elif len(words) == 10 and words[2].startswith("0x"):
            table[words[1]] = (int(words[2], 0), int(words[4]) * 1024)
    return lines, cells, table


@test
def the_device_says_what_the_tool_says():
    """molt.map() on stock maps and on molt's, 1 MB to 4 MB, prints the regions that the tool finds in the dump"""
    for name, size, fs_start in (("mpy-A", "4M", None), ("mpy-A", "2M", None), ("mpy-A-1M", "1M", None),
                                 ("mpy-A-molt", "4M", molts()["filesystem"][0]), ("mpy-A-molt", "2M", molts()["filesystem"][0]),
                                 ("mpy-A-molt-1M", "1M", molts("1M")["filesystem"][0])):
        board = fresh(name, size, {}, fs_start=fs_start)
        expected_name, expected = regions(board.path)
        lines, cells, table = printed(board)
        true(expected_name in lines[0], f"{name} {size}: {lines[0]!r} names the map {expected_name}")
        same(table, {kind: place for kind, place in expected.items() if kind != "unused"}, f"{name} {size}: the table")
        firmware_sectors = -(-len(firmware(name)) // SECTOR)
        row = "".join(cells[a] for a in sorted(cells))[:firmware_sectors + 1]
        same(row.rstrip("zm"), "F" * firmware_sectors, f"{name} {size}: the firmware's cells")


@test
def migrates_boots_upgrades_and_keeps_every_file():
    """A stock 4 MB board with files is migrated to molt's map, boots, and upgrades from a file that came along"""
    files = {**user_files(), "firmware.bin": firmware("mpy-B-molt")}
    old = fresh("mpy-A", files=files)
    board = migrated(old, "mpy-A-molt")
    fs_start = molts()["filesystem"][0]
    same_bytes(board.flash()[-SYSTEM_SIZE:], old.flash()[-SYSTEM_SIZE:], "the system sectors")
    same(regions(board.path)[0], "molt", "the map")
    true(board.run().runs("mpy-A-molt"), "the firmware for the new map boots")
    files_are(board, files)
    before = board.flash()
    run = board.run("import molt; molt.fwupdate('firmware.bin')")
    true(run.runs("mpy-B-molt"), f"the upgrade comes up: {run.lines()[-3:]}")
    same(landed(board, before, "mpy-B-molt", files, fs_start)["result"], "ok", "status")


@test
def an_upgrade_on_molts_map_survives_power_cuts():
    """On molt's map, too, an upgrade that is cut goes on at the next start"""
    files = {**user_files(), "firmware.bin": firmware("mpy-B-molt")}
    board = fresh("mpy-A-molt", files=files, fs_start=molts()["filesystem"][0])
    before = board.flash()
    board.run("import molt; molt.fwupdate('firmware.bin', reset=False)")
    for cut in (40, 700):
        board.run(cut=f"{cut}:random", status=72)
    board.run(status=None)
    same(landed(board, before, "mpy-B-molt", files, molts()["filesystem"][0])["resumed"], 2, "resumed")


@test
def a_one_megabyte_board_migrates_too():
    """A stock 1 MB board is migrated to molt's map, boots, and has its files"""
    files = {path: data for path, data in user_files().items() if len(data) < 32000}
    board = migrated(fresh("mpy-A-1M", "1M", files), "mpy-A-molt-1M")
    true(board.run().runs("mpy-A-molt-1M"), "the firmware for the new map boots")
    files_are(board, files)
    same(board.run("from flashbdev import bdev; print(bdev.start_sec * 4096, bdev.blocks * 4096)").lines()[-1],
         "%d %d" % molts("1M")["filesystem"], "where the device has its filesystem")


@test
def the_oldest_map_migrates_too():
    """A 4 MB board with the map of MicroPython 1.8 (filesystem at 0x89000) is migrated, boots and has its files"""
    image = scratch("old.bin")
    image.write_bytes(small_program(16))
    files, words = user_files(), []
    for number, (path, data) in enumerate(files.items()):
        scratch(str(number)).write_bytes(data)
        words += ["--put", f"{scratch(str(number))}:{path}"]
    start = regions("--size", "4M", "--variant", "stock-old")[1]["filesystem"][0]
    tool("mkflash", scratch("old"), "--size", "4M", "--firmware", image, "--fs-start", hex(start), *words)
    same(regions(scratch("old"))[0], "stock-old", "the map of the old dump")
    board = migrated(Board(scratch("old").read_bytes()), "mpy-A-molt")
    true(board.run().runs("mpy-A-molt"), "the firmware for the new map boots")
    files_are(board, files)


@test
def frozen_modules_migrate_too():
    """Modules that were added on the device go along, to another firmware and from map to map, and are imported"""
    source = scratch("hello.py")
    source.write_text("def greet():\n    return 'from a frozen module'\n")
    subprocess.run([BUILD / "mpy-cross/mpy-cross", "-o", scratch("hello.mpy"), source], check=True)
    code = "import hello; print(hello.greet())"
    old = fresh("mpy-A", files={"m/hello.mpy": scratch("hello.mpy").read_bytes()})
    old.run("import esp; esp.add_frozen('/m/hello.mpy', 'hello')\nimport os; os.remove('/m/hello.mpy')")
    true("from a frozen module" in old.run(code).out, "it is imported before")
    board = migrated(old, "mpy-B-molt")
    true("from a frozen module" in board.run(code).out, "it is imported afterwards")
    true("from a frozen module" in migrated(board, "mpy-A", to="stock").run(code).out, "and on the way back")


@test
def migration_back_to_the_stock_map_works():
    """From molt's map back to the stock one, nothing is lost either"""
    files = user_files()
    board = migrated(fresh("mpy-A-molt", files=files, fs_start=molts()["filesystem"][0]), "mpy-A", to="stock")
    same(regions(board.path)[1]["filesystem"][0], FS_START, "the filesystem")
    true(board.run().runs("mpy-A"), "the stock firmware boots")
    files_are(board, files)


@test
def native_code_goes_to_its_region_and_runs_from_there():
    """On molt's map @native functions are put into the 32 KB region, again at each reset; boot.py can choose IRAM"""
    code = ("import esp\n@micropython.native\ndef f(x):\n    return x * 2 + 1\n"
            "print(f(20), esp.flash_read(%d, 4) != b'\\xff\\xff\\xff\\xff')\n")
    for name, size in (("mpy-A-molt", "4M"), ("mpy-A-molt-1M", "1M")):
        native = molts(size)["native"]
        board = fresh(name, size, {}, fs_start=molts(size)["filesystem"][0])
        run = board.run(code % native[0])
        same(run.lines()[-1], "41 True", f"{name}: result, and whether it is in flash")
        inside = [op for op in run.ops if native[0] <= op[1] < sum(native)]
        same({op[0] for op in inside}, {"sector", "page"}, f"{name}: operations in the region")
        # More than IRAM has room for (1.8 KB).
        many = "\n".join(f"@micropython.native\ndef f{i}(a, b):\n    return (a + b) * {i} + (a - b) * (a * b) - a // (b + 1)\n"
                         for i in range(20))
        same(board.run(many + "print(f19(2, 1))").lines()[-1], "58", f"{name}: 20 functions")
    board.run("import os\nwith open('boot.py', 'w') as f: f.write('import esp; esp.set_native_code_location(None, None)')")
    run = board.run(code % native[0])
    same([op for op in run.ops if native[0] <= op[1] < sum(native)], [], "operations where boot.py chose IRAM")
    run = fresh("mpy-A", files={}).run(code % molts()["native"][0])
    same(run.lines()[-1], "41 False", "on the stock map it is in IRAM")


@test
def the_user_sectors_are_the_users():
    """molt.user() is where the map has it; a littlefs in it is mounted, and an upgrade leaves it byte for byte"""
    user = molts()["user"]
    files = {"firmware.bin": firmware("mpy-B-molt")}
    board = fresh("mpy-A-molt", files=files, fs_start=molts()["filesystem"][0])
    code = ("import molt, vfs\nb = molt.user_bdev()\nvfs.VfsLfs2.mkfs(b)\nvfs.mount(b, '/user')\n"
            "with open('/user/kept', 'w') as f: f.write('still here')\nprint(molt.user())")
    same(board.run(code).value(), user, "molt.user()")
    before = board.flash()
    same(regions(board.path)[0], "molt", "a second littlefs does not mislead the tool")
    board.run("import molt; molt.fwupdate('firmware.bin')")
    landed(board, before, "mpy-B-molt", files, molts()["filesystem"][0])
    same(board.run("import molt, vfs\nvfs.mount(molt.user_bdev(), '/user')\nprint(open('/user/kept').read())").lines()[-1],
         "still here", "the file")
    stock = fresh("mpy-A", files={})
    same(stock.run("import molt; print(molt.user())").value(), (0, 0), "molt.user() on the stock map")
    refused(stock, "import molt; molt.user_bdev()", "OSError", "no user sectors")


@test
def an_upgrade_keeps_off_the_user_sectors():
    """On 1 MB with molt's map an image that would run into the user's sectors is refused; one that ends there is not"""
    limit = molts("1M")["user"][0]
    program = small_program(16)
    images = {f"{size}.gz": gzip.compress(program + bytes(size - len(program)), 9, mtime=0) for size in (limit, limit + 4)}
    board = fresh("mpy-A-molt-1M", "1M", images, fs_start=molts("1M")["filesystem"][0])
    refused(board, f"import molt; molt.fwupdate('{limit + 4}.gz')", "OSError", "region that is in use")
    true(board.run(f"import molt; print(molt.plan('{limit}.gz'))").value()["refused"] is False, "the other one can be planned")


@test
def an_image_for_another_map_is_refused():
    """An image that would look for the filesystem elsewhere is refused, from Python and by the tool; erase_all gives the files up"""
    fs_start = molts()["filesystem"][0]
    board = fresh("mpy-A", files={"firmware.bin": firmware("mpy-A-molt")})
    refused(board, "molt.fwupdate('firmware.bin')", "OSError", "for another flash map")
    same(board.run("import molt; print(molt.check('firmware.bin')['filesystem'])").value(), fs_start, "check()")
    true("for another flash map" in board.run("import molt; print(molt.plan('firmware.bin')['reason'])").out, "plan()")
    said = tool("upgrade", board.path, "firmware.bin", status=1)
    true("for another flash map" in said and "molt migrate" in said, f"the tool: {said!r}")
    true(f"0x{fs_start:06x}" in tool("info", BUILD / "mpy-A-molt/firmware.bin"), "molt info")
    run = board.run("import molt; molt.fwupdate('firmware.bin', erase_all=True)")
    true(run.runs("mpy-A-molt"), f"with erase_all it comes up: {run.lines()[-3:]}")
    same(board.run("import molt; print(molt.map())").lines()[0].split()[-1], "molt", "the map")


@test
def the_device_says_how_to_migrate():
    """molt.migrate() on a stock map says where to and by which commands, and touches nothing; on molt's it is content"""
    refused(fresh("mpy-A", files={}), "import molt; molt.migrate()", "OSError", "molt migrate FLASH OUT --to molt")
    board = fresh("mpy-A-molt", files={}, fs_start=molts()["filesystem"][0])
    same(board.run("import molt; print(molt.migrate())").lines()[-1], "True", "on molt's map")


@test
def files_that_do_not_fit_are_named_by_how_much():
    """A migration that would lose files is refused, with the amount that is too much, and makes no file"""
    room = molts()["filesystem"][1]
    noise = (firmware("mpy-A") * 6)[:room + 4 * SECTOR]
    old = fresh("mpy-A", files={"big": noise})
    out = scratch("none")
    said = tool("migrate", old.path, out, "--to", "molt", "--firmware", BUILD / "mpy-A-molt/firmware.bin", status=1)
    true("remove " in said and " KB of them" in said, f"the sentence: {said!r}")
    true(not out.exists(), "no dump is made")
    said = tool("migrate", old.path, out, "--to", "molt", status=1)
    true("--firmware" in said and not out.exists(), f"without a firmware for the new map: {said!r}")


@test
def the_firmware_in_a_migrated_dump_has_the_devices_flash_parameters():
    """Flash mode, size and frequency stay the device's own"""
    board = migrated(fresh("mpy-A", files={}, params=b"\x02\x40"), "mpy-A-molt")
    image = stored(firmware("mpy-A-molt"))
    same(board.flash(2, 4), b"\x02\x40", "header bytes")
    same_bytes(board.flash(4, len(image)), image[4:], "the rest of the image", 4)


if __name__ == "__main__":
    sys.exit(main())
