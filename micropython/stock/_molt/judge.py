"""Whether an image is whole, by what verify.py has summed: src/image/image_verify.c"""

from _molt import part
from ustruct import unpack

# Of family.py.
_ARDUINO = const(3)

_SKETCH_SIZE_OFF = const(0x1010)
_REFERENCES_MAX = const(15)


def _check_sums(job):
    for group in range(len(job.xors)):
        if job.checksums[group] != job.xors[group]:
            raise part("text").bad("bad_checksum", job.groups[group][2])
    if job.references > _REFERENCES_MAX:
        raise part("text").bad("no_mapped_part", job.size)
    if job.md5:
        if job.stored_md5 != part("digest").ended(job.sums, job.md5):
            raise part("text").bad("bad_md5", job.end)
        # The MD5 leaves the segment count out, and the checksum notices a wrong one only mostly.
        if job.is_padding_used:
            raise part("text").bad("bad_segment_count", 1)
    if job.arduino:
        with part("source").source(job) as f:
            stored = unpack(b"<I", part("read").read(job, f, _SKETCH_SIZE_OFF + 4, 4))[0]
        if not job.arduino.is_right(stored, job.header[2:4]):
            raise part("text").bad("bad_crc", _SKETCH_SIZE_OFF + 4)


def judge(job):
    """What was found goes into the job. Raises OSError with its sentence where the image is not whole."""
    if job.safe_check:
        _check_sums(job)
    if not job.is_gzip:
        job.file_crc = job.crc32 = job.found_crc
    elif job.found_crc != job.crc32:
        # Unpacked twice, with two results.
        raise part("text").error(5, "flash")
    job.sha1 = part("digest").ended(job.sums, job.sha1)
    job.is_arduino = job.family == _ARDUINO
    job.pieces = [(vaddr, size) for vaddr, _, size in job.pieces]
    kind = (None, "ESP8266 image", "MicroPython firmware for ESP8266", "Arduino firmware for ESP8266 (eboot and sketch)")[job.family]
    job.facts = kind, "ESP8266", job.size, len(job.pieces), job.crc32, job.image_fs or None, job.version
    # So the object has room for what comes; with more in it at a time it would need 472 bytes in one piece.
    del job.found_crc, job.references, job.version, job.md5, job.arduino, job.xors, job.checksums
    del job.stored_md5, job.is_padding_used, job.groups, job.end, job.family
