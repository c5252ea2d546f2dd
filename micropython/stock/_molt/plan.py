"""The plan: what collides is refused, what matches is left alone. src/upgrade/plan_build.c, and the order of src/job/job.c.

docs/format.md has every byte of what is made here.
"""

import esp
import uos
from _molt import FOLDER, part

_SECTOR = const(4096)
_PAGE = const(256)
_PER_BLOCK = const(16)
_HEADER_SIZE = const(132)
_LOG_MIN = const(32)
_MAPPED_SIZE = const(0x100000)
_HALF = const(2048)

# Sectors of a 64 KB block that change, from which on it is erased as a whole.
_BLOCK_ERASE_MIN = const(5)


def _sector_step(sector):
    return 2 + sector // _PER_BLOCK * (_PER_BLOCK + 1) + sector % _PER_BLOCK


class Plan:
    """Of an image of `job.size` bytes in `job.extents`. Raises OSError with its sentence where it cannot be; writes nothing."""

    def __init__(self, job, kept, loader_size):
        self._job = job
        self._sectors = (job.size + _SECTOR - 1) // _SECTOR
        self._check_target(kept)
        self._shape(loader_size)
        if job.image_fs and job.image_fs != job.device_fs and not job.erase_all:
            raise self._refused(95, "other_map", job.image_fs, job.device_fs)
        self._check_extents()
        self._todo = bytearray(self.set_size)
        self.params = _present_params()

    def _refused(self, *words):
        from _molt.text import refused

        return refused(*words)

    def _check_target(self, kept):
        job = self._job
        size = job.size
        end = self._sectors * _SECTOR
        if size == 0:
            raise self._refused(27, "empty_image", 1, 0)
        if size > esp.flash_size():
            raise self._refused(27, "past_flash", size, esp.flash_size())
        if size > _MAPPED_SIZE:
            raise self._refused(27, "past_mapped", size, _MAPPED_SIZE)
        if end > job.fs_addr:
            raise self._refused(27, "into_filesystem", end, job.fs_addr)
        for addr in kept:
            if end > addr:
                raise self._refused(27, "into_reserved", end, addr)

    def _fs_steps(self):
        job = self._job
        if not job.erase_all:
            return 0
        group = _PER_BLOCK * _SECTOR
        return (job.fs_addr + job.fs_size - 1) // group - job.fs_addr // group + 2

    def _shape(self, loader_size):
        self.verify_step = 1 + (self._sectors + _PER_BLOCK - 1) // _PER_BLOCK * (_PER_BLOCK + 1)
        self.step_count = self.verify_step + 1 + self._fs_steps()
        self.set_size = (self.step_count + 32) // 32 * 4
        count = len(self._job.extents) // 2
        extents_size = (count + 1) // 2 * 4
        self.todo_off = _SECTOR - _HEADER_SIZE - self.set_size
        self.extents_off = self.todo_off - extents_size
        self.log_size = _LOG_MIN
        self.journal_off = self.extents_off - self.set_size - _LOG_MIN
        if not count or self.journal_off < loader_size or not self._place_journal(loader_size):
            raise self._refused(28, "too_many_extents", count, _SECTOR)

    def _place_journal(self, loader_size):
        """Give journal and log a page of their own if there is one, else put them into one page. False where that is impossible."""
        size = self.set_size + _LOG_MIN
        page_end = self.extents_off // _PAGE * _PAGE
        if size > _PAGE:
            return False
        if page_end >= loader_size + _PAGE:
            self.journal_off = page_end - _PAGE
            self.log_size = _PAGE - self.set_size
        elif self.extents_off - page_end < size:
            self.journal_off = page_end - size
        return self.journal_off >= loader_size

    def _check_extents(self):
        from _molt.place import addr

        end = self._sectors * _SECTOR
        for i in range(len(self._job.extents) // 2 - 1, -1, -1):
            begin = addr(self._job.extents, i)[0]
            if begin < end:
                raise self._refused(34, "overlaps_source", end, begin)
            if begin >= esp.flash_size():
                raise self._refused(34, "past_flash", begin, esp.flash_size())

    # ---- comparing

    def _is_todo(self, step):
        return self._todo[step // 8] >> step % 8 & 1

    def _set_todo(self, step):
        self._todo[step // 8] |= 1 << step % 8

    def check_source(self, sums, buf, crc, tell):
        """The file, read through its extents, has this CRC-32. False if it has not."""
        from _molt.place import addr

        view = memoryview(buf)
        done = found = 0
        for i in range(len(self._job.extents) // 2):
            begin, size = addr(self._job.extents, i)
            size = min(size, self._job.size - done)
            # Flash is read by whole words.
            esp.flash_read(begin, view[:size + 3 & ~3])
            found = sums.crc32(found, view[:size])
            tell(done, self._job.size)
            done += size
        return found == crc

    def _image_half(self, f, half, off):
        """The image's bytes from `off` on, 0xFF behind its end."""
        size = max(0, min(_HALF, self._job.size - off))
        if size and f.readinto(half[:size]) != size:
            raise OSError(84)
        for i in range(size, _HALF):
            half[i] = 0xFF

    def compare(self, sums, buf, f, tell):
        """Which sectors are right already. f: the image's file, open. False where two readings of its first sector differ."""
        self.first_crc = 0
        first = self._look_at_first(sums, buf, f)
        if first != self._look_at_first(sums, buf, f):
            return False
        self.first_crc, self._first_differs = first
        view = memoryview(buf)
        image = view[:_HALF]
        flash = view[_HALF:2 * _HALF]
        for sector in range(1, self._sectors):
            off = sector * _SECTOR
            differs = False
            f.seek(off)
            for at in (off, off + _HALF):
                if not differs:
                    self._image_half(f, image, at)
                    esp.flash_read(at, flash)
                    differs = image != flash
            tell(off, self._job.size)
            if differs:
                self._set_todo(_sector_step(sector))
        return True

    def _look_at_first(self, sums, buf, f):
        view = memoryview(buf)
        crc = 0
        differs = False
        f.seek(0)
        for off in (0, _HALF):
            self._image_half(f, view[:_HALF], off)
            if off == 0:
                buf[2:4] = self.params
            esp.flash_read(off, view[_HALF:2 * _HALF])
            crc = sums.crc32(crc, view[:_HALF])
            differs = differs or view[:_HALF] != view[_HALF:2 * _HALF]
        return crc, differs

    def finish(self):
        """Decide which 64 KB blocks are erased as a whole. Once is enough, once more does no harm."""
        self._set_todo(0)
        self._set_todo(self.verify_step)
        # The first block has the boot sector in it.
        for first in range(_PER_BLOCK, self._sectors - _PER_BLOCK + 1, _PER_BLOCK):
            steps = range(_sector_step(first), _sector_step(first) + _PER_BLOCK)
            if sum(self._is_todo(step) for step in steps) >= _BLOCK_ERASE_MIN:
                self._set_todo(steps[0] - 1)
                for step in steps:
                    self._set_todo(step)
        for step in range(self.verify_step + 1, self.step_count):
            if not self._is_needed(step):
                self._set_todo(step)

    def _fs_range(self, step):
        """(begin, end) of what a step of the filesystem erases."""
        job = self._job
        end = job.fs_addr + job.fs_size
        if step == self.verify_step + 1:
            return job.fs_addr, min(job.fs_addr + 2 * _SECTOR, end)
        group = _PER_BLOCK * _SECTOR
        begin = (job.fs_addr // group + step - self.verify_step - 2) * group
        return max(begin, job.fs_addr), min(begin + group, end)

    def _is_needed(self, step):
        """Whether a step of the filesystem would erase what the image's first sector comes from."""
        from _molt.place import addr

        begin, end = self._fs_range(step)
        return begin <= addr(self._job.extents, 0)[0] < end

    def tally(self):
        """(sectors, equal, programmed, sector erases, 64 KB erases, whether nothing is to be done)"""
        # The boot sector is erased twice.
        sector_erases, block_erases, programmed = 2, 0, 1
        in_block = False
        for step in range(1, self.verify_step):
            is_todo = self._is_todo(step)
            if (step - 1) % (_PER_BLOCK + 1) == 0:
                in_block = is_todo
                block_erases += is_todo
            elif is_todo:
                programmed += 1
                sector_erases += not in_block
        for step in range(self.verify_step + 1, self.step_count):
            if self._is_todo(step):
                begin, end = self._fs_range(step)
                is_block = end - begin == _PER_BLOCK * _SECTOR
                block_erases += is_block
                sector_erases += 0 if is_block else (end - begin) // _SECTOR
        in_place = programmed == 1 and not self._first_differs and not self._job.erase_all
        return self._sectors, self._sectors - programmed, programmed, sector_erases, block_erases, in_place

    def result(self):
        """What lay.py makes the boot sector of."""
        return (self.todo_off, self.extents_off, self.journal_off, self.log_size, self.step_count, self.verify_step,
                self.first_crc, self.params, self._todo)


def _present_params():
    """Bytes 2 and 3 of the header that the device starts with. Read twice: with wrong ones it would not start again."""
    params = esp.flash_read(0, 4)
    if params != esp.flash_read(0, 4):
        raise part("text").error(5, "flash")
    return params[2:4]


def _kept(job):
    """Where regions begin that an image may not reach into: ROMFS, and what is behind the filesystem."""
    import vfs

    addrs = [job.fs_addr + job.fs_size]
    ioctl = getattr(vfs, "rom_ioctl", None)
    if ioctl and ioctl(1) > 0:
        from uctypes import addressof

        addrs.append(addressof(ioctl(2, 0)) - 0x40200000)
    return addrs


def make(job):
    """Plan and compare: job.made is what lay.py makes the boot sector of, job.tally what there is to do."""
    plan = Plan(job, _kept(job), uos.stat(FOLDER + "/loader.bin")[6])
    if job.safe_check:
        if not plan.check_source(job.sums, job.buf, job.crc32, job.tell("file", "checking file")):
            raise part("text").error(5, "extents")
    with open(job.path, "rb") as f:
        if not plan.compare(job.sums, job.buf, f, job.tell("compare", "comparing")):
            raise OSError(5)
    job.end_progress("compare")
    plan.finish()
    job.tally = plan.tally()
    job.made = plan.result()
