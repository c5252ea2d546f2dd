"""Facts that are tests, told as TAP: what all of molt's tests in Python are made of.

A test is a function with @test. The fact that it shows is the first line of its documentation or, without, its name. It
fails with Failure or any other exception, and Skip says why it could not be tried.
"""
import concurrent.futures
import sys
import threading
import traceback

TESTS = []
TICKET = threading.local()
WHY_LINES = 24  # of what a failing test says


class Failure(Exception):
    """The fact is none."""


class Skip(Exception):
    """The test cannot be made here."""


def test(function):
    """Decorator: the function is a test."""
    TESTS.append(function)
    return function


def hazard(text):
    """Decorator: names the hazard of earlier designs that a test is about. It is told in the fact."""
    def mark(function):
        function.hazards = [text] + getattr(function, "hazards", [])
        return function
    return mark


def same(got, expected, what=""):
    if got != expected:
        raise Failure(f"{what}: got {got!r}, expected {expected!r}")


def true(condition, what):
    if not condition:
        raise Failure(what)


def check(condition, *what):
    """Like true(), with the words of the sentence as they come."""
    if not condition:
        raise Failure(" ".join(map(str, what)))


def note(text):
    """A comment line below the test's result."""
    TICKET.notes.append(text)


def fact(function):
    words = function.__doc__ and function.__doc__.splitlines()[0].rstrip(".") or function.__name__.replace("_", " ")
    named = getattr(function, "hazards", [])
    return words + (f" [hazard: {'; '.join(named)}]" if named else "")


def outcome(call, function):
    """(verdict, directive, comment lines) of one test."""
    TICKET.notes = []
    try:
        call(function)
        return "ok", "", TICKET.notes
    except Skip as skip:
        return "ok", f" # SKIP {skip}", TICKET.notes
    except Failure as failure:
        return "not ok", "", TICKET.notes + str(failure).splitlines()[:WHY_LINES]
    except Exception:  # a mistake in the test, or in what it reads
        return "not ok", "", TICKET.notes + traceback.format_exc().splitlines()[-WHY_LINES:]


def report(number, function, result):
    verdict, directive, lines = result
    print(f"{verdict} {number} - {fact(function)}{directive}")
    for line in lines:
        print(f"#   {line}")
    sys.stdout.flush()
    return verdict == "ok"


def main(words=(), call=lambda function: function(), jobs=1):
    """Run the tests, or those with one of `words` in their names, so many at a time; the exit status.

    call  runs one test: where each needs a folder of its own, or the like.
    """
    chosen = [t for t in TESTS if not words or any(w in t.__name__ for w in words)]
    print(f"1..{len(chosen)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda function: outcome(call, function), chosen)
        fine = [report(number, function, result) for number, (function, result) in enumerate(zip(chosen, results), 1)]
    return 0 if chosen and all(fine) else 1
