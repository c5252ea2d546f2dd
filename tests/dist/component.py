"""The package as a component of ESP-IDF: compiled against stand-in headers, and run on a dump of a chip (idf/device.c), where the tool
starts molt's loader; its example also on the virtual ESP32-C3 (idf/virtual.c). For check."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/lib"))
sys.path.insert(0, str(ROOT / "tests/tool"))
import esp32  # noqa: E402
import images  # noqa: E402

VPORT = ROOT / "micropython/vport-esp32c3"
WRAPPED = "open close read write lseek stat access unlink malloc calloc".split()
LITTLEFS = ["-DLFS_NO_DEBUG", "-DLFS_NO_WARN", "-DLFS_NO_ERROR", "-DLFS_NO_ASSERT", "-DMOLT_LFS_PREFIX_LFS"]
STRICT = ["-std=gnu17", "-Wall", "-Wextra", "-Werror"]
RISCV = ["riscv64-unknown-elf-gcc", "-mabi=ilp32"]
APP_SIZE, FS_SIZE = 0x70000, 0x40000
# More cuts, which take longer.
ALL = "--all" in sys.argv
NOT_INSTALLED, IN_PLACE, PREPARED = 0x6D01, 0x6D02, 0x6D03
NOT_FOUND, NOT_SUPPORTED, NO_MEM, STATE, BAD_BYTES, TOO_LARGE, NOT_FINISHED = 0x105, 0x106, 0x101, 0x103, 0x109, 0x104, 0x10C


def sources(package):
    """All but the core."""
    return [package / "src/molt_lfs.c", package / "src/molt_esp32.c", *sorted((package / "idf").glob("*.c")),
            package / "examples/idf/main/main.c"]


def includes(package, littlefs):
    return [word for folder in (HERE / "idf/include", VPORT / "idf/include", package / "src", package / "idf", littlefs)
            for word in ("-I", folder)]


def riscv(*words):
    specs = subprocess.run([RISCV[0], "--print-file-name=picolibc.specs"], capture_output=True, text=True, check=True).stdout.strip()
    return [*RISCV, "--specs=" + specs, *words]


def compile_riscv(run, paths, out, package, littlefs, *more):
    """Objects in the folder `out`; what goes wrong as text."""
    words = riscv("-march=rv32imc_zicsr", "-Os", "-ffunction-sections", "-fdata-sections", *LITTLEFS, *includes(package, littlefs), *more)
    output = ""
    for path in paths:
        output = output or run(*words, "-c", path, "-o", out / (path.stem + ".o"))
    return output


def check_riscv(result, run, out, package, littlefs):
    output = compile_riscv(run, [package / "src/molt.c", *sources(package)], out, package, littlefs, "-Dapp_main=example_main", *STRICT)
    result("gcc for RISC-V compiles the component of ESP-IDF and its example, without a warning, against stand-in headers", output)

    program = out / "other/upgrade.cpp"
    program.write_text('#include "molt_upgrade.h"\nint main() { return molt_upgrade_from_file("/x", nullptr) == ESP_OK; }\n')
    result("a program in C++ uses it", run("g++", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *includes(package, littlefs), program))

    def version(major, minor, *more):
        numbers = ["-DESP_IDF_VERSION_MAJOR=%d" % major, "-DESP_IDF_VERSION_MINOR=%d" % minor, "-DESP_IDF_VERSION_PATCH=0"]
        return compile_riscv(run, [package / "idf/molt_idf.c"], out / "other", package, littlefs, *STRICT, *numbers, *more)

    result("it finds the switch for dangerous writes where ESP-IDF 6 has it", version(6, 0))
    result("before ESP-IDF 5.4, which has none, it asks for an option",
           "" if "CONFIG_SPI_FLASH_DANGEROUS_WRITE_ALLOWED=y" in version(5, 3) else "it does not")
    result("and is content with that", version(5, 3, "-DCONFIG_SPI_FLASH_DANGEROUS_WRITE_ALLOWED=1"))
    targets = re.findall(r"^  - (esp32\w+)$", (package / "idf_component.yml").read_text(), re.M)
    chip = {name: version(5, 4, "-DCONFIG_IDF_TARGET", "-DCONFIG_IDF_TARGET_%s=1" % name.upper()) for name in [*targets, "esp32s31"]}
    missing = [] if "does not know this chip" in chip.pop("esp32s31") else ["it takes any chip"]
    result("it takes the chips that its manifest names, %s, and no others" % ", ".join(targets), "\n".join([*missing, *chip.values()]).strip())


def build(run, program, package, littlefs, core, compiler):
    """The device, as a program of the host; what goes wrong as text."""
    wrap = "-Wl," + ",".join("--wrap=" + name for name in WRAPPED)
    return run(*compiler, *STRICT, *LITTLEFS, *includes(package, littlefs), HERE / "idf/device.c", HERE / "idf/littlefs.c", *sources(package), core,
               "-x", "c", "-w", littlefs / "lfs.c", littlefs / "lfs_util.c", wrap, "-o", program)


class Wrong(Exception):
    """What a test says."""


def check(is_so, *words):
    if not is_so:
        raise Wrong(" ".join(map(str, words)))


class Device:
    """A C3 of 1 MB, with two littlefs partitions."""
    old = esp32.app(70000, 1)
    new = esp32.app(90000, 2, "v1.27.0")

    def __init__(self, program, molt, folder):
        self.program, self.molt, self.folder = program, molt, folder
        self.path = folder / "flash.bin"
        rows = [*esp32.rows(APP_SIZE), images.esp_row(1, 0x83, 0x80000, FS_SIZE, "littlefs"),
                images.esp_row(1, 0x83, 0xC0000, FS_SIZE, "other")]
        data = bytearray(b"\xff" * esp32.SIZE)
        for addr, part in ((0, esp32.boot_loader()), (esp32.TABLE, images.esp_table(rows)), (esp32.APP, self.old)):
            data[addr:addr + len(part)] = part
        self.path.write_bytes(data)

    def call(self, *words, status=0):
        """Its code, and what it prints."""
        done = subprocess.run([str(self.program), str(self.path), *map(str, words)], capture_output=True, text=True, check=False)
        check(done.returncode == status, words, "->", done.returncode, done.stdout, done.stderr)
        code = re.search(r"^code (0x[0-9a-f]+) ops (\d+)$", done.stdout, re.M)
        self.ops = int(code.group(2)) if code else 0
        return int(code.group(1), 16) if code else None, done.stdout

    def good(self, *words):
        code, text = self.call(*words)
        check(code == 0 and text.endswith("\n\n"), words, "->", text)
        return text

    def refused(self, code, saying, *words):
        """This code, a sentence with `saying` in it, and no byte of flash has changed."""
        before = self.path.read_bytes()
        found, text = self.call(*words)
        check(found == code and saying in text.splitlines()[-1], words, "->", text)
        check(self.path.read_bytes() == before, words, "has changed flash")

    def put(self, path, data):
        (self.folder / "file").write_bytes(data)
        self.good("put", self.folder / "file", path)

    def boot(self):
        done = subprocess.run([self.molt, "boot", self.path, "-q"], capture_output=True, text=True, check=False)
        check(done.returncode == 0, "molt boot:", done.stdout, done.stderr)

    def has(self, image):
        return self.path.read_bytes()[esp32.APP:esp32.APP + len(image)] == image

    def ready(self):
        self.good("install")
        self.put("/littlefs/fw/new.bin", self.new)
        return self


    # With OTA slots in place of the factory partition.
    SLOTS = esp32.APP, esp32.APP + 0x30000

    def with_slots(self):
        rows = [images.esp_row(1, 2, 0x9000, 0x4000, "nvs"), images.esp_row(1, 0, 0xD000, 0x2000, "otadata"),
                *(images.esp_row(0, 0x10 + i, addr, 0x30000, "ota_%d" % i) for i, addr in enumerate(self.SLOTS)),
                images.esp_row(1, 0x83, 0x80000, FS_SIZE, "littlefs"), images.esp_row(1, 0x83, 0xC0000, FS_SIZE, "other")]
        data = bytearray(self.path.read_bytes())
        data[esp32.TABLE:esp32.TABLE + 0xC00] = images.esp_table(rows).ljust(0xC00, b"\xff")
        self.path.write_bytes(data)
        self.put(FW, self.new)
        return self

    def holds(self, slot, image):
        return self.path.read_bytes()[self.SLOTS[slot]:self.SLOTS[slot] + len(image)] == image


FW = "/littlefs/fw/new.bin"


def upgrades(device):
    device.put(FW, device.new)
    device.refused(NOT_INSTALLED, "molt_upgrade_install()", "upgrade", FW)
    device.good("install")
    before = device.path.read_bytes()
    device.good("install")
    check(device.path.read_bytes() == before, "installing twice writes something")
    text = device.good("check", FW)
    check("size %u sectors 23 programs 23 gzip 0 in place 0" % len(device.new) in text, text)
    check(device.path.read_bytes() == before, "check writes something")
    check("outcome 0 prepared 0" in device.good("status"), "before")
    told, rested = map(int, re.search(r"told (\d+) rested (\d+)", device.good("upgrade", FW)).groups())
    check(told > 50 and rested > 50, "progress, and rest for others:", told, rested)
    check("outcome 1 prepared 1" in device.good("status"), "prepared")
    device.refused(PREPARED, "molt_upgrade_cancel()", "upgrade", FW)
    device.boot()
    check(device.has(device.new), "the image is in place")
    check("outcome 2 prepared 0" in device.good("status"), "afterwards")
    device.refused(IN_PLACE, "in place already", "upgrade", FW)


def takes_gzip(device):
    device.ready()
    packed = gzip.compress(device.new, 9)
    device.put("/other/new.bin.gz", packed)
    device.refused(NO_MEM, "memory", "heap=2000", "upgrade", "/other/new.bin.gz")
    device.good("upgrade", "/other/new.bin.gz")
    device.boot()
    check(device.has(device.new), "the image is in place")


def takes_delta(device):
    """There and back by patches; and a cut in each call of preparing one."""
    device.good("install")
    old, new, patch = (device.folder / name for name in ("old", "new", "patch"))
    for name, was, is_to_be in (("/littlefs/there.delta", device.old, device.new), ("/littlefs/back.delta", device.new, device.old)):
        old.write_bytes(was)
        new.write_bytes(is_to_be)
        subprocess.run([device.molt, "delta", old, new, patch], check=True, capture_output=True)
        device.put(name, patch.read_bytes())
    device.refused(IN_PLACE, "in place already", "upgrade", "/littlefs/back.delta")
    ready = device.path.read_bytes()
    device.good("upgrade", "/littlefs/there.delta")
    count = device.ops
    device.refused(PREPARED, "molt_upgrade_cancel()", "upgrade", "/littlefs/there.delta")
    device.boot()
    check(device.has(device.new), "there")
    device.good("upgrade", "/littlefs/back.delta")
    device.boot()
    check(device.has(device.old), "and back")
    for cut in range(1, count + 1, 1 if ALL else 41):
        device.path.write_bytes(ready)
        device.call("cut=%d" % cut, "seed=%d" % cut, "upgrade", "/littlefs/there.delta", status=3)
        device.boot()
        check(device.has(device.old) or device.has(device.new), "cut", cut)


def takes_back(device):
    device.ready().refused(NOT_FOUND, "no upgrade is prepared", "cancel")
    device.good("upgrade", FW)
    device.good("cancel")
    check("prepared 0" in device.good("status"), "taken back")
    device.boot()
    check(device.has(device.old), "the old firmware is there")
    device.good("uninstall")
    device.refused(NOT_INSTALLED, "not installed", "uninstall")


def refuses(device):
    device.ready()
    device.refused(NOT_SUPPORTED, "flash is encrypted", "encrypted=1", "upgrade", FW)
    device.refused(NOT_SUPPORTED, "secure boot", "secure=1", "upgrade", FW)
    device.refused(NOT_SUPPORTED, "another partition", "running=0x80000", "install")
    device.refused(NO_MEM, "memory", "heap=4000", "upgrade", FW)
    device.refused(NOT_FINISHED, "progress function", "stop=20", "upgrade", FW)
    device.refused(NOT_FOUND, "no such file", "upgrade", "/littlefs/none.bin")
    device.refused(NOT_SUPPORTED, "directory", "upgrade", "/littlefs/fw")
    large = images.esp_image([(0x3C000020, esp32.description("v1", "v5.4.1")), (0x42000128, bytes(APP_SIZE))], 0x42000128)
    host = device.folder / "new.bin"
    host.write_bytes(device.new)
    device.refused(NOT_SUPPORTED, "not on a littlefs", "upgrade", host)
    for name, data, code, saying in (
            ("torn", device.new[:50000], BAD_BYTES, "cut short or damaged"), ("chip", esp32.app(9000, 3, chip=9), NOT_SUPPORTED, "another chip"),
            ("revision", esp32.app(9000, 4, min_revision=4), NOT_SUPPORTED, "other revisions"),
            ("hash", esp32.app(9000, 5, has_hash=False), NOT_SUPPORTED, "no SHA-256"),
            ("text", b"print()\n" * 200, BAD_BYTES, "no firmware image"), ("large", gzip.compress(large), TOO_LARGE, "unpacks to more"),
            ("molt.head", device.new, 0x102, "rename the image")):
        device.put("/other/" + name, data)
        device.refused(code, saying, "upgrade", "/other/" + name)


def asks_which(device):
    """Two volumes with the same file: the caller says which."""
    device.ready()
    device.put("/other/fw/new.bin", device.new)
    device.refused(STATE, "partition_label", "upgrade", "/other/fw/new.bin")
    device.good("labelled=1", "upgrade", "/other/fw/new.bin")
    device.boot()
    check(device.has(device.new), "the image is in place")


def knows_files_apart(device):
    """The same name and size on both: the bytes tell."""
    device.ready()
    third = esp32.app(90000, 3, "v1.28.0")
    check(len(third) == len(device.new), "of one size")
    device.put("/other/fw/new.bin", third)
    device.good("upgrade", "/other/fw/new.bin")
    device.boot()
    check(device.has(third), "that file is in place")


def bears_cuts(device):
    """Each flash operation of installing, and of preparing."""
    fresh = device.path.read_bytes()
    device.good("install")
    count = device.ops
    for cut in range(1, count, 1 if ALL else 4):
        device.path.write_bytes(fresh)
        device.call("cut=%d" % cut, "seed=%d" % cut, "install", status=3)
        device.boot()
        check(device.has(device.old), "cut", cut)
        device.good("install")
    device.ready()
    ready = device.path.read_bytes()
    device.good("upgrade", FW)
    for cut in range(1, device.ops + 1, 1 if ALL else 2):
        device.path.write_bytes(ready)
        device.call("cut=%d" % cut, "seed=%d" % cut, "upgrade", FW, status=3)
        device.boot()
        if not device.has(device.new):
            check(device.has(device.old), "cut", cut)
            device.good("upgrade", FW)
            device.boot()
        check(device.has(device.new), "after cut", cut)
    check(count > 10 and cut > 10, count, cut)


def uses_slots(device):
    device.with_slots()
    before = device.path.read_bytes()
    device.good("install")
    check(device.path.read_bytes() == before, "installing writes something")
    device.refused(NOT_INSTALLED, "not installed", "uninstall")
    device.refused(NOT_SUPPORTED, "none of the partition table's app", "running=0x80000", "upgrade", FW)
    device.refused(NOT_FOUND, "not on trial", "confirm")
    device.good("upgrade", FW)
    check(device.holds(1, device.new) and device.holds(0, device.old), "it is in the slot")
    device.refused(PREPARED, "molt_upgrade_cancel()", "upgrade", FW)
    device.good("cancel")
    device.refused(NOT_FOUND, "no upgrade is prepared", "cancel")
    device.good("trial=1", "upgrade", FW)
    device.boot()
    check("outcome 0 prepared 0" in device.good("running=0x40000", "status"), "on trial")
    device.good("running=0x40000", "confirm")
    check("outcome 5 prepared 0" in device.good("running=0x40000", "status"), "confirmed")
    # And back, by a delta file.
    (device.folder / "a").write_bytes(device.new)
    (device.folder / "b").write_bytes(device.old)
    subprocess.run([device.molt, "delta", device.folder / "a", device.folder / "b", device.folder / "patch"], check=True, capture_output=True)
    device.put("/other/back.delta", (device.folder / "patch").read_bytes())
    device.refused(NO_MEM, "memory", "running=0x40000", "heap=2000", "upgrade", "/other/back.delta")
    device.good("running=0x40000", "trial=1", "upgrade", "/other/back.delta")
    check(device.holds(0, device.old), "the old one is back")
    device.boot()
    device.boot()
    check("outcome 4 prepared 0" in device.good("running=0x40000", "status"), "rolled back")
    ready = device.path.read_bytes()
    device.good("running=0x40000", "upgrade", "/other/back.delta")
    for cut in range(1, device.ops + 1, 1 if ALL else 31):
        device.path.write_bytes(ready)
        device.call("running=0x40000", "cut=%d" % cut, "seed=%d" % cut, "upgrade", "/other/back.delta", status=3)
        check(device.holds(1, device.new), "cut", cut)
        device.boot()


def example_runs(device):
    code, text = device.call("main")
    check(code is None and text == "", text)
    (device.folder / "file").write_bytes(device.new)
    device.good("put", device.folder / "file", "/littlefs/firmware.bin")
    check(device.call("main")[1] == "upgrading\nrestart\n", "it upgrades")
    device.boot()
    text = device.call("main")[1]
    check(text == "the last upgrade is done\nthe new firmware runs\n", text)
    text = device.call("main")[1]
    check(device.has(device.new) and text == "the last upgrade is done\n", text)


FACTS = {
    "it upgrades from a littlefs file: installed, checked, prepared, carried out by molt's loader, told of": upgrades,
    "from a gzip file, where there is memory for it": takes_gzip,
    "from a delta file, and back by another one; no power cut in preparing one does harm": takes_delta,
    "what is prepared is taken back, and the loader is taken out": takes_back,
    "it refuses what cannot be, with a sentence, and flash is unchanged": refuses,
    "with OTA slots nothing is installed: upgrade, trial, a delta file back, rolled back, cuts": uses_slots,
    "where two volumes have the same file it asks which one": asks_which,
    "files of one name and size on two volumes are known by their bytes": knows_files_apart,
    "no power cut in installing, but for its last flash operation, or in preparing does harm": bears_cuts,
    "the example upgrades and comes to rest": example_runs,
}


def link_virtual(run, out, package, littlefs, name):
    """The example as an image for the virtual ESP32-C3, name.bin in `out`. What goes wrong as text."""
    own = [HERE / "idf/virtual.c", HERE / "idf/littlefs.c", littlefs / "lfs.c", littlefs / "lfs_util.c",
           *(VPORT / "idf" / part for part in ("flash.c", "ota.c", "partition.c", "system.c", "start.S"))]
    output = compile_riscv(run, own, out, package, littlefs, "-std=gnu17", "-I", HERE / "idf", "-I", VPORT, '-DVPORT_VERSION="%s"' % name)
    # What is in the ROM; the C library has the rest.
    found = re.findall(r"^ROM_[A-Z]*\((0x[0-9a-f]*), (\w+)\)", (ROOT / "vboard/esp32c3/rom_entries.h").read_text(), re.M)
    (out / "rom.ld").write_text("".join("PROVIDE(%s = %s);\n" % (function, addr) for addr, function in found
                                        if not re.match(r"mem|str|bzero$|__", function)))
    elf = out / (name + ".elf")
    output = output or run(*riscv("-march=rv32im"), "-nostartfiles", "-T", VPORT / "link.ld", "-L", out, "-Wl,--gc-sections", "-o", elf,
                           *sorted(out.glob("*.o")), "-lgcc")
    return output or run(sys.executable, VPORT / "elf2image.py", elf, out / (name + ".bin"), 0)


class Virtual(Device):
    """The example on the virtual ESP32-C3, by whose shipped loader it upgrades itself; on the partition table that it brings."""

    def __init__(self, program, molt, folder, package, vboard):
        self.program, self.molt, self.folder, self.vboard = program, molt, folder, vboard
        self.old, self.new = ((folder / name).read_bytes() for name in ("v1.bin", "v2.bin"))
        self.path = folder / "flash.bin"
        for words in ((ROOT / "vboard/esp32c3/mkloader", "5.5", "4", folder / "loader.bin"),
                      (sys.executable, VPORT / "mkflash.py", self.path, "4", folder / "loader.bin", package / "examples/idf/partitions.csv",
                       folder / "v1.bin")):
            subprocess.run(words, check=True)

    def start(self, *words, status=0):
        """What the console shows."""
        environment = {key: value for key, value in os.environ.items() if key != "BOOTLOADER"}
        done = subprocess.run([ROOT / "vboard/run", self.path, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=120, env={**environment, "VBOARD_BUILD": str(self.vboard)})
        check(done.returncode == status, "vboard/run", *words, "->", done.returncode, done.stdout[-400:], done.stderr[-400:])
        return done.stdout.replace("\r", "")


def runs_on_the_virtual_chip(device):
    text = device.start()
    check("upgrad" not in text and device.has(device.old), "there is nothing to do:", text)
    device.put("/littlefs/firmware.bin", device.new)
    ready = device.path.read_bytes()
    text = device.start()
    check("upgrading\n" in text and "molt: upgrading" in text, text)
    check(text.endswith("the last upgrade is done\nthe new firmware runs\n") and device.has(device.new), text)
    for cut in ("3", "12:random", "40:random", "150", "300:random") if ALL else ("40:random",):
        device.path.write_bytes(ready)
        device.start("--cut", cut, status=72)
        check(device.start().endswith("the new firmware runs\n") and device.has(device.new), "after cut", cut)


def says(function, device):
    """What is wrong."""
    try:
        function(device)
    except Wrong as e:
        return str(e) or "a check failed"
    return ""


def check_all(result, run, work, package, build_folder, cores):
    """build_folder: what make has built. cores: molt.c, compiled, for each compiler."""
    littlefs, molt, out = work / "littlefs", build_folder / "molt", work / "virtual"
    (out / "other").mkdir(parents=True)
    check_riscv(result, run, out, package, littlefs)
    for name, compiler in {"gcc": ["gcc", "-g", "-fsanitize=address,undefined"], "gcc -m32": ["gcc", "-O1", "-m32"],
                           "clang": ["clang", "-O1"]}.items():
        program = work / ("component-" + name)
        output = build(run, program, package, littlefs, cores[name], compiler)
        result("%s compiles it for the host, without a warning" % name, output)
        for fact, function in list(FACTS.items())[:None if name == "gcc" else 1]:
            folder = work / ("device-%s-%s" % (function.__name__, name))
            folder.mkdir()
            result("%s (%s)" % (fact, name), output or says(function, Device(program, molt, folder)))
    output = "".join(link_virtual(run, out, package, littlefs, name) for name in ("v1", "v2"))
    result("the example runs on the virtual ESP32-C3 and upgrades itself there by molt's shipped loader, with power cuts",
           output or says(runs_on_the_virtual_chip, Virtual(work / "component-gcc", molt, out, package, build_folder / "vboard")))
