"""A page for a device with molt: upload a firmware, see what it would do, upgrade; files and dynamic frozen modules.

    import molt_web
    molt_web.set_password("correct horse")     # once; it is kept, hashed, in molt_web.key
    molt_web.run()                             # or: await molt_web.serve(), beside other tasks

The page is molt_web.html.gz, in / or /lib. Without it, and for browsers without JavaScript, there is /plain. docs/web.md has
the requests, docs/security.md what is guarded against and what is not.
"""

import asyncio
import gc
import json
import socket
import sys
import time
import uos
from ubinascii import hexlify, unhexlify

import _molt
import molt
from molt_clients import Clients
from molt_http import KEY_FILE, Guard, answer_head, load_key, set_password
from molt_intake import DELTA, GZIP, IMAGE_MAX, Part, Refused, accept, check_digest, holds_firmware, judge, kind_of, obstacle, parts, receive, \
    remove, remove_parts, room, room_wanted, sentence, size_of

_PAGES = ("/molt_web.html.gz", "/lib/molt_web.html.gz")
_IMAGE = "/firmware.bin"
_WAY = "web"  # how the names of uploads begin that are not whole
_OLD = "/firmware.old"  # the image that runs, for a trial to fall back on
_BACK = "/firmware.back"  # or a delta file that leads back to it, from the image of firmware.bin
_NEW = "/web.new"  # a file that is not whole

_RISK = "Twice the power must not fail for some 60 ms, or nothing boots until the serial line is used"
_CONNECTIONS_MAX = const(5)  # of lwIP, those that are being closed included
_FILE_MAX = const(0x100000)


def _file_name(text):
    """The path of a file of the user's. No request leads anywhere but to what it names."""
    if not 0 < len(text) <= 100 or text[0] == "/" or text[-1] == "/" or any(c < " " or c in '\\"<>&' for c in text):
        raise Refused(400, "this is no name for a file")
    if any(part in ("", ".", "..") for part in text.split("/")):
        raise Refused(400, "a file's name has no empty parts and no dots alone")
    if "/" + text == KEY_FILE:
        raise Refused(403, "the password's file is not to be touched from here")
    return "/" + text


def _version():
    return uos.uname().version


def _refusal(error, number):
    """For an OSError of the filesystem, which has no sentence."""
    if number == 28:
        return Refused(507, "the filesystem is full; delete files to make room")
    if number == 12:
        return Refused(503, sentence(MemoryError()))
    if number in (17, 20, 21, 39):
        return Refused(409, "a folder has the name of a file that is wanted, or a file that of a folder; delete what is in the way")
    return Refused(500, "%s; restart it, and if it says so again look at its files at its serial line" % sentence(error))


def _is_on_trial():
    status = molt.status()
    return bool(status) and status["result"] == "trial"


def _has_trials(status):
    """Whether a firmware can be put in on trial."""
    if hasattr(molt, "slots"):
        return not obstacle() and (molt.slots() is not None or _molt.standby()[4])
    return bool(status) and status["resident"]


def _say_own(size):
    """Why an image of so many bytes must not go in: it would run over modules of molt_web itself. None if it would not."""
    if not hasattr(_molt, "frozen"):
        return None
    from molt_ask import frozen_in_way

    own = ("molt_intake", "molt_http", "molt_clients", "molt_plain", "molt_web")
    names = [name for name in frozen_in_way(size) if name in own]
    return names and (
        "the new firmware (%u bytes) would run over molt_web itself (%s), and the device could not be reached any more: upgrade it at its "
        "serial line, with molt.fwupdate('firmware.bin', drop_frozen=True), and freeze these modules again" % (size, ", ".join(names)))


class App:
    """What answers, for serve() and for other servers: answer().

    hosts   names that a browser may call the device by; its addresses always may
    """

    def __init__(self, hosts=()):
        self.guard = Guard(load_key())
        self.hosts = [h.lower().encode() for h in hosts]
        self.boot = hexlify(uos.urandom(4)).decode()  # another one after a restart
        self.clients = []  # those that have a slot, the oldest first: molt_clients has them
        self.is_receiving = False
        self.has_to_reset = None  # the request that wants it
        remove(_NEW)  # of a file that the power has failed in

    # -- the way in

    def check_host(self, headers):
        """A page of another site can neither call the device by a name of its own, nor send it anything."""
        host = headers.get(b"host", b"")
        name = host.split(b":")[0].lower()
        if name not in self.hosts and not (name and all(c in b"0123456789." for c in name)):
            raise Refused(403, "this device is not called so; use its address, or serve(hosts=(...,))")
        return host

    def check_origin(self, request, host):
        origin = request.headers.get(b"origin")
        if request.method != b"GET" and origin is not None and origin != b"http://" + host and origin != b"https://" + host:
            raise Refused(403, "another site's page has sent this")

    async def check_password(self, request):
        header = request.headers.get(b"authorization")
        stale = self.guard.admit(request.method, request.uri, header) if header else True
        if stale is None:
            request.is_proved = True
            return
        if not stale:
            await asyncio.sleep(1)
        raise Refused(401, "the password is wrong" if header and not stale else "the password is wanted", {"stale": stale})

    async def answer(self, request, out):
        """Answer one request. out: write() and drain(), as of a stream."""
        try:
            host = self.check_host(request.headers)
            self.check_origin(request, host)
            if request.path == "/" and request.method == b"GET":
                return await self.send_page(out)
            await self.check_password(request)
            handler = self.find(request)
            gc.collect()
            try:
                result = await handler(request)
            except OSError as e:
                if len(e.args) > 1:
                    raise Refused(422, e.args[1])
                number = e.args[0] if e.args else 0
                if number in (9, 32, 103, 104, 107, 110, 113, 128):
                    raise  # the client has gone
                raise _refusal(e, number)
            except ValueError as e:
                raise Refused(422, str(e))
            except MemoryError:
                gc.collect()
                raise Refused(503, "the device has not enough memory for this; let its program hold less, or restart it")
            if isinstance(result, str):
                await self.send(out, 200, result.encode(), b"text/html; charset=utf-8")
            elif isinstance(result, dict):
                await self.send(out, 200, json.dumps(result).encode())
            else:
                await self.send_list(out, result)
        except Refused as e:
            await self.send_refusal(request, out, e)
        except (OSError, asyncio.CancelledError):
            raise
        except Exception as e:
            sys.print_exception(e)
            await self.send_refusal(request, out, Refused(500, "molt_web has a mistake; the serial line has more of it: %r" % e))

    def find(self, request):
        path, method = request.path, request.method
        routes = {b"GET": ("/info", "/upload", "/files", "/frozen", "/plain"), b"PUT": ("/upload", "/files/", "/frozen/"),
                  b"POST": ("/plan", "/upgrade", "/confirm", "/restart", "/plain/upload", "/plain/upgrade"),
                  b"DELETE": ("/files/", "/frozen/", "/upload")}
        if method not in routes:
            raise Refused(405, "GET, PUT, POST and DELETE are understood")
        for route in routes[method]:
            if path == route or route[-1] == "/" and path.startswith(route):
                name = "%s%s" % (method.decode().lower(), route.rstrip("/").replace("/", "_"))
                return self.plain(name) if path.startswith("/plain") else getattr(self, name)
        raise Refused(404, "there is nothing of that name here")

    def plain(self, name):
        import molt_plain

        return lambda request: getattr(molt_plain, name)(self, request)

    # -- the way out

    async def send(self, out, status, body, kind=b"application/json", extra=b""):
        out.write(answer_head(status, kind, len(body), extra))
        out.write(body)
        await out.drain()

    async def send_list(self, out, items):
        """A list of which one item at a time is in memory."""
        out.write(answer_head(200, b"application/json"))
        comma = b"["
        for item in items:
            out.write(comma + json.dumps(item).encode())
            await out.drain()
            comma = b","
        out.write(b"]" if comma == b"," else b"[]")
        await out.drain()

    async def send_refusal(self, request, out, refusal):
        extra = b""
        fields = refusal.fields
        if refusal.status == 401:
            fields["nonce"] = self.guard.nonce().decode()
            if request and request.path.startswith("/plain"):
                extra = b'WWW-Authenticate: Digest realm="molt", qop="auth", algorithm=SHA-256, nonce="%s"%s\r\n' % (
                    fields["nonce"].encode(), b", stale=true" if fields["stale"] and request.headers.get(b"authorization") else b"")
        if request and request.path.startswith("/plain"):
            import molt_plain

            body = molt_plain.say(fields["error"])
            await self.send(out, refusal.status, body.encode(), b"text/html; charset=utf-8", extra)
        else:
            await self.send(out, refusal.status, json.dumps(fields).encode(), extra=extra)

    async def send_page(self, out):
        for path in _PAGES:
            try:
                f = open(path, "rb")
                break
            except OSError:
                pass
        else:
            raise Refused(404, "the page, molt_web.html.gz, is not on the device; /plain is the one without JavaScript")
        with f:
            size = f.seek(0, 2)
            f.seek(0)
            out.write(answer_head(200, b"text/html; charset=utf-8", size, b"Content-Encoding: gzip\r\n"))
            buf = memoryview(bytearray(512))
            while True:
                n = f.readinto(buf)
                if not n:
                    break
                out.write(buf[:n])
                await out.drain()

    # -- what is

    async def get_info(self, request):
        free, size = room()
        status = molt.status()
        uploads = parts(_WAY)
        gc.collect()
        return {"gzip": True, "delta": True, "image": size_of(_IMAGE), "back": size_of(_BACK), "version": _version(), "machine": uos.uname().machine, "status": status,
                "pending": molt.pending(), "regions": molt.regions(), "free": free, "size": size, "heap": gc.mem_free(),
                "clients": len(self.clients), "upload": uploads[-1] if uploads else None, "frozen": hasattr(_molt, "frozen"),
                "trial": _has_trials(status), "boot": self.boot, "up": time.ticks_ms() // 1000}

    def _tree(self, folder, depth):
        for entry in uos.ilistdir(folder or "/"):
            path = folder + "/" + entry[0]
            if entry[1] == 0x4000:
                if depth:
                    yield from self._tree(path, depth - 1)
            elif path != KEY_FILE:
                yield {"name": path[1:], "size": entry[3] if len(entry) > 3 else uos.stat(path)[6]}

    async def get_files(self, request):
        return self._tree("", 3)

    async def get_frozen(self, request):
        return iter(_molt.frozen.modules()) if hasattr(_molt, "frozen") else iter(())

    # -- an upload

    def upload_of(self, query):
        try:
            sha256, size = query["sha256"].lower(), int(query["size"])
            if len(sha256) != 64 or len(unhexlify(sha256)) != 32 or size < 1:
                raise ValueError
        except (KeyError, ValueError):
            raise Refused(400, "say sha256=<64 hexadecimal digits>&size=<bytes> of the whole file")
        return Part(_WAY, sha256, size)

    async def get_upload(self, request):
        """How much of a file is here."""
        return {"got": self.upload_of(request.query).got()}

    async def delete_upload(self, request):
        self.check_idle()
        remove_parts(_WAY)
        return {}

    async def put_upload(self, request):
        """A piece of a firmware, or all of it: ?sha256=&size= of the whole, &offset= of the piece."""
        upload = self.upload_of(request.query)
        try:
            offset = int(request.query.get("offset", "0"))
        except ValueError:
            raise Refused(400, "offset is a number of bytes")
        length = request.expect_body(IMAGE_MAX)
        self.check_idle()
        if offset == 0:
            self.check_room(upload)
        if offset != upload.got() and offset:
            raise Refused(409, "the next byte is another one; go on from `got`", {"got": upload.got()})
        if offset + length > upload.size:
            raise Refused(400, "this is more than the size that was said")
        await self.receive(request, upload.path, offset, upload.size)
        if upload.got() < upload.size:
            return {"got": upload.got()}
        return self.finish(upload)

    def check_room(self, upload):
        words = obstacle()
        if words:
            raise Refused(422, words)
        if _is_on_trial():
            raise Refused(409, "the firmware is on trial, and its fallback is a file that must stay; call molt.confirm() first")
        remove_parts(_WAY)
        remove(_NEW)
        if size_of(_BACK):
            self.check_pending()
            remove(_BACK)  # it is for the firmware.bin before
        free = room()[0]
        wanted = room_wanted(upload.size)
        here = size_of(_IMAGE)
        if free < wanted <= free + here:
            self.check_pending()
            remove(_IMAGE)  # the one before, which has been put in or was not wanted
        elif free < wanted:
            raise Refused(507, "the file needs %u KB and %u KB are free; delete files to make room" % (wanted // 1024, (free + here) // 1024))

    def check_stays(self):
        if self.has_to_reset:
            raise Refused(409, "the device is about to restart")

    def check_idle(self):
        self.check_stays()
        if self.is_receiving:
            raise Refused(409, "another upload is being received; wait for its end")

    def check_pending(self):
        """Before firmware.bin is replaced. (It takes 4 KB of heap, which an upload does not.)"""
        gc.collect()
        if molt.pending():
            raise Refused(409, "an upgrade is prepared, from a file that must stay; restart the device, or take it back by molt.cancel()")

    async def receive(self, request, path, offset, image_size=None):
        """Write the body to a file: one at a time."""
        self.check_idle()
        self.is_receiving = True
        try:
            await receive(request, path, offset, image_size)
        finally:
            self.is_receiving = False

    def finish(self, upload):
        """The whole file is here: it stays only if it is an image for this chip and map."""
        self.check_pending()
        gc.collect()
        check_digest(upload.path, upload.sha256)
        plan = accept(upload.path)
        try:
            uos.rename(upload.path, _IMAGE)
        except OSError as e:
            if e.errno == 28:
                raise
            raise Refused(422, "firmware.bin is a folder; delete what is in it, and send the file again")
        return self.tell(plan, got=upload.size)

    def tell(self, plan, **more):
        plan.update(more)
        plan["crc32"] = "%08x" % plan["crc32"]
        plan["running"] = _version()
        plan["drop_frozen"] = bool(plan["refused"]) and "drop_frozen" in plan["reason"]
        own = plan["drop_frozen"] and _say_own(plan["size"])
        if own:
            plan["drop_frozen"] = False
            plan["reason"] = own
        status = molt.status()
        plan["risk"] = None if status and status["resident"] or hasattr(molt, "standby") else _RISK
        return plan

    async def post_plan(self, request):
        return self.tell(judge(_IMAGE))

    def fallback(self):
        """The file with the image that runs, or a delta file that leads back to it. True: with OTA slots no file is needed."""
        if hasattr(molt, "slots") and molt.slots():
            return True
        kind = kind_of(_IMAGE)
        for path in (_OLD, "/molt_pull.old"):
            # A packed file beside a delta file cannot be; to unpack it would take the memory that the delta file needs.
            if not (kind == DELTA and kind_of(path) == GZIP) and holds_firmware(path):
                return path
        if kind != GZIP and kind_of(_BACK) == DELTA:
            return _BACK
        raise Refused(409, "a trial has nothing to fall back on: put the image that runs there as %s" % _OLD[1:], {"fallback": _OLD[1:]})

    async def post_upgrade(self, request):
        fallback = self.fallback() if "trial" in request.query else None
        drop_frozen = "drop_frozen" in request.query
        own = drop_frozen and _say_own(molt.check(_IMAGE)["size"])
        if own:
            raise Refused(409, own)
        if not molt.fwupdate(_IMAGE, verbose=False, reset=False, drop_frozen=drop_frozen, fallback=fallback):
            return {"in_place": True}
        self.has_to_reset = request
        return {"in_place": False}

    async def post_confirm(self, request):
        """Keep the firmware that is on trial: who asks has reached the device. Its file is what the next trial falls back on."""
        confirmed = molt.confirm()
        if confirmed:
            remove(_BACK)
        if confirmed and holds_firmware(_IMAGE):
            try:
                uos.rename(_IMAGE, _OLD)
            except OSError:
                pass  # confirmed it is all the same
        return {"confirmed": confirmed}

    async def post_restart(self, request):
        self.has_to_reset = request
        return {}

    # -- files, and modules

    def check_file(self, path):
        """Before a file is put or deleted: what an upgrade was prepared from has to stay, and what a trial falls back on."""
        self.check_stays()
        self.check_pending()
        if (path in (_OLD, "/molt_pull.old", _BACK) or path.startswith("/molt.stash") or path.startswith("/molt.back")) and _is_on_trial():
            raise Refused(409, "the firmware is on trial, and may need this file to fall back; call molt.confirm() first")

    async def put_files(self, request):
        path = _file_name(request.path[7:])
        self.check_idle()
        self.check_file(path)
        remove(_NEW)
        size = request.expect_body(_FILE_MAX)
        free = room()[0]
        if size + 8192 > free:
            raise Refused(507, "the file needs %u KB and %u KB are free" % (size // 1024, free // 1024))
        await self.receive_whole(request, path)
        for i, c in enumerate(path):
            if c == "/" and i:
                try:
                    uos.mkdir(path[:i])
                except OSError:
                    pass
        try:
            uos.rename(_NEW, path)
        except OSError:
            remove(_NEW)
            raise Refused(409, "there is no place for a file of that name: a folder, or a file in place of one, is in the way")
        return {}

    async def receive_whole(self, request, path=None):
        """A file of which nothing is kept unless it is whole, in /web.new. path: where it is to go, if that has to be looked at."""
        self.check_idle()  # or another's /web.new would be removed
        try:
            await self.receive(request, _NEW, 0)
            wanted = request.query.get("sha256")
            if wanted:
                check_digest(_NEW, wanted)
            if path:
                self.check_file(path)  # an upgrade may have been prepared meanwhile
        except BaseException as e:
            remove(_NEW)
            raise e

    async def delete_files(self, request):
        path = _file_name(request.path[7:])
        self.check_file(path)
        try:
            uos.remove(path)
        except OSError:
            raise Refused(404, "there is no such file, or it is a folder with something in it")
        return {}

    async def put_frozen(self, request):
        name = request.path[8:]
        if not hasattr(_molt, "frozen"):
            raise Refused(404, "this firmware is built without dynamic frozen modules")
        request.expect_body(_FILE_MAX)
        await self.receive_whole(request)
        try:
            _molt.frozen.add(_NEW, name)
        finally:
            remove(_NEW)
        return {}

    async def delete_frozen(self, request):
        if not hasattr(_molt, "frozen") or not _molt.frozen.delete(request.path[8:]):
            raise Refused(404, "there is no such module")
        return {}


async def serve(port=80, hosts=()):
    """Serve the page for ever. hosts: names by which a browser may call the device, beside its addresses."""
    try:
        import network

        name = network.hostname()
        hosts = tuple(hosts) + (name, name + ".local")
    except (ImportError, AttributeError):
        pass
    clients = Clients(App(hosts))
    listener = socket.socket()
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])
    listener.listen(_CONNECTIONS_MAX)
    taker = asyncio.create_task(clients.take(listener))
    print("molt: the page is served at port", port)
    try:
        await clients.watch()
    finally:
        taker.cancel()
        listener.close()


def run(port=80, hosts=()):
    """serve(), where nothing else runs."""
    asyncio.run(serve(port, hosts))
