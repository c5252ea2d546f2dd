"""The connections of molt_web: who is served, who waits for it, and who has to go.

Three are served at a time and two more wait. None of them has to be trusted, or be quick: docs/security.md has the rules.
"""

import asyncio
import gc
import sys
import time

from molt_http import read_request
from molt_intake import IMAGE_MAX, Refused, reset

_CLIENTS_MAX = const(3)  # that are served at a time
_WAITING_MAX = const(2)  # for their turn
_WAIT_MS = const(2000)
_HEAD_SECONDS = const(5)
# If others wait, a client that has not proved the password keeps its slot so long in each stage (ms).
_KEEP_MS = (300, 300, 2000)
_IDLE_SECONDS = const(10)
_DRAIN_SECONDS = const(15)
_HEARD_MS = const(6000)  # until who has told the device to restart has the answer: lwIP sends a lost one again after up to 3 s
_RESET_MS = const(500)
_SLOWEST = const(500)  # bytes a second: a body that comes slower than that is given up

# How far a client is.
_SILENT = const(0)  # it has not sent a byte
_ASKS = const(1)  # its request is not whole
_IS_ANSWERED = const(2)


class _Client:
    """A connection that has a slot."""

    def __init__(self):
        self.task = asyncio.current_task()
        self.request = None
        self.stage = _SILENT
        self.since = time.ticks_ms()  # when the stage began
        self.give(_HEAD_SECONDS)

    def give(self, seconds):
        """So long it may take from now on."""
        self.deadline = time.ticks_add(time.ticks_ms(), seconds * 1000)

    def reach(self, stage):
        self.stage = stage
        self.since = time.ticks_ms()

    def may_go(self):
        """Whether it makes room for another. Who has proved the password keeps its slot to the end of its request."""
        if self.request and self.request.is_proved:
            return False
        return time.ticks_diff(time.ticks_ms(), self.since) > _KEEP_MS[self.stage]


class Clients:
    """All of them, and what answers them: an App of molt_web."""

    def __init__(self, app):
        self.app = app
        self.slots = app.clients
        self.waiting = 0  # how many wait for a slot
        self.reset_at = None  # when the device restarts, once who wanted it has been answered

    async def take(self, listener):
        """Take connections for ever. asyncio's own server would end for good where the memory for one more is missing once."""
        stream = asyncio.StreamReader(listener)
        while True:
            client = None
            try:
                # Until there is one. What has failed once cannot be waited for again.
                await (stream.read(0) if stream else asyncio.sleep_ms(50))
                client = listener.accept()[0]
                client.setblocking(False)
                asyncio.create_task(self.serve(asyncio.StreamReader(client)))
            except Exception as e:
                if not isinstance(e, OSError):
                    stream = None
                    gc.collect()
                if client:
                    client.close()
                await asyncio.sleep_ms(0)

    async def serve(self, stream):
        """Answer one request of a connection, and close it."""
        client = request = None
        try:
            client = await self.find_slot()
            if not client:
                await self.app.send_refusal(None, stream, Refused(503, "too many at a time; try again"))
                # Unread, what it has sent would make a reset of the close, and the answer would be lost.
                return await asyncio.wait_for_ms(stream.read(512), 500)
            try:
                await stream.read(0)  # until it says something
                client.reach(_ASKS)
                client.request = await read_request(stream)
                client.reach(_IS_ANSWERED)
                request = client.request
                if request:
                    await self.serve_request(client, stream)
            except Refused as e:
                client.reach(_IS_ANSWERED)
                await self.app.send_refusal(None, stream, e)
            client.request = None
            client.reach(_IS_ANSWERED)
            client.give(_DRAIN_SECONDS)
            if request and self.app.has_to_reset is request:
                # Who has the whole answer closes the connection. A device that has restarted sends none again.
                await asyncio.wait_for_ms(self.drain(stream), _HEARD_MS)
            elif request and request.left > len(request.rest):
                # A client that is reset while it sends its body would not read the answer.
                await self.drain(stream)
        except (OSError, asyncio.CancelledError, asyncio.TimeoutError):
            pass  # it went, or took too long
        except Exception as e:
            sys.print_exception(e)
        finally:
            if client in self.slots:
                self.slots.remove(client)
            await stream.wait_closed()
            gc.collect()
            if request and self.app.has_to_reset is request:
                self.reset_at = time.ticks_add(time.ticks_ms(), _RESET_MS)

    async def serve_request(self, client, stream):
        request = client.request
        last = time.ticks_add(time.ticks_ms(), 30000 + min(request.left, IMAGE_MAX) * 1000 // _SLOWEST)

        def touch():
            client.give(_IDLE_SECONDS)
            if time.ticks_diff(last, client.deadline) < 0:
                client.deadline = last

        request.touch = touch
        touch()
        await self.app.answer(request, stream)

    async def drain(self, stream):
        """What is still coming is taken and let go, until the client closes the connection."""
        view = memoryview(bytearray(256))
        while await stream.readinto(view):
            pass

    async def find_slot(self):
        """A slot for the connection of this task, or None."""
        if self.waiting >= _WAITING_MAX:
            return None
        self.waiting += 1
        try:
            end = time.ticks_add(time.ticks_ms(), _WAIT_MS)
            while len(self.slots) >= _CLIENTS_MAX and not self.make_room():
                if time.ticks_diff(end, time.ticks_ms()) < 0:
                    return None
                await asyncio.sleep_ms(50)
        finally:
            self.waiting -= 1
        client = _Client()
        self.slots.append(client)
        return client

    def make_room(self):
        """Let one go that may, for another: the oldest of those that are least far. Browsers open connections to have them."""
        least = None
        for client in self.slots:
            if client.may_go() and (least is None or client.stage < least.stage):
                least = client
        if least:
            self.slots.remove(least)
            least.task.cancel()
        return least is not None

    async def watch(self):
        """Let those go who take too long; and restart when that is due, also where there is no memory left for anything."""
        while True:
            await asyncio.sleep_ms(500)
            if self.reset_at is not None and time.ticks_diff(self.reset_at, time.ticks_ms()) < 0:
                reset()
            try:
                for client in self.slots:
                    if time.ticks_diff(client.deadline, time.ticks_ms()) < 0:
                        client.task.cancel()
            except MemoryError:
                gc.collect()
