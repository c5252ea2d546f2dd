"""Which firmware an image is: src/image/image.c"""

from _molt import part
from ustruct import unpack

# Kinds, of verify.py and judge.py too.
_ESP8266 = const(1)
_MICROPYTHON = const(2)
_ARDUINO = const(3)

_EBOOT_SEGMENTS_MAX = const(4)
_EBOOT_VADDR = const(0x4010F000)
_EBOOT_PADDING = const(0xAA)
_SKETCH_OFF = const(0x1000)
_SKETCH_SIZE_OFF = const(0x1010)
_HEAD_SIZE = const(0x9000)
_SIZE_OFF = const(0x8FFC)


def _is_eboot(job, f):
    read = part("read").read
    end = job.groups[0][2] + 1
    entry = unpack(b"<I", job.header[4:])[0]
    if job.header[1] > _EBOOT_SEGMENTS_MAX or entry < _EBOOT_VADDR or end > _SKETCH_OFF or end >= job.size:
        return False
    if end < _SKETCH_OFF and read(job, f, end, 1)[0] == _EBOOT_PADDING:
        return True
    return job.size > _SKETCH_OFF and read(job, f, _SKETCH_OFF, 1)[0] == 0xE9


def _look_for_arduino(job, f):
    """eboot is loaded to the end of IRAM; the rest of its sector is padded, then comes another image."""
    if not _is_eboot(job, f):
        return
    read = part("read").read
    job.family = _ARDUINO
    inner = read(job, f, _SKETCH_OFF, 8)
    if inner[0] != 0xE9:
        raise part("text").bad("bad_inner", _SKETCH_OFF)
    part("pieces").add(job, f, _SKETCH_OFF, inner, True)
    end = job.groups[1][2] + 1
    if unpack(b"<I", read(job, f, _SKETCH_SIZE_OFF, 4))[0] == end:
        job.end = end


def _look_for_micropython(job, f):
    """Between the segments and the size word is nothing but 0xFF."""
    end = job.groups[0][2] + 1
    if end > _SIZE_OFF or job.size < _HEAD_SIZE:
        return
    tail = part("read").read(job, f, _HEAD_SIZE - 32, 32)
    padding = min(_SIZE_OFF - end, 28)
    is_padded = padding and tail[28 - padding:28] == b"\xff" * padding
    word = unpack(b"<I", tail[28:])[0]
    is_exact = job.size >= _HEAD_SIZE + 16 and word == job.size - 16
    if not is_exact and (not is_padded or word in (0, 0xFFFFFFFF)):
        return
    job.family = _MICROPYTHON
    if word < _HEAD_SIZE:
        raise part("text").bad("bad_size_word", _SIZE_OFF)
    if word + 16 > job.size:
        raise part("text").bad("truncated", job.size)
    job.end = word


def family(job):
    """job.family; job.end: behind the part that has a sum of its own, 0 for none."""
    job.family = _ESP8266
    job.end = 0
    with part("source").source(job) as f:
        _look_for_arduino(job, f)
        if job.family == _ESP8266:
            _look_for_micropython(job, f)
