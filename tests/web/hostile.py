"""Clients that mean no good, or do not know better: they break off at any point, by a reset or by closing half, or hold on."""
import concurrent.futures
import contextlib
import random
import socket
import struct
import threading
import time

from client import image, request_text, upload_uri


def connect(port, seconds=20):
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def reset(s):
    """Close a connection by a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class Breaker:
    """Breaks off at the points that its methods are called after. One for each thread: `seed` is what chance is made of."""

    POINTS = ("connected", "in_the_head", "in_the_body", "in_the_answer", "in_the_page", "half_closed", "in_a_refused_body")

    def __init__(self, client, lock, seed):
        self.client = client
        self.lock = lock
        self.chance = random.Random(seed)

    def signed(self, *words, **more):
        with self.lock:
            return self.client.signed(*words, **more)

    def send(self, data, wait=0.3):
        """A connection on which so much was sent, a moment later."""
        s = connect(self.client.port)
        with contextlib.suppress(OSError):  # the device has closed it already
            s.settimeout(3)
            s.sendall(data)
        time.sleep(self.chance.choice((0, 0.01, self.chance.random() * wait)))
        return s

    def connected(self):
        reset(self.send(b""))

    def in_the_head(self):
        text = self.signed("GET", "/info")
        reset(self.send(text[:self.chance.randrange(1, len(text))]))

    def in_the_body(self):
        data = image()
        reset(self.send(self.signed("PUT", upload_uri(data), {"Content-Length": len(data)}, data[:self.chance.choice((9, 600, 5000, 60000))])))

    def in_a_refused_body(self):
        reset(self.send(request_text("PUT", "/files/x", {"Host": "127.0.0.1", "Content-Length": 100000}, bytes(3000))))

    def in_the_answer(self):
        reset(self.send(self.signed("GET", self.chance.choice(("/info", "/files", "/plain")))))

    def in_the_page(self):
        s = self.send(request_text("GET", "/", {"Host": "127.0.0.1"}), 0)
        with contextlib.suppress(OSError):
            s.recv(self.chance.choice((1, 100, 3000)))
        reset(s)

    def half_closed(self):
        text = self.signed("GET", "/info")
        s = self.send(text[:self.chance.randrange(len(text) + 1)], 0)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_WR)
        time.sleep(self.chance.random() * 0.2)
        reset(s)


def break_off(client, point, count, threads):
    """So often at this point, shared by so many threads."""
    lock = threading.Lock()

    def some(thread):
        breaker = Breaker(client, lock, f"{point} {thread}")
        for _ in range(count // threads):
            getattr(breaker, point)()

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(some, range(threads)))


class Drips(threading.Thread):
    """Slow senders of a head, three at a time; who is let go comes again. `count` is how often one came."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.count = 0
        self.is_over = False
        self.start()

    def run(self):
        held = []
        while not self.is_over:
            while len(held) < 3:
                held.append(connect(self.port))
                held[-1].sendall(b"GET / HTTP/1.1\r\nHost: ")
                self.count += 1
            for s in list(held):
                try:
                    s.setblocking(False)
                    s.send(b"1")
                    if s.recv(1000) is not None:
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    s.close()
                    held.remove(s)
            time.sleep(0.2)
        for s in held:
            s.close()

    def finish(self):
        self.is_over = True
        self.join()
