"""What is summed up of a segment in images that are not MicroPython's: for verify.py."""

_KEPT = const(64)
_SKETCH_SIZE_OFF = const(0x1010)

# What counts them, where that is wanted: references.py
references = None


def also(job, group, buf, piece, off, begin, end):
    """Of the bytes of one segment from `begin` to `end` of `piece`, which is at `off`, and in `buf` from _KEPT on."""
    if job.arduino:
        # Size and CRC of the sketch were filled in when its checksum had been made.
        job.xors[group] ^= job.sums.xor(piece[max(begin, _SKETCH_SIZE_OFF - off):max(0, min(end, _SKETCH_SIZE_OFF + 8 - off))])
    if references:
        job.references += references(buf, _KEPT + begin + (-(off + begin) & 3), _KEPT + end, job.size)
