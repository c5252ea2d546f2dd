"""molt's engine for a firmware that has none: what the C module `_molt` has, in Python, on `esp` of a stock firmware.

molt.py and what it calls stand on either. A firmware with molt in it has a built-in `_molt`, which comes first.

Memory is short, so the parts are modules that are loaded when they are needed and forgotten afterwards; what native code they
have stays in IRAM, and they are kept. A name is never given back: all parts are imported by one, from a filesystem that is mounted
for it.
"""

import gc
import sys
import uos

FOLDER = __path__ if __path__[0] == "/" else uos.getcwd().rstrip("/") + "/" + __path__
__path__ = "/_molt"

# In which part the functions are that the C module has.
_PARTS = {
    "lookup": "ask",
    "sha256": "ask",
    "pending": "ask",
    "cancel": "ask",
    "report": "ask",
    "resident": "ask",
    "resident_end": "slots",
    "resident_install": "install",
    "resident_uninstall": "install",
    "Upgrade": "job",
}

_loaded = {}
_sums = None


class _Files:
    """The filesystem: p.mpy in it is the part that is wanted, out of parts.bin; p.py is its source, where there is no parts.bin."""

    def mount(self, *_):
        pass

    def umount(self):
        pass

    def stat(self, path):
        if path[2:] != (".mpy" if self.file else ".py"):
            raise OSError(2)
        return 0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0

    def open(self, *_):
        return self.file or open(FOLDER + "/" + self.name + ".py", "rb")

    def find(self, name):
        """The parts' file at the beginning of one of them, or None. Its first lines say where they are."""
        self.name = name
        self.file = None
        try:
            f = open(FOLDER + "/parts.bin", "rb")
        except OSError:
            return
        for line in f:
            if line == b"\n":
                f.close()
                return
            found, off = line.split()
            if found.decode() == name:
                f.seek(int(off))
                self.file = f
                return


_files = _Files()


def part(name):
    """A part of the package."""
    if name not in _loaded:
        _files.find(name)
        uos.mount(_files, __path__)
        try:
            _loaded[name] = __import__("_molt.p", None, None, ("p",))
        except (ImportError, OSError, ValueError):
            raise OSError(84, "molt's package is not whole: _molt/parts.bin is missing or damaged; install it again")
        finally:
            _files.file = None
            uos.umount(__path__)
            sys.modules.pop("_molt.p", None)
            globals().pop("p", None)
    return _loaded[name]


def forget():
    """Give back the memory of the parts. (What an object or a caller has of one stays until that is gone.)"""
    _loaded.clear()
    sweep()


def sweep():
    """Collect garbage, also what is only left on the stack of earlier calls."""
    _overwrite(6)
    gc.collect()


def _overwrite(depth):
    if depth:
        _overwrite(depth - 1)


def load_sums():
    """The part that sums: native code as it comes, or from its source where it is another MicroPython's, or slow.py where no IRAM
    is left for it."""
    global _sums
    for name in ("sums", "sums_source", "slow"):
        try:
            _sums = _sums or part(name)
        except (MemoryError, OSError):
            pass
    return _sums


def flush():
    """Nothing: of open files this engine has no list."""


def __getattr__(name):
    """The functions of the C module; AttributeError for those that only that one has."""
    if name not in _PARTS:
        raise AttributeError(name)

    def call(*args, **options):
        try:
            return _call(name, args, options)
        finally:
            forget()

    return call


def _call(name, args, options):
    # A function of its own: where a call was made from, something of what was called can stay.
    return getattr(part(_PARTS[name]), name)(*args, **options)


# Names stay in memory: they had better be there now, and not in between.
part("names")
forget()
