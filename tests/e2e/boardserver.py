"""Runs vboard/run as often as it is asked to, each time in a fork of a process that has it loaded: to start Python again
takes longer than most runs of the board.

usage: boardserver.py VBOARD_RUN

Each line of standard input is JSON: the arguments, and the files that take its output. Each is answered, when the
run is over, by a line with its exit status. One run at a time.
"""
import json
import os
import runpy
import sys
import traceback


def run(program, words, out, err):
    """In the child: as a process of its own would."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, fd in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
    sys.argv = ["vboard/run", *words]
    try:
        status = program["main"]()
    except SystemExit as ending:
        status = ending.code
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


def main():
    program = runpy.run_path(sys.argv[1])
    for line in sys.stdin:
        words, out, err = json.loads(line)
        child = os.fork()
        if child == 0:
            run(program, words, out, err)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
