"""Where what lies in this device's flash: what stands behind molt.regions()."""

import uos
from esp32 import Partition

_TABLE = const(0x8000)
_SECTOR = const(4096)
_SUBTYPE_FROZEN = const(0x4D)


def _image_size(part):
    """Bytes of the image in an app partition, up to the end of its SHA-256; 0 where there is none. [app image format of IDF]"""
    head = bytearray(24)
    part.readblocks(0, head, 0)
    if head[0] != 0xE9:
        return 0
    end = 24
    for _ in range(head[1]):
        segment = bytearray(8)
        if end + 8 > part.info()[3]:
            return 0
        part.readblocks(end // _SECTOR, segment, end % _SECTOR)
        end += 8 + int.from_bytes(segment[4:], "little")
    return (end | 15) + 1 + (32 if head[23] else 0)


def _filesystem():
    """Address of the partition that / is on, and bytes of it that are used."""
    try:
        from flashbdev import bdev

        stat = uos.statvfs("/")
        return bdev.info()[2], (stat[2] - stat[3]) * stat[0]
    except (ImportError, AttributeError, OSError):
        return None, 0


def regions():
    running = Partition(Partition.RUNNING).info()[2]
    fs_addr, fs_used = _filesystem()
    found = [{"name": "boot", "addr": 0, "size": _TABLE, "used": _TABLE}, {"name": "system", "addr": _TABLE, "size": _SECTOR, "used": _SECTOR}]
    for part in Partition.find(Partition.TYPE_APP) + Partition.find(Partition.TYPE_DATA):
        kind, subtype, addr, size, _, _ = part.info()
        name, used = "system", size
        if kind == Partition.TYPE_APP:
            name, used = "firmware" if addr == running else "slot", min(_image_size(part), size)
        elif addr == fs_addr:
            name, used = "filesystem", fs_used
        elif subtype == _SUBTYPE_FROZEN:
            name = "frozen"
        found.append({"name": name, "addr": addr, "size": size, "used": used})
    found.sort(key=lambda region: region["addr"])
    # What lies between is nobody's; what belongs to the system is told as one.
    for at in range(len(found) - 1, 0, -1):
        before, region = found[at - 1], found[at]
        end = before["addr"] + before["size"]
        if end < region["addr"]:
            found.insert(at, {"name": "unused", "addr": end, "size": region["addr"] - end, "used": 0})
        elif before["name"] == region["name"] == "system":
            before["size"] += region["size"]
            before["used"] += region["used"]
            del found[at]
    return found
