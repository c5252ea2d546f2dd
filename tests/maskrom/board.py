"""Runs of maskrom/, and what the tests ask of each of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tool"))

from rig import MOLT, check  # noqa: E402

BOARD = Path(os.environ.get("MASKROM_BOARD", MOLT.parent / "maskrom-board")).resolve()
HANGS, CRASHES, CUT, TOO_LONG, NOT_SET_UP = 70, 71, 72, 74, 75
RAM_VADDR, IRAM_VADDR = 0x3FFE8000, 0x40100000
RAM_SIZE = 0x18000
# The mask ROM's own variables end here; above them is the stack, from 0x40000000 downwards.
STACK_END = 0x3FFFEB30


class Run:
    """How a run ended: exit status, what UART0 has sent, flash operations as (kind, address, size, is cut), counts."""

    def __init__(self, status, out, err, log, stats, ram):
        self.status, self.out, self.err, self.stats, self.ram = status, out, err, stats, ram
        self.ops = [(w[1], int(w[2], 0), int(w[3]), w[-1] == "cut")
                    for w in (line.split() for line in log.splitlines()) if w[0] != "-"]

    def check_clean(self):
        """The program did nothing that a chip does not allow."""
        for name in ("faults", "exceptions", "noisy_reads", "watchdog_bites"):
            check(self.stats[name] == 0, name, self.stats[name], self.err)
        check(self.stats["stack_low"] >= STACK_END, "the stack reaches down to", hex(self.stats["stack_low"]))

    def check_loaded(self, image):
        """The image's segments are where they belong, in RAM and IRAM."""
        off = 8
        for _ in range(image[1]):
            vaddr = int.from_bytes(image[off:off + 4], "little")
            size = int.from_bytes(image[off + 4:off + 8], "little")
            at = vaddr - RAM_VADDR if vaddr < IRAM_VADDR else RAM_SIZE + vaddr - IRAM_VADDR
            check(self.ram[at:at + size] == image[off + 8:off + 8 + size], "segment at", hex(vaddr))
            off += 8 + size


def entry(image):
    return int.from_bytes(image[4:8], "little")


def power_on(rom, flash, *options):
    """A cold start of the board with these files. `flash` is changed as the chip is."""
    log, stats, ram = (flash.with_name(flash.name + end) for end in (".log", ".stats", ".ram"))
    for path in (log, stats, ram):
        path.unlink(missing_ok=True)
    done = subprocess.run([BOARD, *map(str, options), "--log", log, "--stats", stats, "--ram", ram, rom, flash],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False)
    err = done.stderr.decode()
    check(stats.exists(), "it did not run:", err)
    return Run(done.returncode, done.stdout.decode("latin-1"), err, log.read_text(), json.loads(stats.read_text()), ram.read_bytes())
