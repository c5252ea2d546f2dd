#!/usr/bin/env python3
"""How molt gets into a firmware, as micropython/README.md says it. Prints TAP.

usage: test_recipe.py BUILD MICROPY_DIR LX106 [MICROPY_DIR_2]

Every command of that page's chapter on the real port, taken from the page, is given to MicroPython's own Makefile, which says what
it would do; its manifests are executed by MicroPython's own manifestfile.py. What needs Espressif's SDK is not built here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402
from tap import Skip, same, test  # noqa: E402

BUILD, MICROPY_DIR = (Path(a).resolve() for a in sys.argv[1:3]) if len(sys.argv) > 3 else sys.exit(__doc__)
LX106 = sys.argv[3]
MICROPYTHONS = [d for d in [MICROPY_DIR, *(Path(a).resolve() for a in sys.argv[4:])] if (d / "py/mpconfig.h").exists()]
PAGE = (ROOT / "micropython/README.md").read_text()
CHAPTER = PAGE[PAGE.index("## Into a real esp8266 build"):PAGE.index("## Onto the device")]
# The compiler that the committed boot loaders are made with: Debian 12's.
PINNED_GCC = "12.2.0"
# What the esp32 port's micropython.cmake has beside.
OF_ESP32 = {"molt_extmod/%s.o" % name for name in ("core_esp32", "core_idf", "device_esp32", "frozen_esp32", "outcome_api", "standby_api")}
# Left out: what the source package of MicroPython does not contain.
ABSENT = ["MICROPY_PY_SSL=0", "MICROPY_PY_BTREE=0"]

SCRATCH = tempfile.TemporaryDirectory(prefix="recipe-")
WORK = Path(SCRATCH.name)


def environment(**more):
    """Nothing of the make that runs the tests."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "BUILD", "MICROPY_DIR",
                                                             "MICROPY_DIR_2", "VARIANT")} | more


def run(*words, cwd=ROOT, **more):
    return subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=environment(**more))


def port(micropython, *words, build="port", dry=True):
    """MicroPython's Makefile for the esp8266, with the virtual SDK's headers; it only says what it would do."""
    folder = WORK / build
    shutil.rmtree(folder, ignore_errors=True)
    done = run("make", *["-n"] * dry, "-C", micropython / "ports/esp8266", "BUILD=%s" % folder, "CROSS_COMPILE=%s" % LX106,
               "ESP_SDK=%s" % (ROOT / "micropython/vport/sdk"), *ABSENT, *words, MICROPY_GIT_TAG="v1", MICROPY_GIT_HASH="none")
    assert done.returncode == 0, "make %s: %s" % (" ".join(map(str, words)), (done.stdout + done.stderr)[-600:])
    return done


def compilations(text):
    """{object: command} of what make would compile of molt."""
    commands = {}
    for line in text.replace("\\\n", " ").splitlines():
        found = re.search(r"(\S*gcc .* -c .*-o \S*/(molt_extmod/\w+\.o) \S*)", line)
        if found:
            commands[found[2]] = found[1]
    return commands


# ---- the page's commands

def page_commands():
    """The page's `make -C ports/esp8266 ...`, with paths that exist."""
    places = {"$MOLT": str(ROOT), "/path/to/my_manifest.py": str(WORK / "my_manifest.py"), "/path/to": str(WORK)}
    lines = []
    for line in re.findall(r"^ {4}((?:make|ln) .*)$", CHAPTER, re.MULTILINE):
        for name, value in places.items():
            line = line.replace(name, value)
        lines.append(line.split())
    return lines


@test
def each_command_of_the_page_is_one_that_makes_a_firmware_with_molt():
    (WORK / "modules").mkdir()
    (WORK / "my_manifest.py").write_text(page_manifests()[0])
    made = 0
    for micropython in MICROPYTHONS:
        for words in page_commands():
            if words[0] == "ln":
                (WORK / "modules/molt_extmod").unlink(missing_ok=True)
                same(run(*words).returncode, 0, "ln")
                continue
            same(words[:3], ["make", "-C", "ports/esp8266"], "command")
            objects = compilations(port(micropython, *words[3:]).stdout)
            sources = {"molt_extmod/%s.o" % p.stem for p in (ROOT / "micropython/molt_extmod").glob("*.c")} - OF_ESP32
            same(sources - set(objects), set(), "sources that `%s` leaves out" % " ".join(words))
            made += 1
    assert made >= 4 * len(MICROPYTHONS), "%d commands in the page" % made


@test
def boards_of_the_table_are_variants_that_there_are():
    for words in re.findall(r"`(BOARD[^`]*)`", CHAPTER):
        if words.startswith("BOARD_VARIANT"):
            words = "BOARD=ESP8266_GENERIC " + words
        port(MICROPY_DIR, *words.replace("$MOLT", str(ROOT)).split())


@test
def a_symbolic_link_leads_to_molts_own_files():
    """What is compiled by the link's path finds molt's headers, and no other's of the same name."""
    links = WORK / "links"
    links.mkdir()
    (links / "molt_extmod").symlink_to(ROOT / "micropython/molt_extmod")
    other = links / "other_extmod"
    other.mkdir()
    (other / "other.c").write_text("int other;\n")
    (other / "micropython.mk").write_text("SRC_USERMOD_C += $(USERMOD_DIR)/other.c\n")
    done = port(MICROPY_DIR, "USER_C_MODULES=%s" % links)
    assert "other_extmod/other.o" in done.stdout, "the module beside it"
    commands = compilations(done.stdout)
    # Those that include nothing of MicroPython's, of which a part is made by the build.
    cores = sorted(o for o in commands if "/core" in o and "frozen.h" not in (ROOT / "micropython" / o).with_suffix(".c").read_text())
    assert len(cores) == 3, cores
    (WORK / "port/molt_extmod").mkdir(parents=True)
    for name in cores:
        compiled = run("sh", "-c", commands[name] + " -fsyntax-only", cwd=MICROPY_DIR / "ports/esp8266")
        same(compiled.returncode, 0, "%s: %s" % (name, compiled.stderr[-500:]))


@test
def without_delta_files_the_core_has_all_that_it_calls():
    """With MOLT_DELTA=0: everything of molt's that its objects need is in one of them, and nothing of the boot loader's extension"""
    commands = compilations(port(MICROPY_DIR, "USER_C_MODULES=%s" % (ROOT / "micropython"), "MOLT_DELTA=0").stdout)
    cores = [o for o in commands if o.split("/")[-1] in ("core.o", "core_lfs.o", "core_port.o")]
    same(len(cores), 3, "objects")
    (WORK / "port/molt_extmod").mkdir(parents=True, exist_ok=True)
    needed, there = set(), set()
    for name in cores:
        assert "-DMOLT_DELTA=0" in commands[name].split(), commands[name]
        compiled = run("sh", "-c", re.sub(r"-o \S+", "-o %s" % (WORK / "nodelta.o"), commands[name]), cwd=MICROPY_DIR / "ports/esp8266")
        same(compiled.returncode, 0, "%s: %s" % (name, compiled.stderr[-500:]))
        for line in run(LX106 + "nm", WORK / "nodelta.o").stdout.splitlines():
            (needed if line.split()[-2] == "U" else there).add(line.split()[-1])
    same({n for n in needed - there if n.startswith(("molt_", "job_"))}, set(), "needed, and nowhere")
    assert "molt_job_open" in there and "molt_delta_begin" in there, "what was compiled"
    same({n for n in there if n in ("molt_delta_read_number", "molt_delta_fix")}, set(), "of the decoder")


@test
def a_linked_board_folder_does_as_well():
    board = WORK / "boards/MOLT_ESP8266"
    board.parent.mkdir()
    board.symlink_to(ROOT / "micropython/boards/MOLT_ESP8266")
    for variant in ([], ["BOARD_VARIANT=FLASH_1M"]):
        text = port(MICROPY_DIR, "BOARD_DIR=%s" % board, *variant).stdout
        assert compilations(text), "molt is not in it"
        assert "%s/micropython/boards/MOLT_ESP8266/../molt_%s.ld" % (ROOT, "1MiB" if variant else "2MiB") in text, "linker script"


@test
def a_link_of_another_name_is_warned_of():
    links = WORK / "named"
    links.mkdir()
    (links / "molt").symlink_to(ROOT / "micropython/molt_extmod")
    done = port(MICROPY_DIR, "USER_C_MODULES=%s" % links)
    assert 'ends in "extmod"' in done.stderr, done.stderr[-300:]
    assert "extmod" not in port(MICROPY_DIR, "USER_C_MODULES=%s" % (ROOT / "micropython")).stderr, "no warning"


@test
def clean_and_submodules_need_nothing_built():
    for goal in ("clean", "submodules"):
        port(MICROPY_DIR, "BOARD_DIR=%s" % (ROOT / "micropython/boards/MOLT_ESP8266"), goal)


@test
def a_firmware_without_molts_python_is_warned_of():
    said = {}
    for names in ('"_boot.py",', '"_boot.py",\n        "molt.py",'):
        folder = WORK / "warned"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in ("firmware.bin", "frozen_content.c"):
            (folder / name).write_text(names)
        done = run("make", "-C", MICROPY_DIR / "ports/esp8266", "-o", folder / "firmware.bin", "BUILD=%s" % folder,
                   "USER_C_MODULES=%s" % (ROOT / "micropython"), "CROSS_COMPILE=%s" % LX106, *ABSENT, "molt-manifest")
        same(done.returncode, 0, done.stderr)
        said[names] = "no module molt to import" in done.stderr
    same(list(said.values()), [True, False], "warned")


# ---- manifests

def page_manifests():
    """The Python blocks of the chapter, with the path of this checkout."""
    blocks = re.findall(r"^```python\n(.*?)^```", CHAPTER, re.MULTILINE | re.DOTALL)
    return [block.replace("/path/to/molt", str(ROOT)) for block in blocks]


def library(micropython):
    """A folder like micropython-lib, with a package for each that a manifest requires: the source package has none."""
    top = WORK / ("lib-" + micropython.name)
    if not top.exists():
        manifests = [*(micropython / "ports/esp8266/boards").rglob("manifest*.py"), ROOT / "micropython/manifest.py"]
        text = "".join(p.read_text() for p in manifests) + CHAPTER
        for name in set(re.findall(r'require\("([^"]+)"', text)):
            folder = top / "micropython" / name
            folder.mkdir(parents=True)
            (folder / "manifest.py").write_text('metadata(version="1")\nmodule("%s.py")\n' % name)
            (folder / ("%s.py" % name)).write_text("")
    return top


def frozen(micropython, manifest, *variables):
    """{name on the device: path} of what a manifest freezes; nothing may come twice."""
    names = {"MPY_DIR": micropython, "MPY_LIB_DIR": library(micropython), "PORT_DIR": micropython / "ports/esp8266",
             "BOARD_DIR": micropython / "ports/esp8266/boards/ESP8266_GENERIC"}
    names |= dict(v.split("=") for v in variables)
    code = """import sys; sys.path.insert(0, sys.argv[1] + "/tools"); import manifestfile
manifest = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, dict(v.split("=") for v in sys.argv[3:]))
manifest.execute(sys.argv[2])
for file in manifest.files(): print(file.target_path, file.full_path)"""
    done = run(sys.executable, "-c", code, micropython, manifest, *("%s=%s" % v for v in names.items()))
    same(done.returncode, 0, done.stderr[-500:])
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    same(sorted({name for name, _ in lines}), sorted(name for name, _ in lines), "frozen once each")
    return dict(lines)


def check_complete(micropython, got, stock):
    """What the stock manifest freezes is there, but the port's inisetup; and molt."""
    boards = micropython / "ports/esp8266/boards"
    expected = frozen(micropython, boards / stock)
    own = {p.name: str(p) for p in (ROOT / "micropython/modules").glob("*.py")}
    for name, path in (expected | own).items():
        same(got.get(name), path, name)


@test
def molts_manifests_have_all_that_the_ports_own_have():
    for micropython in MICROPYTHONS:
        boards = ROOT / "micropython/boards/MOLT_ESP8266"
        for path, stock in ((ROOT / "micropython/manifest.py", "manifest.py"), (boards / "manifest.py", "manifest.py"),
                            (boards / "manifest_2MiB.py", "ESP8266_GENERIC/manifest_2MiB.py")):
            check_complete(micropython, frozen(micropython, path), stock)


@test
def the_ports_manifest_may_stand_beside_molts_before_or_behind():
    molt = 'include("%s/micropython/manifest.py")\n' % ROOT
    for stock in ("manifest.py", "ESP8266_GENERIC/manifest_2MiB.py"):
        theirs = 'include("$(PORT_DIR)/boards/%s")\n' % stock
        for micropython in MICROPYTHONS:
            for text in (molt + theirs, theirs + molt, theirs + molt + theirs):
                (WORK / "beside.py").write_text(text)
                check_complete(micropython, frozen(micropython, WORK / "beside.py"), stock)


@test
def the_pages_manifests_are_whole():
    for micropython in MICROPYTHONS:
        own, small = page_manifests()
        (WORK / "own.py").write_text(own)
        check_complete(micropython, frozen(micropython, WORK / "own.py"), "ESP8266_GENERIC/manifest_2MiB.py")
        (WORK / "variable.py").write_text(re.search(r'`(include\("\$\(MOLT\)[^`]*)`', CHAPTER)[1])
        check_complete(micropython, frozen(micropython, WORK / "variable.py", "MOLT=%s" % ROOT), "manifest.py")
        (WORK / "small.py").write_text(small)
        names = set(frozen(micropython, WORK / "small.py"))
        assert {"_boot.py", "flashbdev.py", "inisetup.py", "molt.py"} <= names and "apa102.py" not in names, names


# ---- the boot loaders

def are_made_of_these_sources(folder, variable, compiler):
    """The boot loaders in a port's prebuilt are what `compiler` makes; `variable` of the Makefile names what it makes."""
    committed = sorted((ROOT / folder / "prebuilt").glob("*"))
    made = run("make", "-s", "BUILD=%s" % BUILD, "MICROPY_DIR=%s" % MICROPY_DIR, "--eval=made: ; @echo $(%s)" % variable, "made").stdout.split()
    fresh = {Path(word).name: ROOT / word for word in made}
    same([p.name for p in committed], sorted(fresh), "committed, and made by make loader")
    for path in committed:
        assert "gcc %s." % PINNED_GCC in path.read_text(), "%s is not of gcc %s" % (path.name, PINNED_GCC)
    version = run(compiler, "-dumpfullversion").stdout.strip()
    if version != PINNED_GCC:
        raise Skip("they are made with gcc %s, and here is %s" % (PINNED_GCC, version or "none"))
    done = run("make", "BUILD=%s" % BUILD, "MICROPY_DIR=%s" % MICROPY_DIR, "LX106=%s" % LX106, *made)
    same(done.returncode, 0, done.stderr[-500:])
    for path in committed:
        assert path.read_bytes() == fresh[path.name].read_bytes(), "%s is out of date: make loader, and commit it" % path.relative_to(ROOT)


@test
def the_committed_boot_loaders_are_those_of_these_sources():
    are_made_of_these_sources("ports/esp8266", "LOADER_MADE", LX106 + "gcc")


@test
def the_committed_loaders_of_the_esp32_family_too():
    version = run(LX106 + "gcc", "-dumpfullversion").stdout.strip()
    if version != PINNED_GCC:
        raise Skip("those for Xtensa are made with gcc %s, and here is %s" % (PINNED_GCC, version or "none"))
    are_made_of_these_sources("ports/esp32", "ESP32_MADE", "riscv64-unknown-elf-gcc")


@test
def the_committed_package_for_mip_is_that_of_these_sources():
    made = BUILD / "mip"
    if not (made / "package.json").exists():
        raise Skip("there is no build/mip: make mip")
    urls = json.loads((ROOT / "package.json").read_text())["urls"]
    same(json.loads((made / "package.json").read_text())["urls"], [[name, name] for name, _ in urls], "files of build/mip, and of package.json")
    same([url for _, url in urls], ["mip/" + name for name, _ in urls], "relative addresses in package.json")
    names = sorted([name for name, _ in urls] + ["molt_get.mpy"])
    same(sorted(p.relative_to(ROOT / "mip").as_posix() for p in (ROOT / "mip").rglob("*") if p.is_file()), names, "files in mip/")
    same([name for name in names if (ROOT / "mip" / name).read_bytes() != (made / name).read_bytes()], [], "others than make mip makes: make mip, and commit")
    version = json.loads((ROOT / "package.json").read_text())["version"]
    same(version, re.search(r'MOLT_VERSION "(.*)"', (ROOT / "include/molt/version.h").read_text())[1], "its version")


@test
def no_two_files_differ_in_case_only():
    # On a host that takes A for a one of them would be lost. build/dist is looked at in tests/dist.
    listed = run("git", "ls-files")
    if listed.returncode:
        raise Skip("this is no checkout of git")
    names = listed.stdout.split("\n")
    lower = [name.lower() for name in names]
    same([name for name in names if lower.count(name.lower()) > 1], [], "files")


@test
def what_calls_the_sdk_does_not_depend_on_the_compilers_uint32_t():
    """An int with gcc 12, a long with gcc 13; the SDK has unsigned int."""
    folders = ["include", "src", "ports/esp8266", "micropython/vport/sdk/include"]
    for word in ("unsigned int", "long unsigned int"):
        done = run(LX106 + "gcc", "-std=gnu99", "-Wall", "-Werror", "-Wno-array-bounds", "-Wno-builtin-declaration-mismatch",
                   "-fsyntax-only", "-U__UINT32_TYPE__", "-D__UINT32_TYPE__=" + word, *("-I%s" % f for f in folders), "ports/esp8266/flash.c")
        same((done.returncode, done.stderr), (0, ""), "uint32_t as %s" % word)


@test
def the_esp32_port_is_given_files_that_there_are():
    folder = ROOT / "micropython/molt_extmod"
    text = (folder / "micropython.cmake").read_text()
    named = re.findall(r"\$\{MOLT_MOD\}/(\w+)\.c", text)
    same([name for name in named if not (folder / (name + ".c")).exists()], [], "files that are not there")
    same({"molt_extmod/%s.o" % name for name in named} >= OF_ESP32, True, "has what is the ESP32 family's")
    for path in re.findall(r"\$\{MOLT_TOP\}/([\w/]+)", text):
        assert (ROOT / path).is_dir(), "%s is no folder" % path


# What MicroPython's ports/esp32/esp32_common.cmake and py/mkrules.cmake do with user modules, without ESP-IDF.
CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.12)
project(port C)
set(USER_C_MODULES {root}/micropython/micropython.cmake)
include({micropython}/py/usermod.cmake)
add_executable(port ${{MICROPY_SOURCE_USERMOD}} {micropython}/py/runtime.c)
target_include_directories(port PUBLIC {vport} {build}/c3-A {micropython} {vport}/idf/include {micropython}/ports/esp32)
target_compile_definitions(port PUBLIC MICROPY_VFS_LFS2=1 "MICROPY_MODULE_FROZEN_MPY=(1)" MICROPY_QSTR_EXTRA_POOL=mp_qstr_frozen_const_pool)
target_link_libraries(port usermod)
file(WRITE ${{CMAKE_BINARY_DIR}}/scan "${{MICROPY_CPP_FLAGS_EXTRA}}\\n${{MICROPY_SOURCE_USERMOD}}\\n")
"""


@test
def cmake_gives_the_esp32_ports_build_flags_sources_and_hooks():
    """By MicroPython's own py/usermod.cmake; mp_init() calls molt, import is led to it, and the search for qstrs finds all headers"""
    if shutil.which("cmake") is None:
        raise Skip("there is no cmake")
    gcc = "riscv64-unknown-elf-gcc"
    vport, folder = ROOT / "micropython/vport-esp32c3", WORK / "cmake"
    for micropython, frozen in ((MICROPY_DIR, "1"), (MICROPY_DIR, "0"), *((m, "1") for m in MICROPYTHONS[1:])):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text(CMAKE_PROJECT.format(root=ROOT, micropython=micropython, vport=vport, build=BUILD))
        done = run("cmake", "-S", folder, "-B", folder / "made", "-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_C_COMPILER=" + gcc,
                   "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-G", "Unix Makefiles", MOLT_FROZEN=frozen, MOLT_DELTA=frozen)
        same(done.returncode, 0, "cmake: " + (done.stdout + done.stderr)[-600:])
        commands = {Path(c["file"]).name: c["command"].split() for c in json.loads((folder / "made/compile_commands.json").read_text())}
        same({"molt_extmod/%s.o" % name[:-2] for name in commands if name != "runtime.c"} >= OF_ESP32, True, "sources")
        command = commands["runtime.c"]
        same([word for word in command if "-DMOLT" in word], ["-DMOLT_STANDBY=1"] + ["-DMOLT_FROZEN=0", "-DMOLT_DELTA=0"] * (frozen == "0"), "macros")
        same(command.count("-idirafter"), 7, "folders, each behind its -idirafter")
        same("--wrap=mp_find_frozen_module" in (folder / "made/CMakeFiles/port.dir/link.txt").read_text(), True, "how it is linked")
        flags, sources = ([word for word in line.split(";")] for line in (folder / "made/scan").read_text().splitlines())
        specs = ["--specs=" + run(gcc, "--print-file-name=picolibc.specs").stdout.strip(), "-march=rv32imc_zicsr", "-mabi=ilp32"]
        if micropython == MICROPY_DIR:
            out = command[:command.index("-o")] + specs + ["-O1", "-S", "-o", "-", command[-1]]
            done = run(*[word.replace('"', "") for word in out])
            same((done.returncode, "call\tmolt_port_init" in done.stdout), (0, True), "mp_init(): " + done.stderr[-600:])
            # As makeqstrdefs.py does it: with the port's folders, and of the module's flags those that it is told of.
            ports = [word for word in command if word.startswith(("-I", "-DMICROPY"))]
            done = run(gcc, "-E", *specs, *[w.replace('"', "").replace("\\", "") for w in ports], *flags, "-DNO_QSTR", *sources)
            same((done.returncode, "MP_QSTR_add_frozen" in done.stdout), (0, frozen == "1"), "the search for qstrs: " + done.stderr[-600:])


# ---- what is downloaded

def downloads(*words):
    """What a make in a new build folder asks of the network, and whether it succeeds."""
    log, tools = WORK / "asked", WORK / "tools"
    tools.mkdir(exist_ok=True)
    log.write_text("")
    for name in ("apt-get", "git", "sudo", "curl", "wget"):
        (tools / name).write_text('#!/bin/sh\necho "%s $*" >>%s\nexit 1\n' % (name, log))
        (tools / name).chmod(0o755)
    folder = WORK / "new"
    shutil.rmtree(folder, ignore_errors=True)
    done = run("make", "-n", "BUILD=%s" % folder, *words, PATH="%s:%s" % (tools, os.environ["PATH"]))
    return done.returncode, log.read_text().splitlines()


@test
def make_loader_downloads_no_micropython():
    same(downloads("loader"), (0, []), "make loader")
    same(downloads("MICROPY_DIR=%s" % MICROPY_DIR, "loader"), (0, []), "make MICROPY_DIR= loader")


@test
def a_micropython_that_is_named_to_make_is_not_downloaded():
    same(downloads("MICROPY_DIR=%s" % MICROPY_DIR), (0, []), "make MICROPY_DIR=")
    same(downloads("MICROPY_DIR=%s" % MICROPY_DIR, "MICROPY_DIR_2=%s" % MICROPY_DIR, "LWIP_DIR=%s" % MICROPY_DIR, "vboard"),
         (0, []), "make with all")
    status, asked = downloads()
    assert status != 0 and asked, "without one it is asked for"


@test
def a_micropython_that_is_none_is_named():
    done = run("make", "-n", "BUILD=%s" % (WORK / "none"), "MICROPY_DIR=%s" % WORK)
    assert done.returncode != 0 and "holds no MicroPython" in done.stderr, done.stderr


if __name__ == "__main__":
    sys.exit(tap.main())
