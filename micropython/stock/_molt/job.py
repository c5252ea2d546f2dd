"""One upgrade: src/job/job.c, in its order. Nothing is written but by store()'s caller, who saves the first sector, and commit()."""

import esp
import uos
import _molt
from _molt import BUFFER, FOLDER, forget, load_sums, part

_SECTOR = const(4096)


class Upgrade:
    """`path` is inside the filesystem and, this being the root's, outside too."""

    def __init__(self, path, fs_addr, fs_size, safe_check=True, erase_all=False, verbose=False, drop_frozen=False, is_fallback=False,
                 progress=None):
        self._path = path
        self.fs_addr = self.device_fs = fs_addr
        self.fs_size = fs_size
        self.erase_all = erase_all
        self._safe_check = safe_check
        self._verbose = verbose
        self._progress = progress
        self._plan = None
        self._buf = BUFFER
        self._sums = load_sums()
        try:
            self._find()
            self._check()
        except OSError as e:
            raise self._explained(e, "no_bytes")
        finally:
            forget("image", "verify", "foreign", "place", "text")

    def _explained(self, e, name):
        """An error with its sentence: the one it has, or that of this name."""
        if len(e.args) > 1:
            return e
        names = {2: "no_file", 20: "not_a_directory", 21: "a_directory", 95: "inline", 84: "fs_damaged"}
        return part("text").error(e.errno, names.get(e.errno, name))

    def _find(self):
        place = part("place")
        if uos.stat(self._path)[0] & 0x4000:
            raise OSError(21)
        self.size, self.extents = place.extents(self._path, self.fs_addr // _SECTOR, self.fs_size // _SECTOR)
        if self.size < 1024:
            # littlefs keeps small files in their directory.
            with open(self._path, "rb") as f:
                if not self.size or esp.flash_read(place.addr(self.extents, 0)[0], 1024)[:self.size] != f.read():
                    raise OSError(95)
        forget("place")

    def _check(self):
        tell = self._tell("image", "checking image")
        with open(self._path, "rb") as f:
            code = part("image")
            headers = code.parse(f, self.size)
            kind = code.KINDS[headers[1]]
            del code
            forget("image")
            check = part("verify").Check(f, headers, self._sums)
            if self._safe_check:
                check.verify(self._buf, tell)
            else:
                check.sum(self._buf, tell)
        self.crc32 = check.crc32
        self.sha1 = check.sha1
        self.image_fs = check.fs_addr
        self._facts = (kind, "ESP8266", self.size, len(headers[3]), self.crc32, self.image_fs or None, check.version)

    def _tell(self, phase, text):
        """What is called with (bytes done, all): prints, and calls the user's function, some ten times."""
        shown = [-10]

        def tell(done, total):
            percent = done // (total // 100 + 1)
            if percent >= shown[0] + 10:
                shown[0] = percent
                if self._verbose:
                    print("\rmolt: %s %u%%  " % (text, percent), end="")
                if self._progress:
                    self._progress(phase, done, total)

        return tell

    def _end_progress(self, phase):
        if self._verbose:
            print("\r                             \r", end="")
        if self._progress:
            self._progress(phase, self.size, self.size)

    def image(self):
        return self._facts

    def present_params(self):
        """Bytes 2 and 3 of the header that the device starts with. Read twice: with wrong ones it would not start again."""
        params = esp.flash_read(0, 4)
        if params != esp.flash_read(0, 4):
            raise part("text").error(5, "flash")
        return params[2:4]

    def _kept(self):
        """Where regions begin that an image may not reach into: ROMFS, and what is behind the filesystem."""
        import vfs

        addrs = [self.fs_addr + self.fs_size]
        ioctl = getattr(vfs, "rom_ioctl", None)
        if ioctl and ioctl(1) > 0:
            from uctypes import addressof

            addrs.append(addressof(ioctl(2, 0)) - 0x40200000)
        return addrs

    def plan(self):
        _molt.resident()
        is_prepared = part("lay").read_header()
        forget("lay")
        if is_prepared:
            raise part("text").error(16, "pending")
        try:
            self._make_plan()
        except OSError as e:
            raise self._explained(e, "flash")
        finally:
            forget("ask", "lay", "plan", "place", "text")
        return self._tally

    def _make_plan(self):
        plan = part("plan").Plan(self, self._kept(), uos.stat(FOLDER + "/loader.bin")[6])
        if self._safe_check:
            if not plan.check_source(self._sums, self._buf, self.crc32, self._tell("file", "checking file")):
                raise part("text").error(5, "extents")
        with open(self._path, "rb") as f:
            if not plan.compare(self._sums, self._buf, f, self._tell("compare", "comparing")):
                raise OSError(5)
        self._end_progress("compare")
        plan.finish()
        self._tally = plan.tally()
        self._plan = plan.result()

    def saved(self, off, buf):
        """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
        view = memoryview(buf)
        if off < _SECTOR:
            size = min(len(buf), _SECTOR - off)
            esp.flash_read(off, view[:size])
            return size
        rest = part("put").report(self.crc32)[off - _SECTOR:]
        buf[:len(rest)] = rest
        return len(rest)

    def saved_size(self):
        return _SECTOR + 16

    def store(self, name):
        """Hold the saved file to what was to be saved, and make the boot sector. Nothing counts yet."""
        put = part("put")
        lay = part("lay")
        try:
            extents = part("place").extents("/" + name, self.fs_addr // _SECTOR, self.fs_size // _SECTOR)[1]
            self._saved = put.check_head(self._sums, self._buf, extents, self.crc32)
        except OSError:
            self._saved = None
        if not self._saved:
            raise part("text").error(84, "saved", "; try again, and if that does not help format it again")
        if not lay.is_spared(self, self._saved[0], _SECTOR) or not lay.is_spared(self, self._saved[2], 16):
            raise part("text").refused(34, "overlaps_saved", self.size, self._saved[0])
        with open(FOLDER + "/loader.bin", "rb") as loader:
            lay.lay(self, self._plan, self._sums, self._buf, loader, self._saved)
        forget("lay", "place")

    def commit(self, _):
        """The next reset upgrades."""
        put = part("put")
        if not put.write_first(self._buf):
            put.put_back(self._sums, self._buf, self._saved[0], self._saved[1])
            raise part("text").error(5, "flash")
        forget("put")
