"""What an image file is, by its first bytes: src/image/image.c for an ESP8266's images."""

from _molt import part
from ustruct import unpack_from


def _is_esp32(header):
    """Where an ESP8266's first segment cannot be, and in bytes 8 to 23 what an ESP32's header has there."""
    vaddr = unpack_from(b"<I", header, 8)[0]
    fits = part("memory").is_ram(vaddr, 1) or part("memory").is_mapped(vaddr, 1)
    is_pin = header[8] == 0xEE or header[8] < 64
    return not fits and is_pin and header[19:23] == bytes(4) and header[23] <= 1


def header(job):
    """job.header: header bytes 0 to 7. Raises OSError with its sentence where it is none."""
    if job.size == 0:
        raise part("text").bad("empty", 0)
    with part("source").source(job) as f:
        header = part("read").read(job, f, 0, min(job.size, 24))
    part("first").first(header)
    if len(header) < 24:
        raise part("text").bad("too_short", len(header))
    if header[0] == 0xEA or _is_esp32(header):
        raise part("foreign").refusal(header)
    if not part("flash_mode").is_flash_mode(header):
        raise part("text").bad("bad_mode", 2)
    job.header = header[:8]
