"""What has to be true after an upgrade, whoever interrupted it, and after a refusal."""
import re

from rig import FS_START, SYSTEM_SIZE, firmware, same, same_bytes, stored, true, with_params

SAVED = "molt.head"
STASH = "molt.stash"
# What the package for firmwares without molt puts on the filesystem.
PACKAGE = re.compile(r"lib/(molt\w*\.mpy|_molt/.*)$")
STATUS = "import molt; print(molt.status())"


def target_is(board, before, image, fs_start=FS_START):
    """Below the filesystem flash is the image, with the header bytes that the device had before, and else as it was;
    the system sectors are as they were. `before` is all of flash before the upgrade."""
    flash = board.flash()
    wanted = stored(with_params(image, before[2:4]))
    same_bytes(flash[:len(wanted)], wanted, "the image in flash")
    same_bytes(flash[len(wanted):fs_start], before[len(wanted):fs_start], "flash behind the image", len(wanted))
    system = len(flash) - SYSTEM_SIZE
    same_bytes(flash[system:], before[system:], "the system sectors", system)


def files_are(board, files):
    """The files on the board are these, byte for byte, beside what molt saves."""
    found = {path: data for path, data in board.files().items() if path in files or not PACKAGE.match(path)}
    found.pop(SAVED, None)
    found = {path: data for path, data in found.items() if not path.startswith(STASH)}
    same(sorted(found), sorted(files), "the files on the board")
    for path, data in files.items():
        same_bytes(found[path], data, path)


def landed(board, before, name, files, fs_start=FS_START):
    """All of it: firmware `name` is in place and boots, the files are intact. What molt.status() says."""
    target_is(board, before, firmware(name), fs_start)
    files_are(board, files)
    flash = board.flash()
    true(board.run().runs(name), f"{name} boots")
    status = board.run(STATUS).value()
    same_bytes(board.flash(), flash, "flash after two more starts")
    return status


# Runs the code and prints what it raised, as one line.
ATTEMPT = """
import molt
try:
{code}
    print("NOT REFUSED")
except Exception as e:
    print("%s %r" % (type(e).__name__, e.args))
"""


def attempt(board, code, *options, **settings):
    """Run code that is to be refused: (the run, exception type, its arguments, the sentence)."""
    body = "\n".join("    " + line for line in code.splitlines())
    run = board.run(ATTEMPT.format(code=body), *options, **settings)
    kind, _, args = run.lines()[-1].partition(" ")
    true(kind != "NOT", "it is refused")
    true(args.startswith("("), f"an exception is raised: {run.lines()[-3:]}")
    args = eval(args)  # a tuple of constants, made by the line above
    return run, kind, args, str(args[-1])


def refused(board, code, kind, words, *options):
    """The code raises `kind` with these words (and OSError with an errno), and flash stays byte for byte as it was."""
    before = board.flash()
    run, raised, args, sentence = attempt(board, code, *options)
    same(raised, kind, f"type of the exception {args}")
    true(words in sentence, f"the sentence has {words!r}: {sentence!r}")
    if kind == "OSError":
        true(len(args) == 2 and isinstance(args[0], int), f"errno and sentence: {args}")
    same(len(run.ops), 0, "flash operations")
    same_bytes(board.flash(), before, "flash")
