"""Devices of the ESP32 family for the tests of the tool: dumps made of images, partition tables and littlefs."""

import json
import re
import struct

from rig import KB, ROOT, SECTOR, check, good, images, molt, sectors_up
from images import esp_row, esp_table, noise

SIZE = 1024 * KB
TABLE = 0x8000
APP = 0x10000
APP_SIZE = 0x70000
FS = APP + APP_SIZE
LOADER, OTADATA = 0x5000, 0x6000
PLAN = 0x7000


class Chip:
    """What an image has to know of one: its number, where flash is mapped as data and as code, where RAM begins, for the boot loader
    and for what it loads, and where the boot loader is in flash. [esptool's targets; bootloader.memory.ld.in of ESP-IDF]"""

    def __init__(self, name, number, data, code, ram, boot, boot_addr=0):
        self.name, self.number, self.data, self.code, self.ram, self.boot = name, number, data, code, ram, boot
        self.boot_addr = boot_addr
        self.board = "esp32" + name[6:].lower()  # as vboard/run calls it


# Of each the first page of the data window has the description; where the windows are one the second has code.
C3 = Chip("ESP32-C3", 5, 0x3C000000, 0x42000000, 0x40380000, 0x3FCD5710)
C2 = Chip("ESP32-C2", 12, 0x3C000000, 0x42000000, 0x40380000, 0x3FCD5B70)
C6 = Chip("ESP32-C6", 13, 0x42000000, 0x42010000, 0x40800000, 0x40875610)
C61 = Chip("ESP32-C61", 20, 0x42000000, 0x42010000, 0x40800000, 0x40845670)
H2 = Chip("ESP32-H2", 16, 0x42000000, 0x42010000, 0x40800000, 0x40845FD0)
ESP32 = Chip("ESP32", 0, 0x3F400000, 0x400D0000, 0x40080000, 0x3FFF0000, 0x1000)
S2 = Chip("ESP32-S2", 2, 0x3F000000, 0x40080000, 0x40028000, 0x3FFE5000, 0x1000)
S3 = Chip("ESP32-S3", 9, 0x3C000000, 0x42000000, 0x40380000, 0x3FCE2700, 0)
C5 = Chip("ESP32-C5", 23, 0x42000000, 0x42010000, 0x40800000, 0x40840000, 0x2000)
P4 = Chip("ESP32-P4", 18, 0x40000000, 0x40010000, 0x4FF40000, 0x4FF80000, 0x2000)
WITHOUT_LOADER = (C5, P4)
BOARDS = (C3, C2, C6, C61, H2)  # there is a virtual board of them
CHIPS = BOARDS + (ESP32, S2, S3)
UNTRIED = (S2, S3)  # their loaders have only been compiled


def description(version, idf, project="micropython"):
    """esp_app_desc_t, at the beginning of an app's first segment."""
    return struct.pack("<II8s32s32s16s16s32s32sHHB", 0xABCD5432, 0, b"", version.encode(), project.encode(), b"", b"", idf.encode(),
                       b"", 0, 0xFFFF, 16).ljust(256, b"\0")


def app(size, seed, version="v1.26.0", of=C3, code=None, **words):
    """An app of about `size` bytes: description, code that is mapped, code in RAM; of noise, or of this."""
    code = code or noise(size, seed)
    return images.esp_image([(of.data + 0x20, description(version, "v5.4.1")), (of.code + 0x128, code[:size // 8 * 4]),
                             (of.ram, code[size // 8 * 4:size // 4 * 4])], of.ram + 0x10, **{"chip": of.number, **words})


def boot_loader(size=16 * KB, idf="v5.5.1", chip=None, of=C3):
    """A second-stage boot loader: with a description (80, reserved, version, ESP-IDF's), or only with the strings of older ones."""
    name = idf.encode()
    data = b"\x50\0\0\0" + struct.pack("<I", 1) + name.ljust(32, b"\0") + b"Jan 01 2026 00:00:00".ljust(24, b"\0") + bytes(16)
    if idf < "v5.1":
        data = b"I (%d) %s: ESP-IDF %s 2nd stage bootloader\n\0\0" + name + b"\0\0"
    data = data.ljust(len(data) // 4 * 4 + 4, b"\0")
    return images.esp_image([(of.boot, data + noise(size - len(data), 8))], of.boot, of.number if chip is None else chip)


def rows(app_size=APP_SIZE):
    return [esp_row(1, 2, 0x9000, 0x6000, "nvs"), esp_row(1, 1, 0xF000, 0x1000, "phy_init"),
            esp_row(0, 0, APP, app_size, "factory")]


def loader_rows():
    """The four that molt appends, by docs/format.md."""
    return (esp_row(0, 0x10, LOADER, SECTOR, "molt") + esp_row(0, 0x11, APP, APP_SIZE, "molt_app")
            + esp_row(1, 0, OTADATA + 1024, 2 * SECTOR, "molt_otadata") + esp_row(1, 0x40, PLAN, SECTOR, "molt_end"))


class Board:
    """An ESP32-C3, or another chip, of 1 MB with an old firmware, the new one as new.bin on a littlefs behind the last partition, other files."""
    littlefs = {}  # by what is on it

    def __init__(self, folder, new=None, boot=None, boot_addr=None, table=None, files=None, of=C3):
        self.folder = folder
        self.path = folder / "flash.bin"
        self.chip = of
        self.old = app(70000, 1, of=of)
        self.new = new or app(90000, 2, "v1.27.0", of=of)
        self.files = {"main.py": noise(3000, 3), "lib/x.py": noise(9000, 4), "new.bin": self.new, **(files or {})}
        data = bytearray(b"\xff" * SIZE)
        boot_addr = of.boot_addr if boot_addr is None else boot_addr
        for addr, part in ((boot_addr, boot or boot_loader(of=of)), (TABLE, table or esp_table(rows())), (0x9000, noise(2 * SECTOR, 5)),
                           (APP, self.old), (APP + APP_SIZE - SECTOR, noise(100, 6)), (FS, self.filesystem())):
            data[addr:addr + len(part)] = part
        self.before = bytes(data)
        self.reset()

    def filesystem(self):
        """The tool makes it in a flash of an ESP8266, out of which it is cut."""
        key = tuple(sorted(self.files.items()))
        if key not in Board.littlefs:
            words = []
            for number, (name, data) in enumerate(self.files.items()):
                (self.folder / f"file{number}").write_bytes(data)
                words += ["--put", f"{self.folder / f'file{number}'}:{name}"]
            (self.folder / "other.img").write_bytes(images.esp8266([(0x40100000, bytes(64))], 0x40100000))
            good("mkflash", self.folder / "other.bin", "--size", "1M", "--firmware", self.folder / "other.img", "--fs-start", FS, *words)
            Board.littlefs[key] = (self.folder / "other.bin").read_bytes()[FS:SIZE - 5 * SECTOR]
        return Board.littlefs[key]

    def reset(self):
        self.path.write_bytes(self.before)

    def now(self):
        return self.path.read_bytes()

    def install(self):
        good("install", self.path, "-q", *["--untried"] * (self.chip in UNTRIED))
        self.before = self.now()
        return self

    def get(self, path):
        good("get", self.path, path, self.folder / "got")
        return (self.folder / "got").read_bytes()

    def info(self, status=0):
        return told("info", self.path, status=status)

    def check_has(self, image):
        """The image is in the partition, its last sector erased behind it, the files there, and nothing else has changed but the
        sector of the plan."""
        now = self.now()
        end = APP + sectors_up(len(image))
        check(now[APP:APP + len(image)] == image, "the image is in place")
        check(now[APP + len(image):end] == b"\xff" * (end - APP - len(image)), "the rest of its last sector is erased")
        check(now[:PLAN] == self.before[:PLAN] and now[TABLE:APP] == self.before[TABLE:APP], "in front of it")
        check(now[end:FS] == self.before[end:FS], "between image and filesystem")
        for path in ("main.py", "new.bin"):
            check(self.get(path) == self.files[path], "file", path)


def told(command, *words, status=0):
    """What it prints as JSON."""
    result = molt(command, *words, "--json")
    check(result.status == status, command, result.status, result.err)
    return json.loads(result.out)


def shown_on_page(section, folder):
    """Run the commands that this section of docs/esp32.md shows; what they print has to be what it shows. "..." stands for any lines, and
    counts may differ. How many there were."""
    page = (ROOT / "docs/esp32.md").read_text().split(f"\n## {section}\n")[1]

    def shape(text):
        return re.sub(r"\b\d+\b", "N", text)

    runs = re.split(r"^\$ (.*)\n", re.search(r"^```console\n(.*?)^```", page, re.M | re.S).group(1), flags=re.M)[1:]
    for command, shown in zip(runs[::2], runs[1::2]):
        result = molt(*command.split()[1:], cwd=folder)
        printed = result.out + (result.err if result.status else "")
        pattern = re.escape(shape(shown)).replace("\\.\\.\\.\\\n", "(.*\n)*")
        check(re.fullmatch(pattern, shape(printed)), command, "prints", printed)
    return len(runs) // 2
