#!/usr/bin/env python3
"""The tests of the virtual ESP8266, as TAP. They need `make vboard`, the lx106 compiler and cc.

    tests/vboard/test_vboard.py [NAME...]     all tests, or those of these names

Each test is a function whose name is the fact that it shows; rig.py has what they are made of.
"""
import importlib
import sys

import rig

for module in ("facts_boot", "facts_flash", "facts_chip", "facts_reset", "facts_window", "facts_rom", "facts_run"):
    importlib.import_module(module)

if __name__ == "__main__":
    sys.exit(rig.run_tests(sys.argv[1:]))
