"""The boot sector: made, put in, taken out. What src/job/job.c does without resident mode."""

from _molt import part


def run(job):
    """Make the boot sector. Nothing counts yet."""
    job.boot = part("blob").sector("loader.bin", job.buf)
    job.boot.set(2, job.params)
    part("lay").lay(job, job.boot, job.head)


def commit(job, _):
    """The next reset upgrades. Power cut: fatal for some 60 ms."""
    if not part("put").write(job.boot, 0):
        put_back(job.sums, *job.head[:2])
        raise part("text").error(5, "flash")


def put_back(sums, addr, crc):
    """Make sector 0 what is saved at `addr`, if that has this CRC: None if it has not, else whether sector 0 is so."""
    put = part("put")
    sector = put.Sector(addr, 4096)
    return put.write(sector, 0) if put.crc(sector, sums) == crc else None
