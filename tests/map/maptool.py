"""Runs of `molt map` for its tests: where the tool is, what it prints. The tool is the first argument, or build/molt."""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
from tap import check  # noqa: E402

MOLT = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/molt").resolve()
SECTOR = 4096


def molt(*words, status=0):
    done = subprocess.run([MOLT, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    check(done.returncode == status, "molt", *words, "->", done.returncode, done.stderr)
    if status == 1:
        check(len(done.stderr.splitlines()) == 1 and not done.stdout, "one sentence:", done.stderr)
    return done.stdout + done.stderr


def shown(*words):
    return json.loads(molt("map", "--json", *words))
