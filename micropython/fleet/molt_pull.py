"""A device that asks: it looks at a manifest now and then, fetches the firmware that stands there, and upgrades to it.

    import molt_pull
    molt_pull.run("http://10.0.0.5/lamp/manifest.json")     # or: await molt_pull.serve(url), beside other tasks
    molt_pull.status()                                      # what it is about, and what is wrong

In resident mode the new firmware is on trial until it has reached the manifest's server. docs/fleet.md has the manifest and what
is done when; docs/security.md who can change what is on its way.
"""

import asyncio
import json
import uos
from ubinascii import unhexlify

import molt
from molt_fetch import Broken, get, join_url
from molt_intake import DELTA, Part, Refused, Unfit, accept, check_digest, family, hmac, holds_firmware, kind_of, receive, remove, remove_parts, reset, room, \
    room_wanted, runs, same, sentence, sha256, size_of

_NOTES = "/molt_pull.json"
_NEW = "/molt_pull.new"  # the image that is to run; it stays until it is known what came of it
_OLD = "/molt_pull.old"  # in resident mode: the image that runs, to fall back on
_FALLBACKS = (_OLD, "/firmware.old")  # the other is molt_web's
_WAY = "pull"
_MANIFEST_MAX = const(4096)
_TRIES_MAX = const(3)  # of one release, until it counts as failed
_BROKEN_MAX = const(4)  # connections in a row that bring nothing
_BEGUN_MAX = const(4)  # times that a file is begun in a round: each costs flash, and a server may do no ranges
_FIRST = const(30)  # seconds within which the first question is put
_AGAIN = const(60)  # seconds until another try; then twice as long, and so on
_INTERVAL_MAX = const(432000)  # 5 days: the clock's milliseconds go round after 6
_ON_TRIAL = const(5)  # the same while the firmware is on trial

_timer = None
_restart = None
_puller = None


# ---- the manifest

def _file_of(build):
    """The one file of a build, packed if there is one that is."""
    parts = build["parts"]
    if len(parts) != 1 or parts[0].get("offset", 0) != 0:
        raise Refused(422, "the manifest's build has to have one part, at offset 0")
    return parts[0].get("gz") or parts[0]


def choose(manifest, family, url, key=None):
    """What a manifest offers a chip: a dict with name, version, url, size, sha256. key: see serve()."""
    try:
        builds = {build["chipFamily"]: build for build in manifest["builds"]}
        if family not in builds:
            raise Refused(422, "the manifest has no build for %s, only for %s" % (family, ", ".join(sorted(builds)) or "nothing"))
        file = _file_of(builds[family])
        release = {"name": str(manifest["name"]), "version": str(manifest["version"]), "url": join_url(url, file["path"]),
                   "size": int(file["size"]), "sha256": file["sha256"].lower()}
        # It becomes a part of a file's name.
        if len(unhexlify(release["sha256"])) != 32 or release["size"] < 1:
            raise ValueError
        mac = unhexlify(file.get("mac", ""))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as e:
        raise Refused(422, "the manifest cannot be used: name, version, and of the build's part path, size and sha256 are wanted (%r)" % e)
    text = "%s\n%s\n%s\n%u\n%s\n" % (family, release["name"], release["version"], release["size"], release["sha256"])
    if key is not None and not same(hmac(sha256(key.encode()), text.encode()), mac):
        raise Refused(403, "the manifest is not by who has the key: it has no `mac`, or one that is wrong")
    return release


async def _ask(url):
    """What is at the manifest's address."""
    answer = await get(url)
    try:
        if answer.size > _MANIFEST_MAX:
            # Something is there.
            _reached()
            raise Refused(422, "the manifest has %u bytes, and %u are the most" % (answer.size, _MANIFEST_MAX))
        data = await answer.watched(answer.read_all())
    finally:
        answer.close()
    _reached()
    try:
        return json.loads(data)
    except ValueError:
        raise Refused(422, "the manifest is not JSON")


# ---- what is kept over a restart

class _Notes:
    """have     [version, sha256] of what runs, and on: what MicroPython calls itself there
    trying      [version, sha256] of what an upgrade is prepared of, and armed: that it was
    missed      [version, sha256, how often it came to nothing]
    failed      [version, sha256, sentence] of what is not taken again
    """

    def __init__(self):
        try:
            with open(_NOTES) as f:
                self.all = dict(json.load(f))
        except (OSError, ValueError, TypeError):
            self.all = {}

    def get(self, key):
        return self.all.get(key)

    def set(self, **changes):
        """A power cut leaves the old notes or the new ones."""
        self.all.update(changes)
        with open(_NOTES + ".new", "w") as f:
            json.dump({key: value for key, value in self.all.items() if value}, f)
        uos.rename(_NOTES + ".new", _NOTES)

    def have(self):
        """[version, sha256], or None where another firmware was put in meanwhile."""
        return self.get("have") if self.get("on") == uos.uname().version else None


def _id(release):
    return [release["version"], release["sha256"]]


def _result():
    status = molt.status()
    return status and status["result"]


def _is_resident():
    status = molt.status()
    return bool(status and status["resident"])


# ---- the one that asks

class Puller:
    """See serve().

    changed     called when status() says something new
    wake        an Event that makes it ask at once, and install
    mqtt        what is wrong with who tells of it, for status()
    """

    def __init__(self, url, version=None, interval=21600, auto=True, trial=True, key=None, changed=None):
        if key == "":
            raise ValueError("the key is empty; without one leave it out")
        self.url = url
        self.key = key
        self.interval = min(interval, _INTERVAL_MAX)
        self.version = version
        self.auto = auto
        self.trial = trial
        self.changed = changed
        self.notes = _Notes()
        self.release = None
        self.state = "idle"
        self.percent = None
        self.error = None
        self.mqtt = None
        self.wake = asyncio.Event()
        self.wait = None  # seconds until the next question
        self.failures = 0  # rounds in a row
        self.is_safe = None  # has_fallback()
        self.looks = 0  # is_new(), in vain

    def say(self, state, percent=None):
        if (state, percent) != (self.state, self.percent):
            self.state = state
            self.percent = percent
            if self.changed:
                self.changed()

    def installed(self):
        have = self.notes.have()
        return self.version or have and have[0]

    def status(self):
        failed = self.notes.get("failed")
        return {"state": self.state, "percent": self.percent, "installed": self.installed(),
                "latest": self.release and self.release["version"], "failed": failed and failed[0], "error": self.error,
                "mqtt": self.mqtt}

    # -- what became of the one before

    def settle(self):
        """Take note of what became of an upgrade. True if that is known."""
        trying = self.notes.get("trying")
        if _result() in ("trial", "pending"):
            if trying and not self.notes.get("armed"):
                self.notes.set(armed=True)
            return False
        if trying:
            if self.is_new():
                self.keep(trying)
            else:
                self.lose(trying)
        return True

    def is_new(self):
        """Whether what runs is the image in _NEW. Raises what keeps that from being told, so that it is tried again, but not for ever."""
        try:
            return runs(_NEW, True)
        except (OSError, MemoryError) as e:
            self.looks += 1
            if self.looks < _TRIES_MAX:
                raise e
            return False

    def keep(self, release):
        """The image in _NEW is what runs."""
        if _is_resident() and kind_of(_NEW) != DELTA:
            uos.rename(_NEW, _OLD)
            self.is_safe = True
        else:
            remove(_NEW)
        self.notes.set(have=release, on=uos.uname().version, trying=None, armed=None, missed=None)

    def lose(self, release):
        """An upgrade was prepared, and its image is not what runs."""
        armed = self.notes.get("armed")
        self.notes.set(trying=None, armed=None)
        if armed and _result() == "rolled back":
            self.fail(release, "did not reach the manifest's server in time, and was taken back")
        else:
            self.miss(release, "was prepared, and is not what runs")

    def miss(self, release, why):
        """A try came to nothing. The last one there is to be counts as failure."""
        missed = self.notes.get("missed")
        tries = missed[2] + 1 if missed and missed[:2] == release else 1
        self.notes.set(missed=release + [tries])
        if tries >= _TRIES_MAX:
            self.fail(release, "%u times %s" % (tries, why))

    def fail(self, release, why):
        """This release is not taken again."""
        remove(_NEW)
        self.notes.set(failed=[release[0], release[1], "version %s %s" % (release[0], why)], missed=None)

    # -- a round

    async def round(self, install):
        """Ask once, and do what there is to do. Raises what is wrong, or returns the sentence for what trying again does not help."""
        self.settle()
        self.say("asking")
        manifest = await _ask(self.url)
        self.release = choose(manifest, family(), self.url, self.key)
        self.error = None
        if not self.settle():
            raise Refused(409, "an upgrade is prepared already; the next reset carries it out")
        failed = self.notes.get("failed")
        if failed and failed[:2] == _id(self.release):
            return failed[2] + "; it is not taken again unless molt_pull.forget() is called"
        if self.is_wanted() and (install or self.auto or self.is_here()):
            await self.install()

    def is_here(self):
        """Whether the release is what runs, as the program or the notes have it."""
        have = self.notes.have()
        return self.release["version"] == self.version or bool(have) and have[1] == self.release["sha256"]

    def is_wanted(self):
        """Whether it has to be fetched: to upgrade, or as what the next upgrade can fall back on."""
        return not self.is_here() or self.wants_trial() and not self.has_fallback()

    def has_fallback(self):
        """Whether there is something to fall back on. That takes seconds to know, so once in a start; install() looks again."""
        if self.is_safe is None:
            try:
                self.is_safe = bool(self.find_fallback())
            except (OSError, MemoryError):
                # It cannot be told. To fetch one anew would not help.
                self.is_safe = True
        return self.is_safe

    def wants_trial(self):
        return self.trial and _is_resident()

    async def install(self):
        release = self.release
        try:
            await self.fetch(release)
            plan = accept(_NEW)
        except Unfit as e:
            self.fail(_id(release), "was refused: " + sentence(e))
            raise e
        if plan["refused"]:
            raise Refused(422, plan["reason"])
        if plan["in_place"]:
            return self.keep(_id(release))
        fallback = self.find_fallback() if self.wants_trial() else None
        if not fallback and self.wants_trial():
            raise Refused(409, "version %s would be on trial, and there is no image to fall back on: put the one that runs there as %s, or "
                          "serve(trial=False)" % (release["version"], _OLD))
        await self.upgrade(release, fallback)

    def find_fallback(self):
        for path in _FALLBACKS:
            if holds_firmware(path, True):
                return path

    async def upgrade(self, release, fallback):
        self.say("preparing")
        await asyncio.sleep_ms(200)
        self.notes.set(trying=_id(release), armed=None)
        try:
            molt.fwupdate(_NEW, verbose=False, reset=False, fallback=fallback, sha256=release["sha256"])
        except Exception as e:
            # It is not prepared, for want of memory for instance. That says nothing of the release.
            self.notes.set(trying=None)
            raise e
        self.notes.set(armed=True)
        self.say("restarting")
        # So that others can tell of it.
        await asyncio.sleep(1)
        reset()

    # -- the file

    async def fetch(self, release):
        """Have the release's file in _NEW."""
        part = Part(_WAY, release["sha256"], release["size"])
        remove_parts(_WAY, part.path)
        if size_of(_NEW) == part.size:
            try:
                return check_digest(_NEW, part.sha256)
            except Refused:
                pass
        remove(_NEW)
        self.make_room(part)
        broken = 0
        while part.got() < part.size:
            got = part.got()
            try:
                await self.fetch_rest(part, release["url"])
            except Broken as e:
                broken = 0 if part.got() > got else broken + 1
                if broken == _BROKEN_MAX or part.begun == _BEGUN_MAX:
                    raise e
                await asyncio.sleep(1 << broken)
        try:
            check_digest(part.path, part.sha256)
        except Refused as e:
            self.miss(_id(release), "what came was not what the manifest says")
            raise e
        uos.rename(part.path, _NEW)

    def make_room(self, part):
        wanted = room_wanted(part.size) - part.got()
        free = room()[0]
        if free < wanted:
            raise Refused(507, "version %s needs %u KB and %u KB are free; delete files to make room" % (
                self.release["version"], wanted // 1024, free // 1024))

    async def fetch_rest(self, part, url):
        answer = await get(url, part.got())
        try:
            if answer.size != part.size:
                raise Refused(409, "%s has %u bytes, and the manifest says %u" % (url, answer.size, part.size))
            if answer.offset not in (0, part.got()):
                raise Refused(502, "%s: the server sends another part than it was asked for" % url)
            part.begun += not answer.offset
            answer.touch = lambda: self.say("downloading", (part.size - answer.left) * 100 // part.size)
            await answer.watched(receive(answer, part.path, answer.offset, part.size))
        finally:
            answer.close()

    # -- for ever

    async def run(self):
        while True:
            try:
                await self.turn()
            except Exception as e:
                # Where the heap is full this has to work, and takes nothing of it.
                self.error = sentence(e)
                self.wait = min(_FIRST, self.interval)
                await asyncio.sleep(self.wait)

    async def turn(self):
        """Wait until it is time, and ask."""
        install = await self.sleep()
        try:
            self.error = await self.round(install)
            self.failures = 0
            self.wait = self.interval
        except Exception as e:
            self.error = sentence(e)
            self.wait = min(self.interval, _ON_TRIAL if _result() == "trial" else _AGAIN << min(self.failures, 10))
            self.failures += 1
        finally:
            self.state = "idle"
            self.percent = None
        if self.changed:
            self.changed()
        self.wait += _share(self.wait // 5) - self.wait // 10

    async def sleep(self):
        """True if it was woken."""
        if self.wait is None:
            self.wait = 0 if _result() == "trial" else _share(min(_FIRST, self.interval))
        try:
            await asyncio.wait_for(self.wake.wait(), self.wait)
            self.wake.clear()
            return True
        except asyncio.TimeoutError:
            return False


def _share(seconds):
    """A random part of a time, so that not all devices ask at once."""
    return seconds * int.from_bytes(uos.urandom(2), "little") >> 16


# ---- the trial's other end

def guard(seconds=300):
    """Where the firmware is on trial: restart in so many seconds, unless it is confirmed by then. In boot.py it also takes back a
    firmware under which main.py does not get so far. (asyncio may never run, a timer does.)"""
    global _timer, _restart
    if _timer is None and _result() == "trial":
        import umachine

        _restart = umachine.reset
        _timer = umachine.Timer(-1)
        # Again and again: a call for which MicroPython's queue has no place is lost.
        _timer.init(mode=umachine.Timer.PERIODIC, period=seconds * 1000, callback=_expire)


def _reached():
    """The network is there, and so is the server, whatever its manifest says."""
    if _result() == "trial":
        molt.confirm()
    if _timer:
        _timer.deinit()


def _expire(timer):
    try:
        if _result() == "trial":
            reset()
    except Exception:
        # A firmware that has filled its heap. This takes nothing of it.
        _restart()
    timer.deinit()


# ---- for programs

def start(url, **options):
    """A Puller, of which status() speaks from now on."""
    global _puller
    guard()
    _puller = Puller(url, **options)
    return _puller


async def serve(url, **options):
    """Ask for ever.

    url       of the manifest, http://...
    version   of the firmware that runs, if the program knows it; else it is remembered from the manifest
    interval  seconds from one question to the next, a tenth more or less: 21600 (6 hours), at most 432000; after a failure less
    auto      False: what is new is not installed by itself
    trial     False: no trial, not in resident mode either
    key       a str: only manifests are followed that somebody made who has it, too
    """
    await start(url, **options).run()


def run(url, **options):
    """serve(), where nothing else runs."""
    asyncio.run(serve(url, **options))


def status():
    """A dict: state, percent of a download; installed, latest, failed (versions, or None); error, mqtt (sentences, or None)."""
    return (_puller or Puller(None)).status()


def forget():
    """Take also what has failed, once more."""
    notes = _puller.notes if _puller else _Notes()
    notes.set(failed=None, missed=None)
