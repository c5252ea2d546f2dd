"""vboard/run: code for MicroPython's REPL, text to wait for, a terminal."""
import os
import pty
import re
import subprocess
import termios

from rig import BOARD, BRICK, BROKEN, ENVIRONMENT, flash_file, image, program, Run, same, scratch, test, TIMEOUT, true


def repl_flash():
    segments, entry, _ = program("repl")
    return flash_file(boot=image(segments, entry))


@test
def exec_prints_what_the_code_prints_and_switches_off():
    run = Run([], "--exec", "x = 1", flash=repl_flash())
    same((run.status, run.output, run.errors), (0, "x = 1\r\n", ""))
    true(run.stats["status"] == 0, run.stats)


@test
def script_is_exec_from_a_file():
    path = scratch() / "script.py"
    path.write_text("line 1\nline 2\n")
    same(Run([], "--script", path, flash=repl_flash()).output, "line 1\nline 2\n\r\n")


@test
def exec_of_code_that_raises_has_status_1_and_shows_the_error():
    run = Run([], "--exec", "raise", flash=repl_flash())
    same((run.status, run.output, run.errors), (1, "before\r\n", "Traceback: it raised\r\n"))


@test
def exec_of_code_that_resets_goes_on_to_the_next_prompt():
    run = Run([], "--exec", "reset", flash=repl_flash())
    same((run.status, run.stats["resets"]), (0, 1))
    true(re.fullmatch(r"resetting.*rst cause:2.*banner\r\n>>> ", run.output, re.S), run.output)


@test
def exec_of_code_that_hangs_runs_into_the_timeout():
    same(Run([], "--exec", "hang", "--timeout", 1, flash=repl_flash()).status, TIMEOUT)


@test
def exec_of_no_code_does_nothing():
    run = Run([], "--exec", "", "--timeout", 5, flash=repl_flash())
    same((run.status, run.output, run.errors), (0, "\n\r\n", ""))


def board(*options):
    """vboard/run with options of the test's own; status and standard error."""
    done = subprocess.run([BOARD / "run", repl_flash(), *map(str, options)], stdin=subprocess.DEVNULL, capture_output=True,
                          env=ENVIRONMENT, timeout=60)
    return done.returncode, done.stderr.decode()


@test
def files_that_cannot_be_opened_are_told_before_the_board_starts():
    for option in ("--script", "--log", "--stats"):
        for path, why in ((scratch() / "no" / "file", "No such file or directory"), (scratch(), "Is a directory")):
            extra = () if option == "--script" else ("--exec", "x")
            same(board(option, path, *extra), (BROKEN, f"vboard: {path}: {why}; check name and permissions\n"), option)


@test
def only_one_of_exec_script_and_until_is_taken():
    status, errors = board("--exec", "x", "--until", "y")
    same(status, 2)
    true("not allowed with argument" in errors, errors)


@test
def output_that_nobody_reads_ends_the_run_without_a_word():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([BOARD / "run", repl_flash(), "--exec", "x"], stdin=subprocess.DEVNULL, stdout=writer,
                          stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=60)
    os.close(writer)
    same((done.returncode, done.stderr), (141, b""))


@test
def exec_on_a_brick_has_the_bricks_status():
    same(Run([], "--exec", "x", flash=flash_file(boot=b"")).status, BRICK)


@test
def until_switches_off_when_the_text_has_come():
    run = Run([], "--until", "banner", flash=repl_flash())
    same(run.status, 0)
    true("banner" in run.output and run.stats["status"] == 0, run.output)


@test
def a_terminal_is_connected_to_the_uart_and_restored():
    board_side, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen([BOARD / "run", flash_file()], stdin=terminal, stdout=terminal, stderr=subprocess.PIPE,
                               env=ENVIRONMENT)
    text = b""
    while b"csum" not in text:
        text += os.read(board_side, 4096)
    true(not termios.tcgetattr(terminal)[3] & termios.ICANON, "the terminal is not raw")
    os.write(board_side, b"cause\n")
    while b"> cause: 1" not in text:
        text += os.read(board_side, 4096)
    os.write(board_side, b"\x1d")
    same(process.wait(timeout=10), 0)
    same(termios.tcgetattr(terminal), before, "the terminal's settings")
    process.stderr.close()
    os.close(board_side)
    os.close(terminal)
