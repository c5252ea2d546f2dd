"""molt_pull.py told of, and told what to do, by MQTT: Home Assistant's `update` entity, which it finds by itself.

    import molt_mqtt
    molt_mqtt.run("10.0.0.5", "http://10.0.0.5/lamp/manifest.json", user="lamp", password="...")

What is new is installed when Home Assistant says so, not by itself. docs/fleet.md has the topics.

The client is a small one of our own: MQTT 3.1.1 [OASIS], CONNECT with a last will, PUBLISH with QoS 0 (what is taken: 0 and 1),
SUBSCRIBE, PING. All that is published is retained, and published anew with each connection.
"""

import asyncio
import json
import uos
from ubinascii import hexlify

import molt_pull
from molt_fetch import Broken, connect, soon
from molt_intake import sentence

_KEEP_ALIVE = const(60)  # seconds; a broker that says nothing for as long is gone
_TAKEN_MAX = const(256)  # bytes of a message that is looked at; of longer ones none
_AGAIN_MAX = const(300)  # seconds until another try to connect, at most
_BETWEEN = const(1)  # seconds from one state to the next
_SUMMARY_MAX = const(255)  # characters, of Home Assistant's release_summary

# First bytes of packets [MQTT 3.1.1, 2.2].
_CONNECT = const(0x10)
_CONNACK = const(0x20)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBSCRIBE = const(0x82)
_SUBACK = const(0x90)
_PING = const(0xC0)
# Flags of PUBLISH [3.3.1] and CONNECT [3.1.2.3].
_RETAIN = const(0x01)
_QOS = const(0x06)
_CLEAN_WITH_WILL = const(0x26)  # a clean session; a last will, which is retained
_WITH_USER = const(0x80)
_WITH_PASSWORD = const(0x40)
_REFUSED = const(0x80)  # in place of a QoS [3.9.3]


# ---- MQTT

def _text(text):
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(2, "big") + data


def _packet(kind, *parts):
    body = b"".join(parts)
    size = len(body)
    head = bytes([kind])
    while True:
        head += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + body


class _Client:
    """A connection to a broker."""

    def __init__(self, host, stream):
        self.host = host
        self.stream = stream
        self.lock = asyncio.Lock()

    async def send(self, packet):
        async with self.lock:
            self.stream.write(packet)
            await soon(self.host, self.stream.drain())

    async def publish(self, topic, payload):
        data = payload if isinstance(payload, str) else json.dumps(payload)
        await self.send(_packet(_PUBLISH | _RETAIN, _text(topic), data.encode()))

    async def take(self, wanted=None):
        """First byte and body of the next packet, of a long one its beginning; and whether that is all. wanted: what alone the first byte
        may be."""
        kind = (await self.read(1))[0]
        if wanted and kind != wanted:
            raise Broken("%s does not talk MQTT" % self.host)
        size = shift = 0
        while True:
            digit = (await self.read(1))[0]
            size |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                break
            if shift > 21:
                raise Broken("%s does not talk MQTT" % self.host)
        body = await self.read(min(size, _TAKEN_MAX))
        size -= len(body)
        is_whole = not size
        while size:
            size -= len(await self.read(min(size, _TAKEN_MAX)))
        return kind, body, is_whole

    async def read(self, size):
        # It has been pinged at half of the time.
        try:
            return await asyncio.wait_for(self.stream.readexactly(size), _KEEP_ALIVE)
        except (OSError, EOFError, asyncio.TimeoutError):
            raise Broken("the connection to the MQTT broker %s broke off" % self.host)

    async def open(self, name, user, password, will):
        """CONNECT, with a last will: (topic, payload), retained."""
        flags = _CLEAN_WITH_WILL | (_WITH_USER if user else 0) | (_WITH_PASSWORD if password else 0)
        await self.send(_packet(_CONNECT, _text("MQTT"), bytes([4, flags]), _KEEP_ALIVE.to_bytes(2, "big"), _text(name),
                                _text(will[0]), _text(will[1]), _text(user) if user else b"", _text(password) if password else b""))
        _, body, _ = await soon(self.host, self.take(_CONNACK))
        code = body[1] if len(body) == 2 else 1
        if code:
            why = "user or password is wrong" if code in (4, 5) else "code %u" % code
            raise Broken("the MQTT broker %s does not let the device in: %s" % (self.host, why))

    async def subscribe(self, topic):
        """With QoS 1. The answer comes among the other packets."""
        await self.send(_packet(_SUBSCRIBE, b"\x00\x01", _text(topic), b"\x01"))

    async def next_command(self):
        """Topic and payload of the next message that somebody has just published."""
        while True:
            kind, body, is_whole = await self.take()
            if kind == _SUBACK and body and body[-1] == _REFUSED:
                raise Broken("the MQTT broker %s does not let the device have commands" % self.host)
            if kind & 0xF0 != _PUBLISH:
                continue
            at = 2 + int.from_bytes(body[:2], "big")
            topic = body[2:at]
            if kind & _QOS:
                # Also of what is too long: the broker waits for that, and keeps back what follows.
                await self.send(_packet(_PUBACK, body[at:at + 2]))
                at += 2
            # What is retained was said to somebody before.
            if is_whole and not kind & _RETAIN:
                return topic.decode(), body[at:]


# ---- Home Assistant

class Entity:
    """What Home Assistant knows of a device: topics, and what is published there."""

    def __init__(self, puller, name, prefix):
        import umachine

        self.puller = puller
        self.id = "molt_" + hexlify(umachine.unique_id()).decode()
        self.name = name or self.id
        self.base = "molt/" + self.id
        self.discovery = "%s/update/%s/config" % (prefix, self.id)
        self.command = self.base + "/install"
        self.online = self.base + "/online"

    def config(self):
        return {
            "name": "Firmware", "unique_id": self.id, "device_class": "firmware", "entity_category": "config",
            "state_topic": self.base + "/state", "command_topic": self.command, "payload_install": "INSTALL",
            "availability_topic": self.online, "json_attributes_topic": self.base + "/status",
            "device": {"identifiers": [self.id], "name": self.name, "model": uos.uname().machine, "sw_version": uos.uname().version},
            "origin": {"name": "molt"},
        }

    def state(self):
        """Home Assistant takes nothing of a state that has one key more than it knows, or a null in place of a string."""
        now = self.puller.status()
        is_busy = now["state"] in ("downloading", "preparing", "restarting")
        state = {"installed_version": now["installed"] or uos.uname().version, "release_summary": (now["error"] or "")[:_SUMMARY_MAX],
                 "in_progress": is_busy, "update_percentage": now["percent"] if is_busy else None}
        if self.puller.release:
            state["latest_version"] = now["latest"]
            state["title"] = self.puller.release["name"]
        return state


class _Link:
    """Keeps an Entity known at a broker."""

    def __init__(self, entity, changed, host, port, user, password):
        self.entity = entity
        self.changed = changed
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.wait = 1  # seconds until another try

    async def tell(self, client):
        """Publish what changes, until this fails."""
        base = self.entity.base
        try:
            while True:
                self.changed.clear()
                await client.publish(base + "/state", self.entity.state())
                await client.publish(base + "/status", self.entity.puller.status())
                # Its answer says that the broker is there.
                await client.send(bytes([_PING, 0]))
                await asyncio.sleep(_BETWEEN)
                try:
                    await asyncio.wait_for(self.changed.wait(), _KEEP_ALIVE // 2)
                except asyncio.TimeoutError:
                    pass
        except Exception:
            # Perhaps in the middle of a packet: who reads notices it, too.
            client.stream.s.close()

    async def serve(self):
        """One connection, until it breaks."""
        entity = self.entity
        client = _Client(self.host, await connect(self.host, self.port))
        teller = None
        try:
            await client.open(entity.id, self.user, self.password, (entity.online, "offline"))
            await client.publish(entity.discovery, entity.config())
            await client.publish(entity.online, "online")
            await client.subscribe(entity.command)
            teller = asyncio.create_task(self.tell(client))
            entity.puller.mqtt = None
            self.wait = 1
            while True:
                topic, payload = await client.next_command()
                if topic == entity.command and payload == b"INSTALL":
                    entity.puller.wake.set()
        finally:
            if teller:
                teller.cancel()
            client.stream.s.close()

    async def run(self):
        while True:
            try:
                await self.serve()
            except Exception as e:
                self.entity.puller.mqtt = sentence(e)
            await asyncio.sleep(self.wait)
            self.wait = min(self.wait * 2, _AGAIN_MAX)


async def serve(host, url, port=1883, user=None, password=None, name=None, prefix="homeassistant", auto=False, **options):
    """molt_pull.serve(url, auto=auto, **options), and an entity for it at the broker `host`.

    name    of the device, for people
    prefix  of Home Assistant's discovery
    """
    changed = asyncio.Event()
    puller = molt_pull.start(url, auto=auto, changed=changed.set, **options)
    entity = Entity(puller, name, prefix)
    asyncio.create_task(_Link(entity, changed, host, port, user, password).run())
    await puller.run()


def run(host, url, **options):
    """serve(), where nothing else runs."""
    asyncio.run(serve(host, url, **options))
