"""A Chromium without a window, by its own protocol over a pair of pipes: as much of it as the tests of the page need."""
import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = float(os.environ.get("PATIENCE", 1))  # for hosts that are slow or busy: of all time limits
WAIT_SECONDS = 20


def find():
    """The path of a browser, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class BrowserError(Exception):
    pass


class Browser:
    """One page. What happens in it is said by JavaScript: run() and wait()."""

    def __init__(self, path):
        self.profile = tempfile.TemporaryDirectory(prefix="molt-browser-", ignore_cleanup_errors=True)
        to_browser, self.write_fd = os.pipe()
        self.read_fd, from_browser = os.pipe()
        # The browser reads descriptor 3 and writes 4.
        command = ["sh", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "sh", path, "--headless=new", "--no-sandbox", "--disable-gpu",
                   "--remote-debugging-pipe", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
                   "--disable-component-update", f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen(command, pass_fds=[to_browser, from_browser], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.numbers = itertools.count(1)
        self.rest = b""
        self.session = None
        self.errors = []  # what the page's script has raised
        self.session = self.attach()
        for domain in ("Page", "Runtime", "DOM"):
            self.call(domain + ".enable")

    def attach(self):
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            targets = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
            if targets:
                return self.call("Target.attachToTarget", targetId=targets[0]["targetId"], flatten=True)["sessionId"]
            time.sleep(0.1)
        raise BrowserError("the browser has no page")

    def receive(self):
        while b"\0" not in self.rest:
            if not select.select([self.read_fd], [], [], 3 * WAIT_SECONDS)[0]:
                raise BrowserError("the browser says nothing any more")
            data = os.read(self.read_fd, 1 << 20)
            if not data:
                raise BrowserError("the browser has ended")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(answer["params"]["exceptionDetails"].get("exception", {}).get("description", "?"))
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def run(self, code):
        """The value of an expression in the page; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(result["exceptionDetails"].get("exception", {}).get("description", "?"))
        return result["result"].get("value")

    def wait(self, condition, seconds=WAIT_SECONDS):
        """Wait until an expression is true; its value."""
        seconds *= PATIENCE
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                value = self.run(condition)
            except BrowserError:
                value = None  # between two pages
            if value:
                return value
            time.sleep(0.05)
        raise BrowserError(f"not within {seconds:.0f} s: {condition}; the page says: {self.run('document.body && document.body.innerText')!r}")

    def goto(self, url):
        self.call("Page.navigate", url=url)
        # A device that has no connection left does not answer, and is asked again after 1 s, 3 s, 7 s.
        self.wait("document.body && document.readyState == 'complete'", 3 * WAIT_SECONDS)

    def look(self, width, height, scheme, scale=1):
        """The size of the window, and the scheme of colours."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path, whole=True):
        kind = {"format": "webp", "quality": 80} if str(path).endswith(".webp") else {"format": "png"}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **kind)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def choose(self, selector, path):
        """Choose a file for a file input."""
        node = self.call("Runtime.evaluate", expression=f"document.querySelector({selector!r})")["result"]["objectId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], objectId=node)

    def press(self, key, text=""):
        """A key of the keyboard."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27, " ": 32}.get(key, 0)
        text = {"Enter": "\r", " ": " "}.get(key, text)
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (BrowserError, OSError):
            pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.read_fd)
        os.close(self.write_fd)
        self.profile.cleanup()
