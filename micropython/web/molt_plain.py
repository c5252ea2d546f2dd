"""The page of molt_web.py for browsers without JavaScript: forms, and what comes of them."""

import uos
from ubinascii import hexlify

import _molt
import molt
from molt_intake import IMAGE_MAX, Part, Refused, room


def escape(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def page(body):
    return ("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>molt</title>"
            "<link rel=icon href='data:,'>"
            "<style>:root{color-scheme:light dark}body{font:1.1em/1.5 system-ui;max-width:40em;margin:2em auto;padding:0 1em}"
            "th{text-align:left;padding-right:1em}button,input{font:inherit}</style><h1>molt</h1>" + body)


def say(error):
    return page("<p role=alert>%s.</p><p><a href=/plain>Back</a></p>" % escape(error))


def _say_status(status):
    if not status or not status["result"]:
        return "none that the device remembers"
    cuts = status.get("resumed") or 0
    return status["result"] + (", the power failed %u times meanwhile" % cuts if cuts else "")


async def get_plain(app, request):
    status = molt.status()
    free, size = room()
    rows = (("Firmware", uos.uname().version), ("Board", uos.uname().machine), ("Last upgrade", _say_status(status)),
            ("Files", "%u of %u KB are free" % (free // 1024, size // 1024)))
    text = "".join("<tr><th scope=row>%s<td>%s" % (name, escape(value)) for name, value in rows)
    return page("<table>%s</table><form method=post action=/plain/upload enctype=multipart/form-data>"
                "<label>Firmware (.bin or .gz) <input type=file name=image required></label> <button>Upload</button></form>" % text)


async def post_plain_upload(app, request):
    """A form's only field, a file. Its size is known: what is around it is."""
    kind = request.headers.get(b"content-type", b"")
    at = kind.find(b"boundary=")
    left = request.expect_body(IMAGE_MAX + 1024)
    if at < 0:
        raise Refused(415, "a form with a file is wanted")
    tail = b"\r\n--" + kind[at + 9:].strip(b'"') + b"--\r\n"
    head = b""
    view = memoryview(bytearray(256))
    while head.find(b"\r\n\r\n") < 0:
        if len(head) > 1024 or not request.left:
            raise Refused(400, "the form cannot be read")
        head += bytes(view[:await request.readinto(view)])
    end = head.find(b"\r\n\r\n") + 4
    request.rest = head[end:] + request.rest
    size = left - end - len(tail)
    if size < 1:
        raise Refused(400, "choose a file")
    request.left = size
    upload = Part("web", "0" * 64, size)
    app.check_idle()
    app.check_room(upload)
    await app.receive(request, upload.path, 0, size)
    # Unread, what stands behind the file would make a reset of the close, and the answer would be lost.
    request.left = len(tail)
    await request.read_all()
    with open(upload.path, "rb") as f:
        upload.sha256 = hexlify(_molt.sha256(f)).decode()
    plan = app.finish(upload)
    if plan["refused"]:
        raise Refused(409, plan["reason"])
    return page("<p>%s, %u bytes, for %s. It would take about %u s; %u of %u sectors differ.</p><p>%s</p>"
                "<form method=post action=/plain/upgrade><button>Upgrade now</button></form><p><a href=/plain>Not now</a></p>" % (
                    escape(plan["version"] or plan["kind"]), plan["size"], plan["chip"], plan["seconds"] + 2, plan["programmed"],
                    plan["sectors"], escape(plan["risk"] or "A power cut does no harm at any moment.")))


async def post_plain_upgrade(app, request):
    result = await app.post_upgrade(request)
    if result["in_place"]:
        return page("<p>This firmware is in place already.</p><p><a href=/plain>Back</a></p>")
    return page("<p role=status>The device upgrades. This page asks in 20 seconds what came of it.</p>"
                "<meta http-equiv=refresh content='20;url=/plain'><p><a href=/plain>Ask now</a></p>")
