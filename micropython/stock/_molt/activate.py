"""An upgrade in resident mode, from here on."""

from _molt import part


def activate(job, tries):
    """The next start upgrades; tries: starts on trial, or 0. Power cut: it will, or not."""
    try:
        state = part("state").at_rest(job.region)
        fields = bytes((2, 1, state[1][2], 0, 1 if tries else 0xFF, min(tries, 32)))
        part("append").append(job.region, state, fields)
    except OSError as e:
        raise part("text").error(e.errno, "flash")
