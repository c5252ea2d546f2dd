"""What the tests of dynamic frozen modules share: .mpy files, boards with them, and the firmware that is tested.

FIRMWARE=mpy2-A in the environment takes the firmware of the second MicroPython, with its own mpy-cross and sources.
"""
import os
import subprocess

from rig import BUILD, Skip, firmware, fresh, main, scratch

NAME = os.environ.get("FIRMWARE", "mpy-A")
CROSS = BUILD / ("mpy2-cross" if NAME.startswith("mpy2") else "mpy-cross") / "mpy-cross"
MICROPY = BUILD / ("micropython2" if NAME.startswith("mpy2") else "micropython")


def compile_mpy(source, *options):
    path = scratch("compiled.py")
    path = path.with_name(f"{path.stem}{os.urandom(4).hex()}.py")
    path.write_text(source)
    out = path.with_suffix(".mpy")
    try:
        subprocess.run([CROSS, "-s", "module.py", *options, "-o", out, path], check=True, capture_output=True)
        return out.read_bytes()
    finally:
        path.unlink()
        out.unlink(missing_ok=True)


def board_with(**modules):
    """A board with .mpy files in /m, out of the way of imports."""
    return fresh(NAME, files={f"m/{name.replace('__', '.')}.mpy": compile_mpy(source) if isinstance(source, str) else source
                              for name, source in modules.items()})


def say(run):
    return run.out.replace("\r", "").strip()


def listed(board):
    """What ls_frozen() returns, after a cold start."""
    return board.run("import esp\nprint(esp.ls_frozen())").value()


def main_or_skip():
    """rig.main(), or one line that says why there is nothing to run."""
    try:
        firmware(NAME)
    except Skip as skip:
        why = "; no second MicroPython was to be had, MICROPY_DIR_2=<checkout> names one" if NAME.startswith("mpy2") else ""
        print(f"1..1\nok 1 - dynamic frozen modules with {NAME} # SKIP {skip}{why}")
        return 0
    return main()
