"""Boards whose firmware has no molt, and the package on them."""
import functools
import json
import os
import subprocess
import sys

from rig import BUILD, FS_START, SYSTEM_SIZE, WORK, Skip, fresh, same_bytes, scratch, test, tool, true, user_files

STOCK = os.environ.get("STOCK", "stock-A")
ALL = "--all" in sys.argv
PREPARE = "import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)\n"


def in_full(function):
    """A test of --all only."""
    return test(function) if ALL else function


@functools.cache
def package():
    """The files of build/mip, where mip puts them."""
    folder = BUILD / "mip"
    if not (folder / "package.json").exists():
        raise Skip("there is no build/mip: make mip")
    names = [name for name, _ in json.loads((folder / "package.json").read_text())["urls"]]
    return {f"lib/{name}": (folder / name).read_bytes() for name in names}


@functools.cache
def source_package():
    """The same as Python source: for tests that look inside, as in the .mpy files names are others."""
    folder = BUILD / "mip/source"
    package()
    return {f"lib/{path.relative_to(folder)}": path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def stock(files, name=STOCK, size="4M", **settings):
    """A board with a stock firmware, the package and files."""
    return fresh(name, size, {**package(), **files}, **settings)


@functools.cache
def gzip_of(name, window="4K"):
    """A firmware as `molt compress` packs it."""
    out = WORK / f"{name}-{window}.gz"
    WORK.mkdir(parents=True, exist_ok=True)
    tool("compress", BUILD / name / "firmware.bin", out, "--window", window)
    return out.read_bytes()


def with_image(image, path="firmware.bin"):
    return {**user_files(), path: image}


def _c_engine(flash, *words):
    """What the C engine (same_job.c) makes of these bytes of flash."""
    again = scratch("again")
    again.write_bytes(flash)
    done = subprocess.run([BUILD / "host/same_job", again, *map(str, words)], capture_output=True, text=True, timeout=60)
    true(done.returncode == 0, f"the C engine takes it: {done.stdout}{done.stderr}")
    return again.read_bytes()


def same_as_c_job(board, before, path="firmware.bin", fs_start=FS_START, erase_all=False):
    """What the Python engine prepared on the board is what the C job makes on the same flash: molt.head is held to what is to be
    saved byte for byte, and the boot sector is the same. `before`: sector 0 as it was."""
    flash = board.flash()
    words = [fs_start, len(flash) - SYSTEM_SIZE - fs_start, path, *(["erase_all"] if erase_all else [])]
    same_bytes(flash, _c_engine(before + flash[len(before):], *words), "flash as the C job prepares it")


def same_as_c_engine(board, code, *commands):
    """What the code makes of all of flash on the board, the C engine makes of it too by these commands (same_job.c)."""
    flash = board.flash()
    board.run(code, timeout=120)
    for words in commands:
        flash = _c_engine(flash, *words)
    same_bytes(board.flash(), flash, f"flash after {commands}")
