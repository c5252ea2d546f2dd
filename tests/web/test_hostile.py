#!/usr/bin/env python3
"""molt_web on the virtual ESP8266 among clients that reset, keep silent, or send what means nothing, as TAP.

    tests/web/test_hostile.py [--full] [WORD...]     webrig.py has what they need
"""
import sys
import time

from webrig import Device, all_that_came, full, main
import hostile
from client import image, request_text, upload_uri
from tap import note, same, test, true

# The first request of a connection that is lost on its way is repeated after 1 s; what /info says of the heap varies with what the
# requests before have left of their tasks.
REPEATED_SECONDS = 1
HEAP_NOISE = 1500


def is_as_before(d, ordinary, before, what):
    """A request takes the ordinary time, and slots and memory are there."""
    d.client.nonce = None
    took = d.seconds()
    true(took < 4 * ordinary + 2 * REPEATED_SECONDS, f"after {what} a request takes {took:.1f} s, before {ordinary:.1f} s")
    d.settle(before["heap"] - HEAP_NOISE)
    return took


def resets(d, count, threads):
    d.lives()
    ordinary = max(d.seconds() for _ in range(3))
    # The first requests of all find 1 KB more than those that come then.
    before = min((d.settle(0) for _ in range(8)), key=lambda info: info["heap"])
    took = {}
    for point in hostile.Breaker.POINTS:
        hostile.break_off(d.client, point, count, threads)
        took[point] = is_as_before(d, ordinary, before, f"{count} connections reset, {point}")
    note(f"{count} at each point; ordinary {ordinary:.2f} s; afterwards {', '.join(f'{point} {s:.2f}' for point, s in took.items())}")
    true("Traceback" not in d.board.text(), d.board.text()[-800:])


@test
def clients_that_reset_at_any_point_leave_nothing_behind_and_the_upload_goes_on():
    data = image()
    with Device("reset") as d:
        resets(d, 3, 3)
        s = hostile.connect(d.board.port)
        s.sendall(d.client.signed("PUT", upload_uri(data), {"Content-Length": len(data)}, data[:60000]))
        time.sleep(1)
        hostile.reset(s)
        got = all_that_came(d.client, data)
        true(got > 0, "something has come")
        same(d.client.ask("PUT", upload_uri(data, got), data[got:got + 4096])[1], {"got": got + 4096}, "the upload goes on")


@test
@full
def hundreds_of_resets_leave_nothing_behind():
    data = image()
    with Device("resets") as d:
        resets(d, 120, 1)
        resets(d, 120, 8)
        got = all_that_came(d.client, data)
        answer = d.client.ask("PUT", upload_uri(data, got), data[got:])
        same((answer[0], answer[1]["refused"]), (200, False), f"the upload went on from {got}")


@test
def spare_connections_that_say_nothing_do_not_make_a_request_wait():
    with Device("idle") as d:
        d.lives()
        ordinary = max(d.seconds() for _ in range(3))
        # With four, lwIP has no connection left but one, and perhaps not yet that.
        for count, limit in ((3, 1), (4, 1 + REPEATED_SECONDS)):
            d.board.air("stall 200")  # and all come at once
            time.sleep(0.05)
            idle = [hostile.connect(d.board.port) for _ in range(count)]
            took = d.seconds()
            true(took < ordinary + limit, f"with {count} of them a request takes {took:.2f} s, without {ordinary:.2f} s")
            note(f"with {count}: {took:.2f} s; ordinary {ordinary:.2f} s")
            for s in idle:
                s.close()
            d.settle(0)


@test
@full
def silent_connections_in_all_five_places_keep_others_out_until_lwip_lets_them_go():
    with Device("places") as d:
        d.lives()
        idle = [hostile.connect(d.board.port) for _ in range(8)]
        took = d.seconds()
        # 10 s after the server has closed them the places are free; who is not let in asks again 15 s after it came.
        true(took < 15 + 4 * REPEATED_SECONDS, f"the first request takes {took:.2f} s")
        again = d.seconds()
        true(again < 3, f"and the next one {again:.2f} s")
        note(f"{took:.2f} s, and then {again:.2f} s")
        for s in idle:
            s.close()
        d.settle(0)


@test
@full
def who_knows_no_password_cannot_push_out_an_upload_nor_keep_others_out():
    data = image()
    with Device("push") as d:
        d.lives()
        ordinary = max(d.seconds() for _ in range(2))
        # Refused, and then silent in a body that is not wanted any more: those make room after 2 s.
        bodies = [hostile.connect(d.board.port) for _ in range(3)]
        for s in bodies:
            s.sendall(request_text("PUT", "/files/x", {"Host": "127.0.0.1", "Content-Length": 100000}))
        time.sleep(1)
        took = d.seconds()
        true(took < 4 * ordinary + 2 + 2 * REPEATED_SECONDS, f"a request takes {took:.1f} s while bodies are not sent")
        for s in bodies:
            s.close()
        d.settle(0)
        with hostile.connect(d.board.port) as upload:
            upload.sendall(d.client.signed("PUT", upload_uri(data), {"Content-Length": 30000}, data[:1000]))
            time.sleep(0.5)
            drips = hostile.Drips(d.board.port)
            for at in range(1000, 30000, 1000):
                time.sleep(0.1)
                upload.sendall(data[at:at + 1000])
            answer = b""
            while piece := upload.recv(4096):
                answer += piece
            drips.finish()
        true(b'{"got": 30000}' in answer, f"{answer!r}; {drips.count} slow senders")
        note(f"{drips.count} slow senders beside the upload; a request beside silent bodies took {took:.2f} s, ordinary {ordinary:.2f} s")


@test
@full
def bytes_that_mean_nothing_do_no_harm():
    import random
    chance = random.Random(1)
    with Device("noise") as d:
        c = d.client
        before = d.files()
        for n in range(120):
            text = bytearray(c.signed(chance.choice(("GET", "PUT", "POST", "DELETE")),
                                      chance.choice(("/info", "/files/x", "/upload?size=9&sha256=" + "0" * 64, "/frozen/a", "/plan", "/plain")),
                                      {"Content-Length": chance.choice((0, 1, 9, 70000))}, bytes(9)))
            for _ in range(chance.choice((1, 1, 2, 5, 30))):
                at = chance.randrange(len(text))
                text[at:at + chance.choice((0, 1, 1, 7))] = bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 1, 3))))
            c.raw(bytes(text), seconds=20)
            if n % 20 == 0:
                d.lives()
        d.lives()
        true("Traceback" not in d.board.text(), d.board.text()[-800:])
        same(d.files() - {"x"}, before)


if __name__ == "__main__":
    sys.exit(main())
