"""How an image begins: src/image/image.c"""

from _molt import part


def first(header):
    """Raises OSError where an image does not begin so."""
    defect = None
    if header[:8] == b"\xff" * min(len(header), 8):
        defect = "erased"
    elif header[:2] == b"\x1f\x8b":
        defect = "compressed"
    elif header[:4] == b"MDL1":
        raise part("text").error(95, "no_delta")
    elif header[0] not in (0xE9, 0xEA):
        defect = "bad_magic"
    if defect:
        raise part("text").bad(defect, 0)
