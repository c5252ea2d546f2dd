#!/usr/bin/env python3
"""What MicroPython's own esp8266 port computes: where its filesystem is, for each variant and flash size.

    port_maps.py MICROPY_DIR >port_maps.h

Nothing of molt's is read here. The linker scripts are evaluated as ld does, esp.flash_user_start() as modesp.c does,
and flashbdev.py is executed as it is, with an `esp` module that answers with these two numbers. Where the port's
source no longer reads as expected this fails, rather than guess.
"""
import pathlib
import re
import sys
import types

FLASH_SIZES = [512 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20]
# molt's name, and the variant's file
VARIANTS = [
    ("stock-2M", "mpconfigvariant.mk"),
    ("stock-1M", "mpconfigvariant_FLASH_1M.mk"),
    ("stock-512K", "mpconfigvariant_FLASH_512K.mk"),
    ("stock-OTA", "mpconfigvariant_OTA.mk"),
    ("stock-2M-ROMFS", "mpconfigvariant_FLASH_2M_ROMFS.mk"),
]
FLASH_WINDOW = 0x40200000


def number(text):
    """An ld expression: numbers with K or M, +, -, parentheses."""
    text = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)([KM]?)\b",
                  lambda m: str(int(m[1], 0) * {"": 1, "K": 1024, "M": 1 << 20}[m[2]]), text)
    if not re.fullmatch(r"[\d\s+()-]+", text):
        raise SystemExit(f"not understood in a linker script: {text}")
    return eval(text)


def segments(script):
    """{name: (origin, length)} of the MEMORY command."""
    memory = re.search(r"MEMORY\s*\{(.*?)\}", re.sub(r"/\*.*?\*/", "", script, flags=re.S), re.S)[1]
    return {m[1]: (number(m[2]), number(m[3]))
            for m in re.finditer(r"(\w+)\s*:\s*org\s*=\s*([^,]+),\s*len\s*=\s*(.+)", memory)}


def firmware_size(script, common):
    """The symbol _firmware_size."""
    origin, length = segments(script)["irom0_0_seg"]
    rule = re.search(r"^_firmware_size\s*=\s*(.+);", common, re.M)[1]
    rule = rule.replace("ORIGIN(irom0_0_seg)", str(origin)).replace("LENGTH(irom0_0_seg)", str(length))
    return number(rule), origin


def flash_user_start(port, size, romfs_size):
    """esp.flash_user_start(), whose source is held to be this."""
    source = (port / "modesp.c").read_text()
    body = re.search(r"static mp_obj_t esp_flash_user_start\(void\) \{(.*?)\n\}", source, re.S)
    if body:
        text = "".join(body[1].split())
        expected = ("uint32_tflash_user_start=(uint32_t)_firmware_size;#ifMICROPY_VFS_ROM_IOCTLflash_user_start+="
                    "(uint32_t)&_micropy_hw_romfs_part0_size;#endifreturnMP_OBJ_NEW_SMALL_INT(flash_user_start);")
        older = "returnMP_OBJ_NEW_SMALL_INT((uint32_t)_firmware_size);"
        if text in (expected, older):
            return size + romfs_size
    raise SystemExit("modesp.c: esp_flash_user_start() has changed; look at it, and at the table of src/map/map.c")


def block_device(port, flash_size, user_start):
    """flashbdev.py's block device, or None."""
    esp = types.ModuleType("esp")
    esp.flash_size = lambda: flash_size
    esp.flash_user_start = lambda: user_start
    sys.modules["esp"] = esp
    scope = {}
    exec((port / "modules/flashbdev.py").read_text(), scope)
    return scope["bdev"]


def rows(port):
    common = (port / "boards/esp8266_common.ld").read_text()
    for name, variant in VARIANTS:
        path = port / "boards/ESP8266_GENERIC" / variant
        if not path.exists():
            continue
        settings = path.read_text()
        script = (port / re.search(r"^LD_FILES = (.+)", settings, re.M)[1]).read_text()
        has_romfs = "-DMICROPY_VFS_ROM=1" in settings
        romfs = segments(script)["FLASH_ROMFS"] if has_romfs else (FLASH_WINDOW, 0)
        # Where its own _boot.py does not mount anything, flashbdev.py is not there either.
        manifest = re.search(r"^FROZEN_MANIFEST \?= \$\(BOARD_DIR\)/(.+)", settings, re.M)
        has_fs = not (manifest and "_boot.py" in (path.parent / manifest[1]).read_text())
        size, origin = firmware_size(script, common)
        start = flash_user_start(port, size, romfs[1])
        # What precedes the firmware's own head (36 KB: header, RAM segments) is yaota8266.
        boot_size = origin - FLASH_WINDOW - 0x9000
        for flash_size in FLASH_SIZES:
            bdev = block_device(port, flash_size, start) if has_fs else None
            if has_fs and (bdev is None or bdev.blocks < 2):
                continue  # this build is not for so small a flash
            fs = (bdev.start_sec * 4096, bdev.blocks * 4096) if bdev else (0, 0)
            yield (name, flash_size, boot_size, size, romfs[0] - FLASH_WINDOW, romfs[1], start, *fs)


def main():
    port = pathlib.Path(sys.argv[1]) / "ports/esp8266"
    print("// Made by tests/map/port_maps.py from MicroPython's esp8266 port.")
    print("// name, flash size, boot size, end of irom0, ROMFS address and size, flash_user_start, filesystem address and size")
    for row in rows(port):
        print('{ "%s", %s },' % (row[0], ", ".join(f"0x{value:x}" for value in row[1:])))


if __name__ == "__main__":
    main()
