// One device of a rollout. What is asked, and when it is asked again, is what the page does (micropython/web/molt_web.html).

#include "push.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "form.h"
#include "say.h"
#include "verdict.h"

// The first piece is short: what is no image for the device is refused before the rest is on its way. In bytes.
#define PIECE_FIRST 4096u
#define PIECE 65536u
// Tries of one thing, with a pause between them, and how often an upload begins again from its first byte.
#define TRIES_MAX 20u
#define ASK_TRIES_MAX 3u
#define RESTARTS_MAX 2u
#define ORDERS_MAX 3u
#define PAUSE_MS 1500u
#define BACK_PAUSE_MS 1000u
// A device that restarts leaves connections behind on which nothing comes any more: who waits for it is not patient with one. In seconds.
#define BACK_PATIENCE_S 10u
// A device that has all of a delta file, or of a packed image, and says that it is busy is asked so often: it may have too little memory
// for it.
#define CHECK_TRIES_MAX 3u
// Where a fallback is put that the device does not have: the image that runs, or the delta file that leads back to it.
#define FALLBACK_URI "/files/firmware.%s?sha256=%s"
// What an upgrade takes at most, with the slowest chip that a data sheet describes: some minutes.
#define UPGRADE_SECONDS_MAX 3600

typedef enum push_step {
    STEP_INFO,
    STEP_FORGET,
    STEP_PLAN,
    STEP_GOT,
    STEP_PIECE,
    STEP_BOOT,
    STEP_ORDER,
    STEP_FALLBACK,
    STEP_BACK,
    STEP_CONFIRM
} push_step_t;

static void ask(push_t *push, push_step_t step);

static void end(push_t *push, push_state_t state) {
    push->state = state;
    push->due_ms = 0;
    push->ended_ms = http_now_ms();
}

// The device is done with: a sentence without full stop, of which control characters do not reach the terminal.
__attribute__((format(printf, 2, 3))) static void fail(push_t *push, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(push->error, sizeof push->error, format, args);
    va_end(args);
    say_clean(push->error);
    push->is_changed = push->order_count > 0;
    end(push, PUSH_FAILED);
}

// The same step again after a pause.
static void again(push_t *push, push_step_t step, uint32_t pause_ms) {
    push->step = (int)step;
    push->due_ms = http_now_ms() + pause_ms;
}

static void copy_text(char *text, size_t size, const json_t *value) {
    const char *string = json_string_value(value);
    snprintf(text, size, "%s", string ? string : "");
    say_clean(text);
}

static bool is_true(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key));
}

// Whether the device cannot be asked now, but may be soon.
static bool may_pass(const http_t *http) {
    return http->outcome == HTTP_BROKEN || http->outcome == HTTP_UNREACHABLE
           || (http->outcome == HTTP_ANSWERED && (http->status == 503 || http->status == 408));
}

// The device refused a delta file, because it runs another firmware of that version, has too little memory, or a molt that knows none; or
// a packed image, for want of memory. Have it forget that one, whatever it answers, and go on with the next form.
static void pass_over(push_t *push) {
    form_pass_over(push);
    push->has_sent_fallback = false;
    push->short_count = 0;
    push->got = 0;
    push->tries = 0;
    push->state = PUSH_ASKING;
    ask(push, STEP_FORGET);
}

static void on_forget(push_t *push) {
    ask(push, STEP_INFO);
}

// What the device calls the time since its last restart. As long as that is the same it has not upgraded.
static void note_boot(push_t *push, const json_t *info) {
    copy_text(push->boot, sizeof push->boot, json_object_get(info, "boot"));
    push->is_boot_known = true;
}

static void on_info(push_t *push) {
    const json_t *info = push->http.json;
    if (may_pass(&push->http) && ++push->tries < ASK_TRIES_MAX) {
        again(push, STEP_INFO, PAUSE_MS);
        return;
    }
    if (push->http.outcome != HTTP_ANSWERED || push->http.status != 200) {
        fail(push, "%s%s", push->http.error,
            push->http.is_password_wrong ? "; nothing was sent. Check MOLT_PASSWORD, or the file of --password-file" : "");
        return;
    }
    const char *text = verdict_obstacle(push, info);
    if (text) {
        fail(push, "%s", text);
        return;
    }
    copy_text(push->from, sizeof push->from, json_object_get(info, "version"));
    note_boot(push, info);
    memcpy(push->now, push->from, sizeof push->now);
    push->form = form_choose(push, info);
    push->tries = 0;
    bool may_be_same = form_number(info, "image") != 0;
    if (push->form == NULL) {
        char sentence[HTTP_TEXT_MAX];
        form_say_none(push, info, sentence, sizeof sentence);
        fail(push, "%s", sentence);
        if (!may_be_same) {
            return;
        }
        // It need not be sent what it has. The sentence is kept for the case that it has not.
        push->state = PUSH_ASKING;
        push->ended_ms = 0;
    }
    ask(push, may_be_same ? STEP_PLAN : STEP_GOT);
}

// What the last image that it was sent is: perhaps this one, and in place. Whatever else it says, the upload tells better.
static void on_plan_before(push_t *push) {
    char crc32[12];
    const char *text = json_string_value(json_object_get(push->http.json, "crc32"));
    snprintf(crc32, sizeof crc32, "%08x", push->options->payload->crc32);
    if (push->http.outcome == HTTP_ANSWERED && push->http.status == 200 && is_true(push->http.json, "in_place") && text
        && strcmp(text, crc32) == 0) {
        *push->error = 0;
        end(push, PUSH_SAME);
        return;
    }
    if (push->form == NULL) {
        end(push, PUSH_FAILED);
        return;
    }
    ask(push, STEP_GOT);
}

// The connection broke, or the device is busy: ask how much it has, and go on from there.
static void resume(push_t *push) {
    if (push->http.outcome != HTTP_ANSWERED) {
        push->broken_count++;
        push->is_boot_known = false;
    }
    if (++push->tries > TRIES_MAX) {
        fail(push, "the upload does not go on, %u tries in a row: %s. Push again, and it goes on from byte %u", TRIES_MAX,
            push->http.error, push->got);
        return;
    }
    again(push, STEP_GOT, PAUSE_MS);
}

static void on_got(push_t *push) {
    if (may_pass(&push->http)) {
        resume(push);
        return;
    }
    if (push->http.outcome != HTTP_ANSWERED || push->http.status != 200) {
        fail(push, "%s", push->http.error);
        return;
    }
    push->state = PUSH_UPLOADING;
    int64_t got = form_number(push->http.json, "got");
    if (got < 0 || got > push->form->size) {
        fail(push, "it says that it has %" PRId64 " bytes of a file of %u: this is not molt_web as this tool knows it", got,
            push->form->size);
        return;
    }
    if ((uint32_t)got < push->got && push->short_count) {
        pass_over(push);
        return;
    }
    // The answer to the last piece was lost, or the device could not keep what it had.
    if ((uint32_t)got < push->got && ++push->restart_count > RESTARTS_MAX) {
        fail(push, "it lost what it had of the upload, %u times: look at its filesystem, and at what its serial line says",
            push->restart_count);
        return;
    }
    push->got = (uint32_t)got;
    ask(push, STEP_PIECE);
}

// Tell it to upgrade. Where it may have restarted since it was asked, it is asked first how it calls the time since then.
static void order(push_t *push) {
    push->state = PUSH_PREPARING;
    ask(push, push->is_boot_known ? STEP_ORDER : STEP_BOOT);
}

static void on_boot(push_t *push) {
    if (may_pass(&push->http) && ++push->tries < ASK_TRIES_MAX) {
        again(push, STEP_BOOT, PAUSE_MS);
        return;
    }
    if (push->http.outcome != HTTP_ANSWERED || push->http.status != 200) {
        fail(push, "%s. Nothing was changed", push->http.error);
        return;
    }
    note_boot(push, push->http.json);
    push->tries = 0;
    order(push);
}

static void on_plan(push_t *push) {
    const json_t *plan = push->http.json;
    const char *reason = json_string_value(json_object_get(plan, "reason"));
    push->got = push->form->size;
    if (!form_is_delta(push)) {  // which has a shorter name
        copy_text(push->to, sizeof push->to, json_object_get(plan, "version"));
    }
    double seconds = json_number_value(json_object_get(plan, "seconds"));
    push->seconds = seconds > 0 && seconds < UPGRADE_SECONDS_MAX ? seconds : 0;
    // Where its molt_web itself is in the way, that says no. An older one does not know.
    bool may_drop = !json_is_false(json_object_get(plan, "drop_frozen"));
    if (is_true(plan, "refused") && !(push->options->drop_frozen && may_drop)) {
        fail(push, "%s. Nothing was changed%s", reason ? reason : "it refuses the image, and does not say why",
            may_drop ? "; with --drop-frozen molt push lets these modules go" : "");
        return;
    }
    if (is_true(plan, "in_place")) {
        end(push, PUSH_SAME);
        return;
    }
    push->tries = 0;
    order(push);
}

static void on_piece(push_t *push) {
    const http_t *http = &push->http;
    bool is_unfit = form_is_delta(push) && (http->status == 415 || http->status == 422);
    bool is_short = form_has_next(push) && http->status == 503 && push->got + http->body_size == push->form->size;
    if (http->outcome == HTTP_ANSWERED && (is_unfit || (is_short && ++push->short_count >= CHECK_TRIES_MAX))) {
        pass_over(push);
        return;
    }
    // 409: the next byte is another one, or the device does not know yet that a connection broke.
    if (may_pass(http) || (http->outcome == HTTP_ANSWERED && http->status == 409)) {
        resume(push);
        return;
    }
    if (http->outcome != HTTP_ANSWERED || http->status != 200) {
        fail(push, "%s. Nothing was changed", http->error);
        return;
    }
    push->tries = 0;
    if (json_object_get(http->json, "refused")) {
        on_plan(push);
        return;
    }
    int64_t got = form_number(http->json, "got");
    if (got <= push->got || got > push->form->size) {
        resume(push);
        return;
    }
    push->got = (uint32_t)got;
    ask(push, STEP_PIECE);
}

static void wait_for_it(push_t *push) {
    push->state = PUSH_UPGRADING;
    again(push, STEP_BACK, BACK_PAUSE_MS);
}

static void on_order(push_t *push) {
    const http_t *http = &push->http;
    if (http->outcome != HTTP_ANSWERED) {
        // It may have heard it.
        wait_for_it(push);
        return;
    }
    if (http->status == 409 && push->order_count > 1) {
        // The order before was heard.
        wait_for_it(push);
        return;
    }
    if (http->status == 409 && json_object_get(http->json, "fallback") && form_fallback(push)->bytes
        && !push->has_sent_fallback) {
        push->order_count--;
        push->has_sent_fallback = true;
        push->tries = 0;
        ask(push, STEP_FALLBACK);
        return;
    }
    if (http->status != 200) {
        push->order_count--;
        if (http->status == 503 && ++push->tries < ASK_TRIES_MAX) {
            again(push, STEP_ORDER, PAUSE_MS);
            return;
        }
        if ((form_is_delta(push) && http->status == 422) || (form_has_next(push) && http->status == 503)) {
            pass_over(push);
            return;
        }
        fail(push, "%s. Nothing was changed", http->error);
        return;
    }
    if (is_true(http->json, "in_place")) {
        end(push, PUSH_SAME);
        return;
    }
    wait_for_it(push);
}

static void on_fallback(push_t *push) {
    push->is_boot_known = push->is_boot_known && push->http.outcome == HTTP_ANSWERED;
    if (may_pass(&push->http) && ++push->tries < ASK_TRIES_MAX) {
        again(push, STEP_FALLBACK, PAUSE_MS);
        return;
    }
    if (push->http.outcome != HTTP_ANSWERED || push->http.status != 200) {
        fail(push, "the image to fall back on: %s. Nothing was changed", push->http.error);
        return;
    }
    push->tries = 0;
    order(push);
}

static void judge(push_t *push, const json_t *info) {
    const char *result = verdict_result(info);
    if (strcmp(result, "trial") == 0) {
        push->state = PUSH_CONFIRMING;
        if (push->options->leaves_confirming) {
            again(push, STEP_BACK, BACK_PAUSE_MS);
        } else {
            ask(push, STEP_CONFIRM);
        }
        return;
    }
    if (verdict_is_untouched(push, info)) {
        if (push->order_count < ORDERS_MAX) {
            ask(push, STEP_ORDER);
        } else {
            fail(
                push, "it was told to upgrade %u times and does not begin; look at what its serial line says", push->order_count);
        }
        return;
    }
    const char *fault = verdict_fault(push, result);
    if (fault) {
        fail(push, "it came back with %s: %s", push->now, fault);
    } else {
        end(push, PUSH_UPGRADED);
    }
}

static void on_back(push_t *push) {
    const http_t *http = &push->http;
    uint64_t waited_ms = http_now_ms() - push->ordered_ms;
    bool is_late = waited_ms > push->options->wait_s * 1000ull + (uint64_t)(push->seconds * 1000);
    bool is_answered = http->outcome == HTTP_ANSWERED && http->status == 200;
    if (is_answered) {
        copy_text(push->now, sizeof push->now, json_object_get(http->json, "version"));
    }
    bool is_done = is_answered && json_is_null(json_object_get(http->json, "pending"));
    if (is_done && !(is_late && strcmp(verdict_result(http->json), "trial") == 0)) {
        judge(push, http->json);
    } else if (is_done) {
        fail(push, "it runs %s on trial, and that was not confirmed for %" PRIu64 " s: look at what its program does", push->now,
            waited_ms / 1000);
    } else if (is_late && is_answered) {
        fail(push, "the upgrade is prepared on it, and it has not restarted for %" PRIu64 " s: restart it", waited_ms / 1000);
    } else if (is_late) {
        fail(push,
            "it has not come back for %" PRIu64
            " s since it was told to upgrade: look at its power, and at what its serial line says "
            "(%.200s)",
            waited_ms / 1000, http->error);
    } else {
        again(push, STEP_BACK, BACK_PAUSE_MS);
    }
}

// Whatever came of it, the device says.
static void on_confirm(push_t *push) {
    if (push->http.outcome == HTTP_ANSWERED && push->http.status != 200 && !may_pass(&push->http)) {
        fail(push, "it runs the new firmware on trial, and cannot be told to keep it: %s", push->http.error);
        return;
    }
    again(push, STEP_BACK, 1);
}

static void ask_piece(push_t *push) {
    char uri[HTTP_URI_MAX];
    const payload_form_t *form = push->form;
    uint32_t left = form->size - push->got;
    uint32_t most = push->got ? PIECE : PIECE_FIRST;
    uint32_t size = left < most ? left : most;
    snprintf(uri, sizeof uri, "/upload?sha256=%s&size=%u&offset=%u", form->sha256, form->size, push->got);
    http_send(push->pool, &push->http, "PUT", uri, form->bytes + push->got, size);
}

static void ask_order(push_t *push) {
    char uri[HTTP_URI_MAX];
    snprintf(uri, sizeof uri, "/upgrade%s%s%s", push->options->wants_trial || push->options->drop_frozen ? "?" : "",
        push->options->wants_trial ? "trial&" : "", push->options->drop_frozen ? "drop_frozen" : "");
    push->order_count++;
    push->ordered_ms = http_now_ms();
    http_send(push->pool, &push->http, "POST", uri, NULL, 0);
}

static void ask(push_t *push, push_step_t step) {
    char uri[HTTP_URI_MAX];
    const payload_form_t *fallback = form_fallback(push);
    push->step = (int)step;
    push->due_ms = 0;
    push->http.patience_s = step == STEP_BACK ? BACK_PATIENCE_S : 0;
    switch (step) {
        case STEP_INFO:
        case STEP_BOOT:
        case STEP_BACK:
            http_send(push->pool, &push->http, "GET", "/info", NULL, 0);
            break;
        case STEP_FORGET:
            http_send(push->pool, &push->http, "DELETE", "/upload", NULL, 0);
            break;
        case STEP_PLAN:
            http_send(push->pool, &push->http, "POST", "/plan", NULL, 0);
            break;
        case STEP_GOT:
            snprintf(uri, sizeof uri, "/upload?sha256=%s&size=%u", push->form->sha256, push->form->size);
            http_send(push->pool, &push->http, "GET", uri, NULL, 0);
            break;
        case STEP_PIECE:
            ask_piece(push);
            break;
        case STEP_ORDER:
            ask_order(push);
            break;
        case STEP_FALLBACK:
            snprintf(uri, sizeof uri, FALLBACK_URI, form_is_delta(push) ? "back" : "old", fallback->sha256);
            http_send(push->pool, &push->http, "PUT", uri, fallback->bytes, fallback->size);
            break;
        case STEP_CONFIRM:
            http_send(push->pool, &push->http, "POST", "/confirm", NULL, 0);
            break;
    }
}

void push_begin(push_t *push, const push_options_t *options, http_pool_t *pool) {
    push->options = options;
    push->pool = pool;
    push->http = (http_t){ .host = push->host, .owner = push };
    push->state = PUSH_ASKING;
    push->begun_ms = http_now_ms();
    memcpy(push->to, options->payload->version, sizeof options->payload->version);
    ask(push, STEP_INFO);
}

void push_wake(push_t *push) {
    ask(push, (push_step_t)push->step);
}

void push_on_answer(push_t *push) {
    static void (*const handlers[])(push_t *) = {
        [STEP_INFO] = on_info,
        [STEP_FORGET] = on_forget,
        [STEP_PLAN] = on_plan_before,
        [STEP_GOT] = on_got,
        [STEP_PIECE] = on_piece,
        [STEP_BOOT] = on_boot,
        [STEP_ORDER] = on_order,
        [STEP_FALLBACK] = on_fallback,
        [STEP_BACK] = on_back,
        [STEP_CONFIRM] = on_confirm,
    };
    handlers[push->step](push);
}

uint32_t push_sent(const push_t *push) {
    return push->got
           + (push->state == PUSH_UPLOADING && push->step == STEP_PIECE && push->due_ms == 0 ? http_sent(&push->http) : 0);
}
