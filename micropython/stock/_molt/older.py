"""What unpacked before there was `deflate`, in MicroPython 1.20."""

from _molt import part


def unpacker(f, bits):
    try:
        from uzlib import DecompIO
    except ImportError:
        raise part("text").error(95, "no_deflate")
    return DecompIO(f, 16 + bits)
