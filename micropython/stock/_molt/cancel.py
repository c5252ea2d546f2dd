"""Taking back what was prepared, without resident mode."""

import _molt
from _molt import part


def cancel():
    """Whether an upgrade was prepared; it is not any more."""
    if not _molt.pending():
        return False
    _, _, _, _, head, crc, _, _ = part("planned").planned()
    result = part("put_back").put_back(part("load").load(), head, crc)
    if result is None:
        raise part("text").error(84, "saved_changed")
    if not result:
        raise part("text").error(5, "sector_0")
    return True
