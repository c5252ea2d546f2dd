"""molt's engine for a firmware that has none: what the C module `_molt` has, in Python, on `esp` of a stock firmware.

molt.py and molt_upgrade.py stand on either. A firmware with molt in it has a built-in `_molt`, which comes first.

Memory is short, so the parts are modules that are imported when they are needed and forgotten afterwards; what native code
they have stays in IRAM and is kept.
"""

import esp
import gc
import sys
import uos

_SECTOR = const(4096)
_KEPT = const(64)

FOLDER = __path__

# What is missing here, and what to do.
_RESIDENT = ("this is part of a firmware with molt in it, which this one is not; upgrade to one by molt.fwupdate(file_name) first")


def _part(name):
    """A part of the package."""
    return __import__("_molt." + name, None, None, (name,))


def _forget(*names):
    """Give back the memory of parts."""
    for name in names:
        sys.modules.pop("_molt." + name, None)
        globals().pop(name, None)
    gc.collect()


def _error(*words):
    return _part("text").error(*words)


def _sums():
    try:
        return _part("sums")
    except (MemoryError, ValueError):
        # No IRAM is left, or it is the source of a compiler without native code.
        return _part("slow")


# ---- files

def lookup(path):
    """(mount point, path inside it, block device, whether it is a littlefs) of the filesystem that holds an absolute path.

    Only the filesystem of flashbdev is known here, at the root; of another one the block device is None.
    """
    from flashbdev import bdev

    _part("package").check()
    _forget("package")
    place = _part("place")
    try:
        fs = place.volume(bdev.start_sec, bdev.blocks)[0]
    except OSError:
        return "/", path, bdev, False
    finally:
        _forget("place")
    try:
        is_here = fs.stat(path)[6] == uos.stat(path)[6]
    except OSError:
        # Where nobody has it, it is missing here.
        is_here = not _is_somewhere(path)
    return "/", path, bdev if is_here else None, True


def _is_somewhere(path):
    try:
        uos.stat(path)
        return True
    except OSError:
        return False


def flush():
    """Nothing: of open files this engine has no list."""


def sha256(f):
    """The digest of an open file's bytes, from where it is to its end."""
    from uhashlib import sha256

    digest = sha256()
    buf = bytearray(512)
    while True:
        size = f.readinto(buf)
        if not size:
            return digest.digest()
        digest.update(memoryview(buf)[:size])


# ---- what is prepared

def _header():
    header = _part("plan").read_header()
    _forget("plan")
    return header


def pending():
    """None, or (image size, image CRC, whether the filesystem will be erased)"""
    header = _header()
    if not header:
        return None
    version, size, crc, fs_size, _, _, extents_off, plan_crc = header
    if version != 2 or extents_off > _SECTOR - 132:
        return None
    found = 0
    sums = _sums()
    for off in range(extents_off, _SECTOR - 4, 64):
        found = sums.crc32(found, esp.flash_read(off, min(64, _SECTOR - 4 - off)))
    return (size, crc, fs_size != 0) if found == plan_crc else None


def cancel():
    """Whether an upgrade was prepared; it is not any more."""
    if not pending():
        return False
    _, _, _, _, head, crc, _, _ = _header()
    buf = bytearray(_SECTOR)
    result = _part("put").put_back(_sums(), buf, head, crc)
    _forget("put")
    if result is None:
        raise _error(84, "saved_changed")
    if not result:
        raise _error(5, "sector_0")
    return True


def report(data):
    """None, or (image CRC, 0 pending | 1 done | 2 restored, starts of the boot loader)"""
    from ustruct import unpack

    if len(data) < 16 or data[:4] != b"MRP1":
        return None
    crc, starts, result = unpack("<4x3I", data)
    count = 0
    for bit in range(32):
        count += not starts >> bit & 1
    return crc, 2 if result >> 16 != 0xFFFF else 1 if result & 0xFFFF != 0xFFFF else 0, count


# ---- resident mode

def resident():
    """None. Raises OSError where the device is in resident mode, which this engine does not know."""
    for _ in range(3):
        if esp.flash_read(_SECTOR - 32, 4)[:3] == b"MRS":
            raise _error(95, "is_resident")


def resident_install(*_):
    raise OSError(95, _RESIDENT)


resident_uninstall = resident_end = map = map_find = programmed = resident_install


# ---- the upgrade

class Upgrade:
    """One upgrade: src/job/job.c. `path` is inside the filesystem and, this being the root's, outside too."""

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
        self._buf = bytearray(_KEPT + _SECTOR)
        self._sums = _sums()
        try:
            self._find()
            self._check()
        except OSError as e:
            raise self._explained(e, "no_bytes")
        finally:
            _forget("image", "foreign", "place", "text")

    def _explained(self, e, name):
        """An error with its sentence: the one it has, or that of this name."""
        if len(e.args) > 1:
            return e
        names = {2: "no_file", 20: "not_a_directory", 21: "a_directory", 95: "inline", 84: "fs_damaged"}
        return _error(e.errno, names.get(e.errno, name))

    def _find(self):
        place = _part("place")
        if uos.stat(self._path)[0] & 0x4000:
            raise OSError(21)
        self.size, self.extents = place.extents(self._path, self.fs_addr // _SECTOR, self.fs_size // _SECTOR)
        if self.size < 1024:
            # littlefs keeps small files in their directory.
            with open(self._path, "rb") as f:
                if not self.size or esp.flash_read(place.addr(self.extents, 0)[0], 1024)[:self.size] != f.read():
                    raise OSError(95)
        _forget("place")

    def _check(self):
        part = _part("image")
        with open(self._path, "rb") as f:
            image = part.Image(f, self.size)
            if self._safe_check:
                image.verify(self._sums, self._buf, self._tell("image", "checking image"))
            else:
                image.sum(self._sums, self._buf, self._tell("image", "checking image"))
        self.crc32 = image.crc32
        self.sha1 = image.sha1
        self.image_fs = image.fs_addr
        self._facts = (part.KINDS[image.kind], "ESP8266", self.size, image.segment_count(), self.crc32, self.image_fs or None,
                       image.version)

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
            raise _error(5, "flash")
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
        resident()
        if _header():
            raise _error(16, "pending")
        try:
            self._make_plan()
        except OSError as e:
            raise self._explained(e, "flash")
        finally:
            _forget("place", "text")
        tally = self._plan.tally()
        return tally

    def _make_plan(self):
        plan = _part("plan").Plan(self, self._kept(), uos.stat(FOLDER + "/loader.bin")[6])
        if self._safe_check:
            if not plan.check_source(self._sums, self._buf, self.crc32, self._tell("file", "checking file")):
                raise _error(5, "extents")
        with open(self._path, "rb") as f:
            if not plan.compare(self._sums, self._buf, f, self._tell("compare", "comparing")):
                raise OSError(5)
        self._end_progress("compare")
        plan.finish()
        self._plan = plan

    def saved(self, off, buf):
        """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
        view = memoryview(buf)
        if off < _SECTOR:
            size = min(len(buf), _SECTOR - off)
            esp.flash_read(off, view[:size])
            return size
        part = _part("put").report(self.crc32)[off - _SECTOR:]
        buf[:len(part)] = part
        return len(part)

    def saved_size(self):
        return _SECTOR + 16

    def store(self, name):
        """Hold the saved file to what was to be saved, and make the boot sector. Nothing counts yet."""
        plan = self._plan
        put = _part("put")
        place = _part("place")
        try:
            extents = place.extents("/" + name, self.fs_addr // _SECTOR, self.fs_size // _SECTOR)[1]
            self._saved = put.check_head(self._sums, self._buf, extents, self.crc32)
        except OSError:
            self._saved = None
        if not self._saved:
            raise _error(84, "saved", "; try again, and if that does not help format it again")
        if not plan.is_spared(self._saved[0], _SECTOR) or not plan.is_spared(self._saved[2], 16):
            raise _part("text").refused(34, "overlaps_saved", self.size, self._saved[0])
        with open(FOLDER + "/loader.bin", "rb") as loader:
            plan.lay(self._sums, self._buf, loader, self._saved)
        self._plan = None
        _forget("plan", "place")

    def commit(self, _):
        """The next reset upgrades."""
        put = _part("put")
        if not put.write_first(self._buf):
            put.put_back(self._sums, self._buf, self._saved[0], self._saved[1])
            raise _error(5, "flash")
        _forget("put")
