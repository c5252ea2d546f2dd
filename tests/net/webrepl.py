"""A client of MicroPython's WebREPL: a line of code, a file. [extmod/modwebrepl.c has the protocol]"""
import socket
import struct

TEXT, BINARY = 1, 2
PUT = 1


class Repl:
    def __init__(self, port, password, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: bW9sdA==\r\n\r\n")
        while self.stream.readline() != b"\r\n":
            pass
        self.read_until(b"Password: ")
        self.send(TEXT, password.encode() + b"\r")
        self.read_until(b"WebREPL connected\r\n")

    def send(self, kind, data):
        size = len(data)
        head = bytes([0x80 | kind]) + (bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack(">H", size))
        self.socket.sendall(head + bytes(4) + data)  # masked with zeros

    def receive(self):
        _, size = self.stream.read(2)
        if size == 126:
            size, = struct.unpack(">H", self.stream.read(2))
        return self.stream.read(size)

    def read_until(self, mark):
        text = b""
        while mark not in text:
            text += self.receive()
        return text

    def put(self, name, data):
        """Write a file on the device."""
        name = name.encode()
        self.send(BINARY, struct.pack("<2sBBQLH64s", b"WA", PUT, 0, 0, len(data), len(name), name))
        self.answer()
        for i in range(0, len(data), 1024):
            self.send(BINARY, data[i:i + 1024])
        self.answer()

    def answer(self):
        mark, code = struct.unpack("<2sH", self.receive())
        if (mark, code) != (b"WB", 0):
            raise OSError(f"WebREPL says {mark!r} {code}")

    def line(self, code):
        """Type a line; what is printed."""
        self.send(TEXT, code.encode() + b"\r")
        return self.read_until(b"\r\n>>> ").decode().split("\r\n")[1]

    def type(self, code):
        """Type a line; all that is printed until the next prompt, or until the device has gone."""
        self.send(TEXT, code.encode() + b"\r")
        text = b""
        try:
            while not text.endswith(b"\r\n>>> "):
                text += self.receive()
        except (OSError, ValueError):
            pass
        return text.decode(errors="replace").replace("\r\n", "\n").removesuffix(">>> ").removeprefix(code + "\n")

    def close(self):
        self.stream.close()
        self.socket.close()
