"""molt's engine for a firmware that has none: what the C module `_molt` has, in Python, on `esp` of a stock firmware.

molt.py and what it calls stand on either. A firmware with molt in it has a built-in `_molt`, which comes first.

Memory is short, so the parts are modules that are imported when they are needed and forgotten afterwards; what native code
they have stays in IRAM and is kept.
"""

import gc
import sys

FOLDER = __path__

# The one large piece of memory that everything is done in: a sector, and some bytes in front. It is taken now, when there is one.
BUFFER = bytearray(64 + 4096)


def part(name):
    """A part of the package."""
    return __import__("_molt." + name, None, None, (name,))


def forget(*names):
    """Give back the memory of parts."""
    for name in names:
        sys.modules.pop("_molt." + name, None)
        globals().pop(name, None)
    gc.collect()


def load_sums():
    """The part that sums: native code as it comes, or from its source where it is another MicroPython's, or slow.py where no IRAM
    is left for it."""
    for name in ("sums", "sums_source"):
        try:
            return part(name)
        except (ImportError, MemoryError, ValueError):
            pass
    return part("slow")


def _ask(name, *args):
    try:
        return getattr(part("ask"), name)(*args)
    finally:
        forget("ask", "text", "place", "lay", "put", "package")


def lookup(path):
    return _ask("lookup", path)


def sha256(f):
    return _ask("sha256", f)


def pending():
    return _ask("pending")


def cancel():
    return _ask("cancel")


def report(data):
    return _ask("report", data)


def resident():
    return _ask("resident")


def flush():
    """Nothing: of open files this engine has no list."""


def _is_missing(*_):
    raise OSError(95, "this is a part of firmwares with molt in them; molt.fwupdate() makes this one such a firmware")


resident_install = resident_uninstall = resident_end = map = map_find = programmed = _is_missing


def Upgrade(*args, **options):
    try:
        return part("job").Upgrade(*args, **options)
    finally:
        # The object has its code.
        forget("job", "image", "verify", "foreign", "place", "text")
