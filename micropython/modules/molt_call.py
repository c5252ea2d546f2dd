"""How molt.py calls what stands behind it, without a name of its own there."""

import sys
import _molt

# On a firmware without molt a module is heap, and is there while it is needed. In one with molt it is not, and all are loaded now:
# nothing is looked for on a filesystem later.
_is_heap = hasattr(_molt, "FOLDER")
if not _is_heap:
    import molt_ask
    import molt_file


def forget(module):
    if _is_heap:
        sys.modules.pop(module, None)


def call(module, name, *args, **options):
    """Call a function of a module, and forget the module."""
    try:
        return getattr(__import__(module), name)(*args, **options)
    finally:
        forget(module)
        forget("molt_upgrade")
