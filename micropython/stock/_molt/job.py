"""One upgrade: src/job/job.c, in its order. Only commit() writes, and who calls it has saved the first sector before."""

import _molt
from _molt import BUFFER, forget, load_sums, part

_SECTOR = const(4096)


class Upgrade:
    """`path` is inside the filesystem and, this being the root's, outside too."""

    def __init__(self, path, fs_addr, fs_size, safe_check=True, erase_all=False, verbose=False, drop_frozen=False,
                 is_fallback=False, progress=None):
        self.path = path
        self.fs_addr = self.device_fs = fs_addr
        self.fs_size = fs_size
        self.erase_all = erase_all
        self.safe_check = safe_check
        self.buf = BUFFER
        self._verbose = verbose
        self._progress = progress
        self.sums = load_sums()
        try:
            part("look").look(self)
        finally:
            forget("look")

    def tell(self, phase, text):
        """What is called with (bytes done, all): prints, and calls the user's function, some ten times."""
        shown = [-10]

        def tell_some(done, total):
            percent = done // (total // 100 + 1)
            if percent >= shown[0] + 10:
                shown[0] = percent
                if self._verbose:
                    print("\rmolt: %s %u%%  " % (text, percent), end="")
                if self._progress:
                    self._progress(phase, done, total)

        return tell_some

    def end_progress(self, phase):
        if self._verbose:
            print("\r                             \r", end="")
        if self._progress:
            self._progress(phase, self.size, self.size)

    def image(self):
        return self.facts

    def plan(self):
        _molt.resident()
        is_prepared = part("lay").read_header()
        forget("lay")
        if is_prepared:
            raise part("text").error(16, "pending")
        try:
            part("plan").make(self)
        except OSError as e:
            raise part("look").explained(e, "flash")
        finally:
            forget("look", "plan", "place", "text")
        return self.tally

    def saved(self, off, buf):
        """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
        return part("put").saved(self, off, buf)

    def saved_size(self):
        return _SECTOR + 16

    def store(self, name):
        """Hold the saved file to what was to be saved, and make the boot sector. Nothing counts yet."""
        part("put").store(self, name)

    def commit(self, _):
        """The next reset upgrades."""
        try:
            part("put").commit(self)
        finally:
            forget("put", "text")
