"""What an image file is, by its first bytes: src/image/image.c for an ESP8266's images."""

from _molt import part
from ustruct import unpack_from


def _is_esp32(header):
    """Where an ESP8266's first segment cannot be, and in bytes 8 to 23 what an ESP32's header has there."""
    vaddr = unpack_from("<I", header, 8)[0]
    fits = part("source").is_ram(vaddr, 1) or part("source").is_mapped(vaddr, 1)
    is_pin = header[8] == 0xEE or header[8] < 64
    return not fits and is_pin and header[19:23] == bytes(4) and header[23] <= 1


def run(job):
    """job.header: header bytes 0 to 7. Raises OSError with its sentence where it is none."""
    source = part("source")
    bad = source.bad
    if job.size == 0:
        raise bad("empty", 0)
    with source.opened(job) as f:
        header = source.read(job, f, 0, min(job.size, 24))
    check_first(header)
    if len(header) < 24:
        raise bad("too_short", len(header))
    if header[0] == 0xEA or _is_esp32(header):
        raise part("foreign").refusal(header)
    if not is_flash_mode(header):
        raise bad("bad_mode", 2)
    job.header = header[:8]


def check_first(header):
    """Raises OSError where an image does not begin so."""
    defect = None
    if header[:8] == b"\xff" * min(len(header), 8):
        defect = "erased"
    elif header[:2] == b"\x1f\x8b":
        defect = "compressed"
    elif header[0] not in (0xE9, 0xEA):
        defect = "bad_magic"
    if defect:
        raise part("source").bad(defect, 0)


def is_flash_mode(header):
    """QIO to DOUT; size codes of the SDK up to 9, 16 MB."""
    return header[2] <= 3 and header[3] >> 4 <= 9 and header[3] & 15 in (0, 1, 2, 15)
