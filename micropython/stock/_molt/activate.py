"""An upgrade in resident mode, from here on."""

from _molt import part


def activate(job, starts):
    """The next start upgrades. Power cut: it will, or not."""
    try:
        state = part("state").at_rest(job.reserved)
        fields = bytes((2, 1, state[1][2], 0, 1 if starts else 0xFF, min(starts, 32)))
        part("append").append(job.reserved, state, fields)
    except OSError as e:
        raise part("text").error(e.errno, "flash")
