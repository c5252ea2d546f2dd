"""Many devices with molt_web in one process, for tests of a rollout.

What is real: the server is micropython/web itself, executed by CPython, each device in a thread of its own; each device has
a dump of a flash chip, in which molt's core checks, plans and carries out the upgrade (build/molt put, plan, upgrade); the bytes go
over TCP.

What is left out: MicroPython, its heap and its speed; lwIP; the chip, and its boot loader as machine code; power cuts. All devices share
the cores of this machine. The uploads lie beside the dump until they are checked. Of resident mode and trials there is only what
molt.status() says. A device is away for as long as the host needs, whatever its upgrade takes on a chip. Dates of a device's clock begin at 0.

Faults of a device (FAULTS) are of kinds that devices in the field have.
"""
import asyncio
import builtins
import contextvars
import gc
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
MOLT = BUILD / "molt"
PASSWORD = "correct horse"
BLOCK = 4096
AWAY_SECONDS = 0.3  # of a device that restarts

# Fault -> whether the device is in the end as it was (else nobody knows, or it runs the new firmware).
FAULTS = {
    "off": True,  # nothing listens
    "mute": True,  # takes the connection, and says nothing
    "foreign": True,  # another server has this address
    "password": True,  # another one
    "full": True,  # no room
    "dead": False,  # does not come back from its upgrade
    "restored": False,  # comes back with what it had
    "stuck": False,  # prepares, and does not restart; in resident mode: was on trial, and has rolled back
    "swallow": None,  # takes the first connection after its upgrade, and says nothing on it: no fault to the one who asks again
    "deaf": None,  # loses the first order, and its clock is slow: no fault to the one who tells it again
    "power": True,  # it fails when the device is told to upgrade, which so has not heard it
    "short": None,  # has not the memory to check a packed image: no fault where there is room for it as it is
    "cut": None,  # the connection breaks in the middle of the upload, three times: no fault to the one who goes on
}

DEVICE = contextvars.ContextVar("device")


def run_tool(*words):
    return subprocess.run([MOLT, *map(str, words)], capture_output=True, text=True, check=False)


def version_of(data):
    """What the MicroPython in an image calls itself."""
    return re.search(rb"v1\.[0-9]+\.[0-9]+[-\w.]* on 20[0-9-]{8}", data).group().decode()


class Device:
    """One of them: a folder with its dump and its files, and a server while it is on."""

    def __init__(self, folder, address, port, template, fault=None, resident=False, extra=0):
        self.folder = folder
        self.address = address
        self.port = port
        self.fault = fault
        self.resident = resident
        self.root = folder / "root"
        self.root.mkdir(parents=True)
        self.dump = folder / "flash.bin"
        shutil.copy(template, self.dump)
        self.result = None
        self.trial = False
        self.pending = None
        self.judged = {}
        self.left_to_cut = 3 if fault == "cut" else 0
        self.asked = None  # when it was first asked anything, and upgraded
        self.upgraded = None
        self.is_gone = False
        self.is_deaf = True
        self.heap = 24000  # bytes free, as it says
        password = "another horse" if fault == "password" else PASSWORD
        (self.root / "molt_web.key").write_text(hashlib.sha256(b"molt:molt:" + password.encode()).hexdigest())
        self.fs_size = 392 * 1024 + extra
        if fault == "full":
            (self.root / "log.txt").write_bytes(bytes(self.fs_size - 100 * 1024))

    # -- its filesystem

    def path(self, name):
        return self.root / str(name).lstrip("/")

    def free(self):
        used = sum((p.stat().st_size + BLOCK - 1) // BLOCK for p in self.root.rglob("*") if p.is_file())
        return self.fs_size - (used + 2) * BLOCK

    # -- molt

    def judge(self, name):
        """The core's verdict of a file, on this device's dump."""
        path = self.path(name)
        if not path.exists():
            raise OSError(2, "there is no such file")
        key = (str(name), path.stat().st_ino, path.stat().st_mtime_ns)
        if key not in self.judged:
            run_tool("rm", self.dump, "firmware.bin")
            put = run_tool("put", self.dump, f"{path}:firmware.bin")
            if put.returncode:
                raise OSError(28, put.stderr.strip())
            plan = run_tool("plan", self.dump, "firmware.bin", "--json")
            self.judged = {key: json.loads(plan.stdout)}
        return self.judged[key]

    def check(self, name):
        plan = self.judge(name)
        if "image" not in plan:
            raise OSError(22, plan["refusal"]["text"])
        data = self.path(name).read_bytes()
        if data[:2] == b"\x1f\x8b":
            if self.fault == "short":
                raise MemoryError
            import gzip
            data = gzip.decompress(data)
        image = plan["image"]
        version = "v" if data[:4] == b"MDL1" else version_of(data)  # a delta file has a name of its own in its header
        return {"kind": image["kind"], "chip": image["chip"], "size": image["size"], "crc32": image["crc32"], "version": version}

    def plan(self, name):
        plan = self.judge(name)
        if not plan["possible"]:
            return {"refused": True, "reason": plan["refusal"]["text"], "in_place": None, "sectors": None, "seconds": None}
        return {"refused": False, "reason": None, "in_place": plan["in_place"], "sectors": plan["sectors"]["total"],
                "programmed": plan["sectors"]["programmed"], "seconds": 1.0}

    def status(self):
        if self.resident:
            return {"resident": True, "result": "trial" if self.trial else self.result, "starts": 3}
        return self.result and {"resident": False, "result": self.result, "resumed": 0, "crc32": 0}

    def fwupdate(self, name, verbose, reset, drop_frozen, fallback=None):
        if self.plan(name)["in_place"]:
            return False
        if self.fault == "deaf" and self.is_deaf:
            self.is_deaf = False
            raise OSError(104)
        if self.fault == "power":
            self.fault = None
            self.wake.set()
            raise OSError(104)
        self.pending = self.check(name)["size"]
        self.wants_trial = fallback is not None
        self.fallback = fallback and self.path(fallback).read_bytes()
        return True

    def confirm(self):
        was = self.trial
        self.trial = False
        self.result = "confirmed" if was else self.result
        return was

    # -- on and off

    def turn_on(self):
        """Live, in a thread with an event loop of its own: a device that checks an image keeps nobody waiting but its own clients."""
        self.is_off = self.is_gone = False
        self.asked = None
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.live()), daemon=True)
        self.thread.start()
        self.is_ready.wait(20)

    def turn_off(self):
        self.is_off = True
        self.loop.call_soon_threadsafe(self.wake.set)
        self.thread.join(20)

    async def live(self):
        DEVICE.set(self)
        self.loop = asyncio.get_running_loop()
        self.wake = asyncio.Event()
        if self.pending:
            self.boot()
        while not self.is_off:
            await self.serve()
            if not self.is_off:
                self.boot()

    def reset(self):
        """What umachine.reset() leads to."""
        if self.fault != "stuck" or self.resident:
            self.wake.set()

    async def serve(self):
        """From a start to a reset."""
        self.wake.clear()
        self.begun = time.monotonic()
        self.version = version_of(self.dump.read_bytes()[:0x99000])
        if self.fault == "off" or self.is_gone:
            self.is_ready.set()
            await self.wake.wait()
            return
        clients = MODULES["molt_clients"].Clients(MODULES["molt_web"].App())
        writers = set()
        server = await asyncio.start_server(lambda r, w: self.take(clients, writers, r, w), self.address, self.port)
        watch = asyncio.create_task(clients.watch())
        self.is_ready.set()
        await self.wake.wait()
        watch.cancel()
        server.close()
        for writer in list(writers):
            writer.transport.abort()

    async def take(self, clients, writers, reader, writer):
        self.asked = self.asked or time.monotonic()
        writers.add(writer)
        try:
            if self.fault == "swallow" and self.upgraded:
                self.fault = None
                await reader.read()
            elif self.fault == "mute":
                await reader.read()
            elif self.fault == "foreign":
                await reader.read(500)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
            else:
                await clients.serve(Stream(self, reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    def boot(self):
        """What the boot loader does, and what it leaves behind."""
        if self.fault == "dead":
            self.is_gone = True
            return
        if self.pending and self.fault in ("restored", "stuck"):
            self.result = "rolled back" if self.wants_trial else "restored"
        elif self.pending:
            done = run_tool("upgrade", self.dump, "firmware.bin", "-q")
            if done.returncode:
                print(f"# {self.address}: {done.stderr}", file=sys.stderr)
            self.result = "ok"
            self.upgraded = time.monotonic()
            self.trial = self.wants_trial
        self.pending = None
        self.judged = {}
        time.sleep(AWAY_SECONDS)


class Stream:
    """MicroPython's stream, of CPython's two."""

    def __init__(self, device, reader, writer):
        self.device = device
        self.reader = reader
        self.writer = writer
        self.count = 0

    async def read(self, n):
        try:
            data = await self.reader.read(n)
        except OSError as e:
            raise OSError(e.errno) from e
        self.count += len(data)
        if self.device.left_to_cut and self.count > 30000:
            self.device.left_to_cut -= 1
            self.writer.transport.abort()
            raise OSError(104)
        return data

    async def readinto(self, view):
        data = await self.read(len(view))
        view[:len(data)] = data
        return len(data)

    def write(self, data):
        self.writer.write(data)

    async def drain(self):
        try:
            await self.writer.drain()
        except OSError as e:
            raise OSError(e.errno) from e

    async def wait_closed(self):
        self.writer.close()


# ---- what the server finds in place of MicroPython

def make_uos():
    uos = types.ModuleType("uos")
    mine = lambda name: DEVICE.get().path(name)  # noqa: E731
    uos.remove = lambda name: os.remove(mine(name))
    uos.rename = lambda old, new: os.replace(mine(old), mine(new))
    uos.mkdir = lambda name: os.mkdir(mine(name))
    uos.stat = lambda name: tuple(os.stat(mine(name)))
    uos.ilistdir = lambda name="/": iter([(p.name, 0x4000 if p.is_dir() else 0x8000, 0, p.stat().st_size) for p in sorted(mine(name).iterdir())])
    uos.statvfs = lambda name: (BLOCK, BLOCK, DEVICE.get().fs_size // BLOCK, DEVICE.get().free() // BLOCK)
    uos.uname = lambda: types.SimpleNamespace(version=DEVICE.get().version, machine="a device in devices.py")
    uos.urandom = os.urandom
    return uos


def make_molt():
    molt = types.ModuleType("molt")
    for name in ("check", "plan", "status", "fwupdate", "confirm"):
        setattr(molt, name, lambda *a, _name=name, **k: getattr(DEVICE.get(), _name)(*a, **k))
    molt.pending = lambda: DEVICE.get().pending
    molt.regions = lambda: [{"name": "firmware", "addr": 0, "size": 0x99000, "used": 0x82000}]
    return molt


def load_server():
    """micropython/web's modules, with what they find on a device in place of CPython's."""
    builtins.const = lambda value: value
    low = types.ModuleType("_molt")
    low.sha256 = lambda f: hashlib.sha256(f.read()).digest()
    low.flush = lambda: None
    machine = types.ModuleType("umachine")
    machine.reset = lambda: DEVICE.get().reset()
    ubinascii = types.ModuleType("ubinascii")
    import binascii
    ubinascii.hexlify, ubinascii.unhexlify = binascii.hexlify, binascii.unhexlify
    sys.modules.update({"uos": make_uos(), "molt": make_molt(), "_molt": low, "umachine": machine, "ubinascii": ubinascii})
    time.ticks_ms = lambda: int((time.monotonic() - DEVICE.get().begun) * (100 if DEVICE.get().fault == "deaf" else 1000))
    time.ticks_add = lambda a, b: a + b
    time.ticks_diff = lambda a, b: a - b
    asyncio.sleep_ms = lambda ms: asyncio.sleep(ms / 1000)
    asyncio.wait_for_ms = lambda what, ms: asyncio.wait_for(what, ms / 1000)
    gc.collect = lambda *_: 0  # it is asked for all the time, and CPython takes long for it
    gc.mem_free = lambda: DEVICE.get().heap
    sys.print_exception = lambda e: sys.excepthook(type(e), e, e.__traceback__)
    sys.path.insert(0, str(ROOT / "micropython/web"))
    import molt_web  # noqa: F401
    found = {name: module for name, module in sys.modules.items() if name.startswith("molt_")}
    for module in found.values():
        module.open = lambda name, mode="r": open(DEVICE.get().path(name), mode)
    return found


MODULES = load_server()
