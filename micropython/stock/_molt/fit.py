"""Whether an upgrade can be prepared now, and its image loaded by a resident boot loader: src/job/job.c."""

from _molt import part

_SECTOR = const(4096)


def _collides(segment, memory):
    vaddr, size = segment
    return any(vaddr < memory[i] + memory[i + 1] and memory[i] < vaddr + size for i in (0, 2))


def _check_resident(job):
    """(address of the reserved region, or 0; address of the present first sector). Raises OSError where the resident boot loader
    cannot do with the job's image."""
    found = part("config").config()
    if found[0] == 2:
        return 0, 0
    error = part("text").error
    if found[0] or bytes(found[2]) != b"\x01\x01\x02":
        raise error(84, "resident_damaged") if found[0] == 84 else error(95, "resident_other")
    _, reserved, _, memory = found
    state = part("state").read(reserved)
    if not state:
        raise error(2, "flash")
    if state[1][0] != 1:
        raise error(16, "on_trial" if state[1][0] == 3 else "pending")
    if job.is_arduino or any((vaddr | size) & 3 or _collides((vaddr, size), memory) for vaddr, size in job.pieces):
        raise error(95, "not_loaded")
    return reserved, reserved + (state[1][2] & 1) * _SECTOR


def fit(job):
    """reserved; present: the address of the present first sector. Raises OSError with its sentence."""
    # A boot sector that is in place must not be taken for the firmware's own first sector.
    if part("planned").planned():
        raise part("text").error(16, "pending")
    job.region, job.present = _check_resident(job)
    if job.is_fallback and not job.region:
        raise part("text").error(95, "fallback")
