"""molt's engine for a firmware that has none: what the C module `_molt` has, in Python, on `esp` of a stock firmware.

molt.py and what it calls stand on either. A firmware with molt in it has a built-in `_molt`, which comes first.

Memory is short, so each function is a part of its own: a module that is loaded when it is needed and forgotten afterwards. What
native code there is stays in IRAM, and is kept. A name is never given back: all parts are imported by one, from a filesystem that is
mounted for it.
"""

import gc
import sys
import uos

FOLDER = __path__ if __path__[0] == "/" else uos.getcwd().rstrip("/") + "/" + __path__
__path__ = "/_m"  # not the folder itself, which may be /_molt

# Characters of a line in parts.bin.
_LINE = const(25)

_loaded = {}

# The part that sums, once it is there: load.py.
sums = None

# Of open files this engine has no list.
flush = gc.collect


class _Files:
    """The filesystem: read.mpy in it is the part that is wanted, out of parts.bin; read.py is its source, where there is no parts.bin."""

    def mount(self, *_):
        pass

    umount = mount

    def stat(self, path):
        # Asked for are /read, /read.py and /read.mpy.
        if len(path) != (9 if self.file else 8):
            raise OSError(2)
        return (0x8000,) + (0,) * 9

    def open(self, *_):
        return self.file or open(FOLDER + "/" + self.name + ".py", "rb")

    def find(self, name):
        """self.file: the parts' file at the beginning of one of them, or None. Its lines say how many there are, and where, in the order
        of their names. AttributeError where there is no such part."""
        self.name = name
        self.file = None
        try:
            f = open(FOLDER + "/parts.bin", "rb")
        except OSError:
            try:
                return uos.stat(FOLDER + "/" + name + ".py")
            except OSError:
                raise AttributeError(name)
        low = 0
        high = int(f.read(_LINE))
        while low < high:
            middle = (low + high) // 2
            f.seek(_LINE + _LINE * middle)
            found, off = f.read(_LINE).decode().split()
            if found == name:
                f.seek(int(off))
                self.file = f
                return
            if found < name:
                low = middle + 1
            else:
                high = middle
        f.close()
        raise AttributeError(name)


_files = _Files()


def part(name):
    """A part of the package."""
    if name not in _loaded:
        gc.collect()
        uos.mount(_files, __path__)
        try:
            _files.find(name)
            _loaded[name] = __import__("_molt.read", None, None, ("read",))
        except (AttributeError, ImportError, OSError, ValueError):
            raise OSError(84, "molt's package is not whole: _molt/parts.bin is missing or damaged; install it again")
        finally:
            _files.file = None
            uos.umount(__path__)
            sys.modules.pop("_molt.read", None)
            globals().pop("read", None)
    return _loaded[name]


def forget():
    """Give back the memory of the parts, and of a module that parts use. (What an object or a caller has of one stays until that is
    gone.)"""
    _loaded.clear()
    sys.modules.pop("molt_chip", None)
    sweep()


def sweep():
    """Collect garbage, also what is only left on the stack of earlier calls."""
    _overwrite(6)
    gc.collect()


def _overwrite(depth):
    if depth:
        _overwrite(depth - 1)


def _call(name, args, options, prefix=""):
    # A function of its own: where a call was made from, something of what was called can stay.
    return getattr(part(prefix + name), name)(*args, **options)


def do(name, args, options={}):
    """Call a function of the modules that a firmware with molt has, which is a part by itself here."""
    try:
        return _call(name, args, options, "do_")
    finally:
        forget()


def go(job, otherwise, *names):
    """Let parts do their share of a job, one after the other. Raises OSError with its sentence; `otherwise` names it where it has none."""
    try:
        for name in names:
            forget()
            _call(name, (job,), {})
        if job.shown:
            _call("end", (job, True), {})
    except OSError as e:
        forget()
        raise part("text").explained(job, e, otherwise)
    except MemoryError:
        job.unpacked = None
        forget()
        raise part("no_heap").no_heap(job)
    finally:
        forget()


class Upgrade:
    """One upgrade: what is in it says job.py, what it does the parts of these names."""

    def __init__(self, *args, **options):
        sweep()
        _call("job", (self,) + args, options)
        go(self, "no_bytes", "find", "gzip", "measure", "header", "pieces", "family", "ready", "padding", "verify", "marks", "judge", "recheck")

    def __getattr__(self, name):
        return lambda *args: _call(name, (self,) + args, {})


def __getattr__(name):
    """The functions of the C module; AttributeError for those that only that one has."""
    _files.find(name)

    def call(*args, **options):
        try:
            return _call(name, args, options)
        finally:
            forget()

    return call


# Names stay in memory: they had better be there now, and not in between.
part("names")
part("package").package()
forget()
