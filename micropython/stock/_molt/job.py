"""One upgrade: src/job/job.c, in its order. Only store() and commit() write, and who calls them has saved what is to be saved."""

from _molt import forget, load_sums, part


def _run(name, job):
    # A function of its own: where a call was made from, something of what was called can stay.
    part(name).run(job)


class Upgrade:
    """`path` is inside the filesystem and, this being the root's, outside too.

    size, crc32, sha1  of the image; of a gzip file those of what is in it
    file_size, file_crc, extents  of the file
    kept        bytes of the file that the image's first sector comes from
    reserved    address of the reserved region in resident mode, else 0
    shape       of the plan: begin.py
    todo        of the plan: the steps that there is something to do in, a bit each
    """

    def __init__(self, path, fs_addr, fs_size, safe_check=True, erase_all=False, verbose=False, drop_frozen=False,
                 is_fallback=False, progress=None):
        # Taken now, when there is one in one piece.
        self.buf = bytearray(64 + 512)
        self.path = path
        self.fs_addr = fs_addr
        self.fs_size = fs_size
        self.erase_all = erase_all
        self.safe_check = safe_check
        self.is_fallback = is_fallback
        self._verbose = verbose
        self._progress = progress
        self.sums = load_sums()
        self._do("no_bytes", "find", "gzip", "image", "segments", "kind", "verify", "judge", "recheck")

    def _do(self, otherwise, *names):
        """Let parts do their share, one after the other. Raises OSError with its sentence; `otherwise` names it where it has none."""
        self._shown = None
        try:
            for name in names:
                forget()
                _run(name, self)
            self._clear()
            if self._shown:
                self._end()
        except OSError as e:
            self._clear()
            raise part("text").explained(e, otherwise)
        finally:
            forget()

    def tell(self, phase, text):
        """What is called with (bytes done, all): prints, and calls the user's function, some ten times and at a phase's end."""
        if self._shown and self._shown[0] != phase:
            self._end()
        self._shown = shown = [phase, -10, 0]

        def tell_some(done, total):
            percent = done // (total // 100 + 1)
            # A gzip file is gone through more than once.
            if percent >= shown[1] + 10 or percent < shown[1]:
                shown[1:] = percent, total
                if self._verbose:
                    print("\rmolt: %s %u%%  " % (text, percent), end="")
                if self._progress:
                    self._progress(phase, done, total)

        return tell_some

    def _end(self):
        phase, _, total = self._shown
        self._shown = None
        if self._progress:
            self._progress(phase, total, total)

    def _clear(self):
        if self._verbose and self._shown:
            print("\r                             \r", end="")

    def image(self):
        return self.facts

    def plan(self):
        self._do("flash", "fit", "begin", "compare", "finish")
        return self.tally

    def saved(self, off, buf):
        """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
        return part("head").saved(self, off, buf, self._head_size)

    def saved_size(self):
        self._head_size = 0 if self.reserved else part("head").saved_size(self)
        return self._head_size

    def store(self, name):
        """What the boot loader will need is in flash, and right. Nothing counts yet."""
        self.saved_name = name
        if self.reserved:
            self._do("flash", "slots")
        else:
            self._do("flash", "head", "boot")

    def commit(self, starts):
        """The next reset upgrades."""
        forget()
        try:
            part("slots" if self.reserved else "boot").commit(self, starts)
        finally:
            forget()
