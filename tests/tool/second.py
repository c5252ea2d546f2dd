#!/usr/bin/env python3
"""The tests of the tool on a tool with another littlefs, as one TAP.

    tests/tool/second.py MOLT      (a tool that is not there: skipped)
"""

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SUITES = ["files", "place", "refusals", "upgrade", "power", "images", "doctor", "resident", "info", "fuzz"]


def main():
    molt = Path(sys.argv[1])
    if not molt.exists():
        print(f"1..1\nok 1 - the tool with another littlefs # SKIP there is no {molt}: the second MicroPython is not there")
        return 0
    count = failed = 0
    environment = {**os.environ, "MOLT_FUZZ_ROUNDS": "40"}
    for suite in SUITES:
        run = subprocess.run([sys.executable, FOLDER / f"test_{suite}.py", molt], capture_output=True, text=True, env=environment,
                             check=False)
        lines = run.stdout.splitlines()
        planned = next((int(line[3:]) for line in lines if line.startswith("1..")), 0)
        results = [line for line in lines if re.match(r"(not )?ok ", line)]
        for line in lines:
            match = re.match(r"((?:not )?ok )\d+ - (.*)", line)
            if match:
                count += 1
                failed += match[1] != "ok "
                print(f"{match[1]}{count} - {suite}: {match[2]}", flush=True)
            elif line.startswith("#"):
                print(line, flush=True)
        if len(results) != planned or not planned:
            count += 1
            failed += 1
            print(f"not ok {count} - {suite}: {len(results)} of {planned} tests ran; {run.stderr[-500:]!r}")
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
