"""What tells of an image without a sum of its own that its second file is missing: src/image/image_verify.c"""


def references(buf, at, end, size):
    """How many words from `at` to `end` are addresses in mapped flash behind the end of a file of `size` bytes."""
    found = 0
    while at + 4 <= end:
        if buf[at + 3] == 0x40 and buf[at + 2] & 0xF0 == 0x20:
            found += (buf[at + 2] & 15) << 16 | buf[at + 1] << 8 | buf[at] >= size
        at += 4
    return found
