"""vboard/run on this board: code for MicroPython's REPL, text to wait for, and many runs with power cuts from one process."""
import hashlib
import re
import subprocess

from rig import (
    BOARD, BRICK, BROKEN, ENVIRONMENT, ERASE, FACTORY, flash_file, FREE, images, IRAM, program, Run, same, scratch, SECTOR, TEARS, test, TIMEOUT,
    true,
)


def repl_flash():
    mapped, code, data, _ = program("repl", "repl")
    first, second = (0x3C000020, images.esp_description()), (0x42000128, mapped or b"\0" * 4)
    return flash_file({FACTORY: images.esp_image([first, second, (IRAM, code), (0x3FC90000, data)], IRAM)})


@test
def exec_prints_what_the_code_prints_and_switches_off():
    run = Run([], "--exec", "x = 1", flash=repl_flash())
    same((run.status, run.output, run.errors), (0, "x = 1\r\n", ""))
    path = scratch() / "script.py"
    path.write_text("line 1\nline 2\n")
    same(Run([], "--script", path, flash=repl_flash()).output, "line 1\nline 2\n\r\n")


@test
def exec_of_code_that_raises_resets_or_hangs_ends_as_on_the_other_board():
    run = Run([], "--exec", "raise", flash=repl_flash())
    same((run.status, run.output, run.errors), (1, "before\r\n", "Traceback: it raised\r\n"))
    run = Run([], "--exec", "reset", flash=repl_flash())
    same((run.status, run.stats["resets"]), (0, 1))
    true(re.fullmatch(r"resetting.*ESP-ROM:esp32c3.*rst:0x3.*banner\r\n>>> ", run.output, re.S), run.output)
    same(Run([], "--exec", "hang", "--timeout", 1, flash=repl_flash()).status, TIMEOUT)


@test
def until_switches_off_when_the_text_has_come():
    run = Run([], "--until", "monitor factory")
    same((run.status, "monitor factory" in run.output), (0, True))


def board(*options, flash=None):
    """vboard/run with options of the test's own; status, standard output and error."""
    done = subprocess.run([BOARD / "run", flash or flash_file(), *map(str, options)], stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT,
                          timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@test
def the_board_is_that_of_the_image_or_of_the_option():
    same(board(flash=flash_file())[0], 0)
    status, output, _ = board("--board", "esp32c3", flash=flash_file(boot=b""))
    same((status, "ESP-ROM:esp32c3" in output), (BRICK, True), "by the option")
    status, output, _ = board(flash=flash_file(boot=b""))
    same((status, "ets Jan" in output), (BRICK, True), "an ESP8266 without an image")


@test
def options_of_the_other_board_are_refused():
    for option in (["--plugin"], ["--poison", "boot"], ["--digest", "0:4"], ["--jobs", "2"]):
        status, _, errors = board(*option)
        same(status, BROKEN, option)
        true(option[0] in errors, errors)


# ---- many runs

def many(flash, runs, *options, commands=()):
    """Lines of the answer by the name of the run: status, fields, digests."""
    listed = scratch() / "runs"
    listed.write_text("".join(line + "\n" for line in runs))
    done = subprocess.run([BOARD / "run", flash, "--runs", listed, *map(str, options)], input="".join(c + "\n" for c in commands).encode(),
                          capture_output=True, env=ENVIRONMENT, timeout=60)
    answers = {}
    for line in done.stdout.decode().splitlines():
        name, status, *rest = line.split()
        answers[name] = (int(status), dict(f.split("=") for f in rest if "=" in f), [f for f in rest if "=" not in f])
    return done.returncode, answers, done.stderr.decode()


def writing_flash():
    """A program that erases a sector and programs 64 bytes, each time it is started."""
    commands = [ERASE, f"fill {FREE:x} 40 0"]
    return flash_file(), commands


@test
def runs_are_what_single_runs_are():
    """Each run of a list leaves what a run with --cut does."""
    flash, commands = writing_flash()
    runs = [f"{n}:{tear}" for n in range(3) for tear in TEARS]
    original = flash.read_bytes()
    status, answers, _ = many(flash, runs, "--digest", f"{FREE:#x}:{SECTOR}", commands=commands)
    same((status, set(answers)), (0, {"-", *runs}))
    same(flash.read_bytes(), original, "the flash file stays as it is")
    log = scratch() / "trunk.log"
    many(flash, runs, "--log", log, commands=commands)
    same(len(log.read_text().splitlines()), 3, "the log is of the run without a cut")
    for run in ("0:random", "1:stray", "2:start"):
        flash.write_bytes(original)
        Run(commands, f"--cut={run}", flash=flash)
        same(answers[run][2], [hashlib.sha256(flash.read_bytes()[FREE:FREE + SECTOR]).hexdigest()], run)
        same(answers[run][1]["power_ons"], "2", run)


@test
def a_run_has_cuts_in_what_follows_too():
    """The second word of a run cuts the run after the next power-on."""
    # otadata that is new is written at each start, by the boot loader.
    import facts_ota
    flash = facts_ota.device(facts_ota.entry(1), facts_ota.entry(2, facts_ota.NEW))
    runs = ["0:before", "0:after", "1:after 0:before", "1:after 0:random 1:start", "1:random 9:before"]
    status, answers, errors = many(flash, runs, "--until", "monitor ota_", "--digest", "0xd000:8192,0:16")
    same((status, set(answers)), (0, {"-", *(r.replace(" ", ",") for r in runs)}))
    for name, (ended, fields, digests) in answers.items():
        same((ended, len(digests)), (0, 2), name)
    same(answers["1:after,0:before"][1]["power_ons"], "3")
    same(answers["1:after,0:random,1:start"][1]["power_ons"], "3", "the third cut's operation never came: otadata is not written once more")
    same(answers["1:random,9:before"][1]["power_ons"], "2")
    same(errors.count("power cut"), 7)
    # The second cut is at its own operation, 0: the third start finds the trial, and ends it.
    aborted = facts_ota.entry(1).ljust(SECTOR, b"\xff") + facts_ota.entry(2, facts_ota.ABORTED).ljust(SECTOR, b"\xff")
    same(answers["1:after,0:before"][2][0], hashlib.sha256(aborted).hexdigest(), "otadata")


@test
def a_run_that_does_not_come_to_the_text_is_told_and_kept():
    folder = scratch()
    import facts_ota
    flash = facts_ota.device(facts_ota.entry(1), facts_ota.entry(2, facts_ota.NEW))
    _, answers, _ = many(flash, ["0:after"], "--until", "monitor ota_1", "--keep", folder)
    same((answers["-"][0], answers["0:after"][0]), (0, TIMEOUT))
    true((folder / "0:after.bin").read_bytes()[0xE000:0xF000] == b"\xff" * SECTOR, "the flash as the run left it")


@test
def a_list_that_is_none_is_refused():
    for line in ("x", "1:torn", "1", "1:before 2"):
        status, answers, errors = many(flash_file(), [line])
        same((status, answers), (BROKEN, {}), line)
        true("list of cuts" in errors, errors)
    same(board("--runs", "/nowhere")[0], BROKEN)


@test
def another_boot_loader_runs_in_place_of_that_in_flash():
    path = scratch() / "other.bin"
    path.write_bytes(images.esp_image([(IRAM, program("factory")[1]), (0x3FC90000, program("factory")[2])], IRAM, has_hash=False))
    run = Run([], "--bootloader", path, flash=flash_file({}))
    same((run.status, run.started()), (0, ["factory"]))
    same(Run([], "--bootloader", path.with_name("none")).status, BROKEN)
