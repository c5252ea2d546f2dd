#!/usr/bin/env python3
"""The page of molt_web in a browser, against the virtual ESP8266 (BOARD=esp32c3: the C3), as TAP: what a person does, step by step on one device.

They need `make vboard firmwares web`, and Chromium. Pictures of the page are left in BUILD/web/pictures.
"""
import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import browser as browsers  # noqa: E402
import client as web  # noqa: E402
import tap  # noqa: E402
from client import BUILD, IS_ESP32, PASSWORD, image, image_path, make_device, start  # noqa: E402
from tap import Skip, note, same, test, true  # noqa: E402

PICTURES = BUILD / "web" / ("pictures-esp32c3" if IS_ESP32 else "pictures")
MACHINE = "ESP32C3 module with ESP32C3" if IS_ESP32 else "ESP module with ESP8266"
CHIP = "ESP32-C3" if IS_ESP32 else "ESP8266"
RISK = "The power may fail at any moment" if IS_ESP32 else "Twice the power must not fail"
PAGE_MAX = 12 * 1024
LOOKS = {"phone": (390, 844, 2), "desktop": (1100, 900, 1)}
SAID = "document.getElementById('say').innerText"

# The smallest contrast of a text with what is behind it, with the text. [WCAG 2.2, 1.4.3]
CONTRAST = """(() => {
const rgb = c => { const x = document.createElement('canvas').getContext('2d', {willReadFrequently: true}); x.fillStyle = c; x.fillRect(0, 0, 1, 1); return x.getImageData(0, 0, 1, 1).data }
const light = c => [0, 1, 2].map(i => c[i] / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0)
const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] == 255) return c } return 'white' }
let worst = [99, '']
for (const e of document.querySelectorAll('h1,h2,p,dt,dd,b,small,button,label span,li,code')) {
  if (!e.checkVisibility() || !e.textContent.trim() || e.matches(':disabled')) continue
  const [a, b] = [light(rgb(getComputedStyle(e).color)), light(rgb(behind(e)))].sort((x, y) => y - x)
  const c = (a + .05) / (b + .05)
  if (c < worst[0]) worst = [c, e.textContent.trim().slice(0, 40)]
}
return worst })()"""


class Scene:
    """The device and the browser that the tests share, in their order."""

    device = None
    browser = None
    board = None
    made = 0

    @classmethod
    def open(cls):
        path = browsers.find()
        if not path:
            raise Skip("there is no Chromium here; tools/deps installs it")
        if cls.browser is None:
            cls.device = make_device("page")
            cls.board = start(cls.device)
            cls.browser = browsers.Browser(path)
            cls.browser.look(1100, 900, "light")
        return cls.browser

    @classmethod
    def restart(cls):
        """The power fails, and is back."""
        cls.board.cut()
        cls.board = start(cls.device, port=cls.board.port)

    @classmethod
    def pictures(cls, name, whole=True, every=False):
        """The page as it is now, on both sizes and in both schemes, or two of the four; what is wrong with how it looks."""
        wrong = []
        for size, (width, height, scale) in LOOKS.items():
            for scheme in ("light", "dark") if every or FULL else ("light",) if size == "desktop" else ("dark",):
                cls.browser.look(width, height, scheme, scale)
                time.sleep(0.05)
                cls.browser.picture(PICTURES / f"{name}-{size}-{scheme}.png", whole)
                if cls.browser.run("document.documentElement.scrollWidth > innerWidth"):
                    wrong.append(f"{size}: wider than the window")
                contrast, text = cls.browser.run(CONTRAST)
                if contrast < 4.5:
                    wrong.append(f"{scheme}: contrast {contrast:.2f} of {text!r}")
        cls.browser.look(1100, 900, "light")
        same(wrong, [], name)

    @classmethod
    def close(cls):
        if cls.browser:
            cls.browser.close()
        if cls.board:
            cls.board.cut()


@test
def the_page_is_one_file_of_at_most_12_kb():
    page = (BUILD / "web/molt_web.html.gz").read_bytes()
    note(f"{len(page)} bytes")
    true(len(page) <= PAGE_MAX, f"{len(page)} bytes")


@test
def who_has_the_password_gets_in_by_the_keyboard_alone():
    b = Scene.open()
    b.goto(f"http://127.0.0.1:{Scene.board.port}/")
    b.wait("document.activeElement.id == 'pw'")
    Scene.pictures("password")
    b.type("something else")
    b.press("Enter")
    true("password is wrong" in b.wait("document.getElementById('lsay').innerText"), "what is said of a wrong password")
    b.run("document.getElementById('pw').value = ''")
    b.wait("document.activeElement.id == 'pw'")
    b.type(PASSWORD)
    b.press("Enter")
    b.wait("document.querySelectorAll('#mods li').length == 5 && document.activeElement.id == 'file'")
    same(b.run("document.getElementById('pw').value"), "", "what is left of the password in the page")


@test
def the_page_shows_the_device_and_looks_right_on_phone_and_desktop_light_and_dark():
    b = Scene.open()
    facts = b.run("document.getElementById('facts').innerText")
    for words in ("v1.25.0-A", MACHINE, "none that the device remembers", "MB free"):
        true(words in facts, f"{words!r} in {facts!r}")
    regions = b.run("document.getElementById('map').getAttribute('aria-label')")
    true("firmware" in regions and "filesystem" in regions and "frozen" in regions, regions)
    Scene.pictures("device", every=True)


@test
def whoever_listens_to_the_page_hears_the_name_of_everything():
    b = Scene.open()
    nodes = b.call("Accessibility.getFullAXTree")["nodes"]
    value = lambda node, key: node.get(key, {}).get("value", "")  # noqa: E731
    named = {(value(n, "role"), value(n, "name")) for n in nodes if not n.get("ignored")}
    nameless = [role for role, name in named if role in ("button", "textbox", "image", "progressbar") and not name.strip()]
    same(nameless, [], "what has no name")
    for wanted in (("button", "Choose a firmware file"), ("button", "Delete main.py"), ("button", "Restart the device"), ("heading", "Files")):
        true(wanted in named, f"{wanted} among {sorted(named)}")
    same(b.run("document.documentElement.lang"), "en")
    small = b.run("[...document.querySelectorAll('button:not(.bare),.pick')].filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).length")
    same(small, 0, "buttons that are too small for a finger")


@test
def a_file_that_is_no_firmware_is_refused_with_a_sentence():
    b = Scene.open()
    for name, data, words in (("page.html", b"<!doctype html>" * 9000, "no firmware image"), ("empty.bin", b"", "the file is empty"),
                              ("other.bin", image("mpy-A-net") if IS_ESP32 else image("mpy-A-molt"), "another chip" if IS_ESP32 else "flash map")):
        if name == "other.bin" and not FULL:
            continue
        path = web.make_text(name, "")
        path.write_bytes(data)
        b.run("document.getElementById('say').textContent = ''")
        b.choose("#file", path)
        said = b.wait(SAID, 60)
        true(words.lower() in said.lower(), f"{name}: {said}")
        b.wait("!document.getElementById('drop').hidden")
    true(b.run("document.querySelector('#say .bad') != null"), "it looks like a refusal")


@test
def files_are_added_and_deleted_and_no_others_whatever_is_in_their_names():
    b = Scene.open()
    shown = "[...document.querySelectorAll('#files b')].map(e => e.innerText)"
    names = ("note.txt", "note.txt?old", "note.txt#1", "50%20 no, 'a+b'.txt")
    for name in names:
        b.choose("#addfile", web.make_text(name, "hello\n"))
        b.wait(f"{shown}.includes({json.dumps(name)})")
    for n, name in enumerate(reversed(names)):
        click = f"[...document.querySelectorAll('#files li')].find(l => l.querySelector('b').innerText == {json.dumps(name)}).querySelector('button').click()"
        b.run(click)
        true("Really delete" in b.run("document.getElementById('files').innerText"), "it asks once")
        b.run(click)
        b.wait(f"!{shown}.includes({json.dumps(name)})")
        same(set(b.run(shown)) & set(names), set(names[:len(names) - 1 - n]), "what is left")


@test
def an_upload_shows_its_progress_and_goes_on_after_a_power_cut():
    b = Scene.open()
    # Also where the power fails before the first answer.
    b.run("const one = ask; ask = async (...words) => { ask = one; throw new No('the device cannot be reached', 0) }")
    b.choose("#file", image_path())
    b.wait("document.getElementById('what').innerText.includes('Trying again (1)')", 60)
    now = "document.getElementById('what').innerText.startsWith('firmware.bin') && +document.getElementById('bar').getAttribute('aria-valuenow')"
    b.wait(now + " > 15", 60)
    Scene.browser.picture(PICTURES / "upload-desktop-light.png")
    Scene.restart()
    b.wait(now + " > 60", 60)
    b.wait("document.getElementById('ask').open", 60)
    plan = b.run("document.getElementById('ask').innerText")
    for words in ("v1.25.0-A", "v1.25.0-B", CHIP, "sectors", RISK):
        true(words in plan, f"{words!r} in {plan!r}")
    same(b.run("document.getElementById('stop').checkVisibility()"), False, "whether there is an upload left to stop")
    Scene.pictures("ask", whole=False)
    b.look(860, 700, "light", 1.5)
    b.picture(PICTURES / "web.webp", whole=False)  # of docs/web.md
    b.look(1100, 900, "light")


@test
def an_upgrade_goes_through_a_power_cut_and_its_result_is_shown():
    b = Scene.open()
    true(b.run("document.activeElement.id") == "yes", "the question can be answered with Enter")
    b.press("Enter")
    Scene.board.wait_for("20%", 30)
    b.wait("document.getElementById('what').innerText.includes('upgrades')")
    Scene.browser.picture(PICTURES / "upgrade-desktop-light.png")
    Scene.restart()
    said = b.wait(SAID, 60)
    true("v1.25.0-B" in said and "power failed 1 time" in said, said)
    b.wait("document.getElementById('facts').innerText.includes('done, and verified')")
    Scene.pictures("done")
    same(b.errors, [], "what the page's script has raised")


@test
def without_javascript_there_are_forms():
    b = Scene.open()
    b.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        b.goto(f"http://127.0.0.1:{Scene.board.port}/")
        true("plain page" in b.run("document.body.innerText"), "the way to the plain page")
        b.goto(f"http://molt:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{Scene.board.port}/plain")
        b.wait("document.body.innerText.includes('v1.25.0-B')")
        b.choose("input[type=file]", web.make_text("page.html", "<!doctype html>" * 99))
        b.run("document.querySelector('form').submit()")
        b.wait("document.body.innerText.includes('no firmware image')")
        if not FULL:
            return
        b.goto(f"http://127.0.0.1:{Scene.board.port}/plain")
        b.choose("input[type=file]", image_path())
        b.run("document.querySelector('form').submit()")
        b.wait("document.body.innerText.includes('Upgrade now')", 60)
        b.run("document.querySelector('form').submit()")
        b.wait("document.body.innerText.includes('in place already')")
    finally:
        b.call("Emulation.setScriptExecutionDisabled", value=False)


if __name__ == "__main__":
    FULL = "--full" in sys.argv
    PICTURES.mkdir(parents=True, exist_ok=True)
    try:
        sys.exit(tap.main([w for w in sys.argv[1:] if w != "--full"]))
    finally:
        Scene.close()
