"""Where in flash a file's bytes are: littlefs itself says, on a block device that notes what is read.

Of the format no more is known than that block i of a file has ctz(i) + 1 pointers of 4 bytes in front, none in block 0. That
it is so is proven for each file, by the sum of its bytes.
"""

from _molt import part

_SECTOR = const(4096)


def _pointers(index):
    """Words in front of the data in a file's block."""
    count = 0
    if index:
        count = 1
        while not index & 1:
            index >>= 1
            count += 1
    return count


def place(path, first, count):
    """(size, extents as a plan has them: 16 bits each) of the file at `path` inside the filesystem of the sectors from `first` on."""
    fs, tap = part("volume").volume(first, count)
    size = fs.stat(path)[6]
    # No file has more pieces.
    found = bytearray(2 * (size // (_SECTOR - 8) + 1))
    byte = bytearray(1)
    at = index = 0
    with fs.open(path, "rb") as f:
        while at < size:
            f.seek(at)
            tap.last = -1
            f.readinto(byte)
            if tap.last < 0:
                # Of no block of its own: it came from a cache, or from the directory.
                raise OSError(95)
            extent = first + tap.last | _pointers(index) << 12
            found[2 * index] = extent & 255
            found[2 * index + 1] = extent >> 8
            at += _SECTOR - 4 * _pointers(index)
            index += 1
    return size, found if 2 * index == len(found) else found[:2 * index]
