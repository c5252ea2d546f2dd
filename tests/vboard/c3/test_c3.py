#!/usr/bin/env python3
"""The tests of the virtual ESP32-C3, as TAP. They need `make vboard` and the RISC-V compiler.

    tests/vboard/c3/test_c3.py [NAME...]     all tests, or those of these names

Each test is a function whose name is the fact that it shows; rig.py has what they are made of.
"""
import importlib
import sys

import rig

for module in ("facts_boot", "facts_image", "facts_table", "facts_ota", "facts_chip", "facts_reset", "facts_flash", "facts_run"):
    importlib.import_module(module)

if __name__ == "__main__":
    sys.exit(rig.run_tests(sys.argv[1:]))
