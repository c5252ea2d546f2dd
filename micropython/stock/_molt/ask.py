"""What is asked and taken back: the functions of `_molt` beside an upgrade."""

import esp
import uos
from _molt import load_sums, part

_SECTOR = const(4096)


def lookup(path):
    """(mount point, path inside it, block device, whether it is a littlefs) of the filesystem that holds an absolute path.

    Only the filesystem of flashbdev is known here, at the root; of another one the block device is None.
    """
    from flashbdev import bdev

    part("package").check()
    if part("map").is_behind_yaota():
        raise part("text").error(95, "yaota")
    try:
        fs = part("place").volume(bdev.start_sec, bdev.blocks)[0]
    except OSError:
        return "/", path, bdev, False
    # What is nowhere is missing here.
    stat = _stat(uos, path)
    is_here = not stat or stat[0] & 0x4000 or _stat(fs, path)[6:7] == stat[6:7]
    return "/", path, bdev if is_here else None, True


def _stat(fs, path):
    """stat(), or an empty tuple."""
    try:
        return fs.stat(path)
    except OSError:
        return ()


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


def _plan_addr():
    """Where the plan is that the next reset carries out: sector 0 or, in resident mode, a slot of the reserved region."""
    found = _resident()
    return found[0] + (2 + (found[1][1][3] & 1)) * _SECTOR if found and found[1][1][0] == 2 else 0


def pending():
    """None, or (image size, image CRC, whether the filesystem will be erased)"""
    addr = _plan_addr()
    header = part("lay").read_header(addr)
    if not header:
        return None
    version, size, crc, fs_size, _, _, extents_off, plan_crc = header
    if version != 2 or extents_off > _SECTOR - 132:
        return None
    found = 0
    crc32 = load_sums().crc32
    for off in range(extents_off, _SECTOR - 4, 64):
        found = crc32(found, esp.flash_read(addr + off, min(64, _SECTOR - 4 - off)))
    return (size, crc, fs_size != 0) if found == plan_crc else None


def cancel():
    """Whether an upgrade was prepared; it is not any more."""
    if not pending():
        return False
    _, _, _, _, head, crc, _, _ = part("lay").read_header()
    result = part("boot").put_back(load_sums(), head, crc)
    if result is None:
        raise part("text").error(84, "saved_changed")
    if not result:
        raise part("text").error(5, "sector_0")
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


def _resident():
    """None, or (address of the reserved region, state)"""
    log = part("log")
    found = log.config()
    if found[0]:
        return None
    try:
        state = log.read(found[1])
    except OSError:
        return None
    return state and (found[1], state)


def resident():
    """None, or (address of the reserved region, kind, result, starts in this state, starts of a trial)"""
    found = _resident()
    if not found:
        return None
    addr, (_, fields, starts, _, _) = found
    return addr, fields[0], fields[1], starts, fields[5]
