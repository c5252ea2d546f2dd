"""mosquitto, and its own clients, for a device under test."""
import getpass
import json
import shutil
import socket
import subprocess
import threading
import time

from fleet import BoardError, WORK, free_port

USER, PASSWORD = "lamp", "correct horse"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
IS_HERE = bool(MOSQUITTO and shutil.which("mosquitto_sub") and shutil.which("mosquitto_passwd"))


class Broker:
    """A broker of which user and password are wanted; all that is published there."""

    def __init__(self, port=None):
        self.port = port or free_port()
        folder = WORK / f"mosquitto-{self.port}"
        folder.mkdir(exist_ok=True)
        passwords = folder / "passwords"
        passwords.write_text(f"{USER}:{PASSWORD}\n")
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True, capture_output=True)
        (folder / "mosquitto.conf").write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
                                               f"persistence false\nuser {getpass.getuser()}\n")
        self.process = subprocess.Popen([MOSQUITTO, "-c", folder / "mosquitto.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.who = ["-h", "127.0.0.1", "-p", str(self.port), "-u", USER, "-P", PASSWORD]
        self.messages = []  # (topic, payload)
        self.listener = None
        self.wait_for_broker()

    def wait_for_broker(self):
        end = time.monotonic() + 10
        while subprocess.run(["mosquitto_pub", *self.who, "-t", "test", "-m", "up"], capture_output=True, check=False).returncode:
            if time.monotonic() > end:
                raise BoardError("mosquitto does not answer")
            time.sleep(0.1)
        self.listener = subprocess.Popen(["mosquitto_sub", *self.who, "-t", "#", "-F", "%j", "-q", "1"], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.listener.stdout:
            message = json.loads(line)
            payload = message["payload"]
            self.messages.append((message["topic"], json.loads(payload) if payload[:1] == "{" else payload))

    def publish(self, topic, payload, *options):
        subprocess.run(["mosquitto_pub", *self.who, "-t", topic, "-m", payload, *options], check=True)

    def wait_for(self, what, condition, seconds=200):
        """The payload of the first message for which condition(topic, payload) holds."""
        end = time.monotonic() + seconds
        at = 0
        while time.monotonic() < end:
            while at < len(self.messages):
                topic, payload = self.messages[at]
                at += 1
                if condition(topic, payload):
                    return payload
            time.sleep(0.05)
        raise BoardError(f"no message: {what}; the last were {self.messages[-6:]}")

    def is_retained(self, topic):
        """Whether somebody who comes now is told."""
        return bool(subprocess.run(["mosquitto_sub", *self.who, "-t", topic, "-C", "1", "-W", "3"], capture_output=True, check=False).stdout)

    def close(self):
        for process in (self.listener, self.process):
            if process:
                process.terminate()
                process.wait()


class StandIn:
    """Says these things one after another, whatever it hears, to each who comes."""

    def __init__(self, answers):
        self.answers = answers
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                client = self.socket.accept()[0]
                for answer in self.answers:
                    client.recv(4096)
                    client.sendall(answer)
                threading.Timer(5, client.close).start()
        except OSError:
            pass

    def close(self):
        self.socket.close()
