"""The flash map of this device: what stands behind molt.map(), molt.user() and molt.migrate()."""

import uos
import _molt
from flashbdev import bdev

_SECTOR = const(4096)
_ROW = const(64)

# Cells of the picture, as `molt map` of the command-line tool has them: small where a sector is free.
_LETTERS = {
    "boot": "B",
    "firmware": "F",
    "frozen": "Z",
    "native": "N",
    "romfs": "R",
    "user": "U",
    "reserved": "M",
    "filesystem": "L",
    "system": "S",
    "unused": "-",
}


def pieces():
    """(name, (kind, address, size), ...) from the beginning of flash to its end."""
    if bdev is None:
        return _molt.map()
    return _molt.map(bdev.start_sec * _SECTOR, bdev.blocks * _SECTOR)


def find(kind):
    """(address, size) of a region; (0, 0) where the map has none."""
    for piece in pieces()[1:]:
        if piece[0] == kind:
            return piece[1:]
    return 0, 0


def _used(kind, addr, size):
    if kind != "filesystem":
        return _molt.programmed(addr, size)
    try:
        stat = uos.statvfs("/")
        return (stat[2] - stat[3]) * stat[0]
    except OSError:
        return 0


def _row(addr, rest):
    """The cells of the row that begins at `addr`, and whether they are all of one region whose use is not looked at."""
    row = ""
    for kind, start, size in rest:
        while addr < start + size and len(row) < _ROW:
            letter = _LETTERS[kind]
            if kind == "filesystem":
                n = min(_ROW - len(row), (start + size - addr) // _SECTOR)
                row += letter * n
                addr += n * _SECTOR
                continue
            if letter >= "A" and not _molt.programmed(addr, _SECTOR):
                letter = letter.lower()
            row += letter
            addr += _SECTOR
    return row, row == "L" * _ROW


def regions():
    return [
        {"name": kind, "addr": addr, "size": size, "used": _used(kind, addr, size) if kind != "unused" else 0}
        for kind, addr, size in pieces()[1:]
    ]


def header_trouble():
    """The sentence for a device that cannot have a filesystem, by its image header."""
    import esp

    size = esp.flash_size() // 1024
    start = (esp.flash_user_start() if bdev is None else bdev.start_sec * _SECTOR) // 1024
    return ("the image header says that the flash has %u KB, and this firmware's filesystem begins at %u KB: write the firmware with "
            "esptool's --flash_size detect, or take one for a smaller flash" % (size, start))


def show():
    all_pieces = pieces()
    rest = all_pieces[1:]
    end = rest[-1][1] + rest[-1][2]
    print("%u KB of flash, map %s\n" % (end // 1024, all_pieces[0]))
    skipped = 0
    was_alike = False
    for addr in range(0, end, _ROW * _SECTOR):
        row, is_alike = _row(addr, rest)
        if is_alike and was_alike:
            skipped += 1
            continue
        if skipped:
            print("            (%u more rows like this)" % skipped)
            skipped = 0
        was_alike = is_alike
        print("  0x%06x  %s" % (addr, row))
    print("\n                begins    ends          size      used      free")
    for kind, addr, size in rest:
        used = _used(kind, addr, size) if kind != "unused" else 0
        print("  %s %-10s  0x%06x  0x%06x  %5u KB  %5u KB  %5u KB" % (
            _LETTERS[kind], kind, addr, addr + size, size // 1024, used // 1024, (size - used) // 1024))


def user_bdev():
    from flashbdev import FlashBdev

    addr, size = find("user")
    if not size:
        raise OSError(19, "this flash map has no user sectors; molt's own has, see molt.migrate()")
    return FlashBdev(addr // _SECTOR, size // _SECTOR)


def migrate():
    here = pieces()
    end = here[-1][1] + here[-1][2]
    wanted = _molt.map_find("molt", end)
    if here[0] == "molt" or wanted is None or here[1:] == wanted[1:]:
        print("molt: this device has molt's map already")
        return True
    fs = find("filesystem")
    for kind, addr, _ in wanted[1:]:
        if kind == "filesystem" and addr != fs[0]:
            raise OSError(95, "the filesystem would have to move from 0x%06x to 0x%06x, which it cannot while it is in use: "
                          "read the flash with esptool, use `molt migrate FLASH OUT --to molt --firmware IMAGE` and write OUT "
                          "back; docs/flash-map.md" % (fs[0], addr))
    print("molt: nothing has to move; upgrade to a firmware that is made for molt's map")
    return True
