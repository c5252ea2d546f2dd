"""What is summed up of a segment in images that are not MicroPython's: for verify.py."""

from _molt import part

# Of family.py.
_ESP8266 = const(1)

_KEPT = const(64)
_SKETCH_SIZE_OFF = const(0x1010)

_references = part("references").references


def also(job, group, buf, piece, off, begin, end):
    """Of the bytes of one segment from `begin` to `end` of `piece`, which is at `off`, and in `buf` from _KEPT on."""
    if job.arduino:
        # Size and CRC of the sketch were filled in when its checksum had been made.
        job.xors[group] ^= job.sums.xor(piece[max(begin, _SKETCH_SIZE_OFF - off):max(0, min(end, _SKETCH_SIZE_OFF + 8 - off))])
    if job.family == _ESP8266:
        job.references += _references(buf, _KEPT + begin + (-(off + begin) & 3), _KEPT + end, job.size)
