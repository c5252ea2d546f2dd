"""What verify.py begins with."""

from _molt import part

# Kinds, of family.py.
_ESP8266 = const(1)
_MICROPYTHON = const(2)
_ARDUINO = const(3)

# The map mark: docs/format.md. Never in this form in flash that is an image.
_MARK_INVERTED = b"\xb4\xe7\x91\x2c\x4f\x68\x0a\xd3\x9d\x13\xf2\x5b\xa1\xc0\x65\x8e"


def ready(job):
    """Nothing is summed up yet."""
    job.found_crc = job.references = 0
    job.md5 = job.arduino = job.also = None
    job.seen = []
    # Of each group: its sum, and what the image says that it is.
    job.xors = bytearray(b"\xef" * len(job.groups))
    job.checksums = bytearray(len(job.groups))
    job.stored_md5 = b""
    job.is_padding_used = False
    job.mark = bytes(b ^ 0xFF for b in _MARK_INVERTED)
    job.sha1 = part("digest").digest(job.sums, False)
    if job.safe_check and job.family == _MICROPYTHON:
        job.md5 = part("digest").digest(job.sums, True)
    if job.safe_check and job.family == _ARDUINO and job.end:
        job.arduino = part("foreign").ArduinoCrc(job.end)
        job.also = part("also").also
    if job.safe_check and job.family == _ESP8266:
        also = part("also")
        also.references = part("references").references
        job.also = also.also
