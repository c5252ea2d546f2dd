#!/usr/bin/env python3
"""molt_web and molt push on the virtual ESP32-C3, as TAP: what only an ESP32 has. The rest is in the other files, with BOARD=esp32c3.

    tests/web/test_esp32.py [WORD...]     webrig.py has what they need
"""
import os
import pathlib
import sys

os.environ["BOARD"] = "esp32c3"
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/fleet")]
import client as web  # noqa: E402
import test_push  # noqa: E402
from board import SLOTS  # noqa: E402
import tap  # noqa: E402
from client import image, upload_uri  # noqa: E402
from tap import same, test, true  # noqa: E402
from test_push import NEW, OLD, push  # noqa: E402
from webrig import Device, main, refused  # noqa: E402

tap.TESTS.clear()  # those of test_push


@test
def without_molt_s_loader_a_device_says_so_before_anything_is_sent():
    main = "import molt\nif molt.standby() is None: molt.uninstall(verbose=False)\n" + (ROOT / "micropython/web/main.py").read_text()
    with Device("none", main=main) as d:
        before = d.files()
        same(d.client.ask("GET", "/info")[1]["trial"], False)
        refused(d.client.ask("PUT", upload_uri(image()), image()[:4096]), 422, "not installed; install it first")
        same(d.files(), before)
        status, told, err = push(f"127.0.0.1:{d.board.port}", NEW)
        true(status == 1 and "install it first" in err and told["sent"] < 8192 and not told["changed"], f"{told} {err}")


@test
def without_molt_s_loader_a_file_stays_and_is_not_to_blame():
    said = web.run_script(web.make_flash("kept", [(NEW, "new.bin")], web.MODULES), """
import molt, molt_intake, os
molt.uninstall(verbose=False)
try: molt_intake.accept('new.bin')
except molt_intake.Refused as e: print(type(e).__name__, e.status, e.fields['error'], 'new.bin' in os.listdir())
""")
    same(said, ["Refused 422 the standby loader is not installed; install it first: molt.install() True"])


@test
def with_ota_slots_an_image_and_a_trial_go_in_and_there_is_no_fallback_to_send():
    with test_push.Device("slots", table=SLOTS) as d:
        regions = {r["name"]: r["size"] for r in d.info()["regions"]}
        same((regions["firmware"], regions["slot"]), (0x180000, 0x180000), str(regions))
        status, told, err = push("--raw", d.host, NEW)
        same((status, told["result"], d.info()["status"]["result"]), (0, "upgraded", "ok"), f"{told} {err}")
        status, told, err = push("--trial", "--delta-from", NEW, d.host, OLD)
        same((status, told["result"], told["delta"], d.info()["status"]["result"]), (0, "upgraded", True, "confirmed"), f"{told} {err}")
        true("firmware.old" not in test_push.files_of(d), str(test_push.files_of(d)))


@test
def where_the_only_slot_runs_beside_a_factory_partition_the_page_is_served_and_says_so():
    said = web.run_script(web.make_flash("onlyone", [], web.MODULES), """
import molt
def fail(): raise OSError(95, 'there is one slot')
molt.slots = fail
import molt_intake, molt_web
print(molt_intake.IMAGE_MAX, molt_intake.obstacle(), molt_web._has_trials(None))
""")
    same(said, ["1966080 there is one slot False"])


if __name__ == "__main__":
    sys.exit(main())
