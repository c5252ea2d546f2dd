"""Taking back what was prepared in resident mode, or ending a trial."""

from _molt import part


def resident_end():
    """Keep the firmware that runs: whether there was an upgrade to take back, or a trial to end."""
    found = part("config").config()
    if found[0] == 2:
        return False
    try:
        if found[0]:
            raise OSError(found[0])
        state = part("state").read(found[1])
        if not state or state[1][0] == 1:
            return False
        kind, _, head, _, _, starts = state[1]
        part("append").append(found[1], state, bytes((1, 4 if kind == 3 else 0, head, 0xFF, 0xFF, starts)))
    except OSError as e:
        raise part("text").error(e.errno, "bad_log")
    return True
