"""How molt.py calls what stands behind it, without a name of its own there."""

import sys


def call(module, name, *args, **options):
    """Call a function of a module, and forget the module: on a firmware without molt it is heap."""
    try:
        return getattr(__import__(module), name)(*args, **options)
    finally:
        sys.modules.pop(module, None)
        sys.modules.pop("molt_upgrade", None)
