# Frozen into firmware A only, so that A's qstrs are not B's.


def only_in_a():
    return "A"
