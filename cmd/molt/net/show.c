// What a rollout looks like.

#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "form.h"
#include "say.h"

#define PAINT_MS 200
#define BAR_COLUMNS 20
#define HOST_COLUMNS_MAX 40
// What a device needs beside its boot loader: to restart, and to be in the network again. In seconds, as the page has it.
#define RESTART_S 3

int show_begin(show_t *show, const hosts_t *hosts, bool is_json, bool is_quiet) {
    const char *term = getenv("TERM");
    *show = (show_t){ .is_json = is_json, .is_quiet = is_quiet, .begun_ms = http_now_ms() };
    show->is_terminal = !is_json && !is_quiet && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
    for (uint32_t i = 0; i < hosts->count; i++) {
        int length = (int)strlen(hosts->names[i]);
        show->host_width = length > show->host_width ? length : show->host_width;
    }
    show->host_width = show->host_width > HOST_COLUMNS_MAX ? HOST_COLUMNS_MAX : show->host_width;
    show->shown = calloc(hosts->count, 1);
    return show->shown ? 0 : say_fail("there is not enough memory; close other programs");
}

void show_end(show_t *show) {
    free(show->shown);
    show->shown = NULL;
}

static const char *state_text(push_state_t state) {
    static const char *const texts[] = { "not begun", "asks", "uploads", "prepares", "upgrades", "confirms", "upgraded", "same",
        "failed" };
    return texts[state];
}

static double seconds_of(const push_t *push) {
    return (double)((push->ended_ms ? push->ended_ms : http_now_ms()) - push->begun_ms) / 1000;
}

static const char *version(const char *text) {
    return *text ? text : "an image that does not say its version";
}

// ---- one device in words

static void say_upload(const push_t *push, char *text, size_t size) {
    uint32_t sent = push_sent(push);
    int done = (int)((uint64_t)BAR_COLUMNS * sent / push->form->size);
    done = done > BAR_COLUMNS ? BAR_COLUMNS : done;
    snprintf(text, size, "[%.*s%.*s] %u of %u KB", done, "####################", BAR_COLUMNS - done, "                    ",
        sent / 1024, push->form->size / 1024);
}

// What stands behind host and state. Where it does not move it says the same each time.
static void say_detail(const push_t *push, bool moves, char *text, size_t size) {
    *text = 0;
    switch (push->state) {
        case PUSH_UPLOADING:
            if (moves) {
                say_upload(push, text, size);
            } else {
                snprintf(text, size, "%u KB%s, to go from %s to %s", push->form->size / 1024,
                    form_is_delta(push)                           ? ", a delta file"
                    : push->form == &push->options->payload->gzip ? ", packed"
                                                                  : "",
                    push->from, version(push->to));
            }
            break;
        case PUSH_UPGRADING:
            if (moves) {
                snprintf(text, size, "for %.0f s, of some %.0f", (double)(http_now_ms() - push->ordered_ms) / 1000,
                    push->seconds + RESTART_S);
            } else {
                snprintf(text, size, "for some %.0f s", push->seconds + RESTART_S);
            }
            break;
        case PUSH_UPGRADED:
            snprintf(text, size, "runs %s, after %.0f s%s", push->now, seconds_of(push),
                push->broken_count ? "; the connection broke meanwhile, and the upload went on" : "");
            break;
        case PUSH_SAME:
            snprintf(text, size, "runs %s already", version(push->now));
            break;
        case PUSH_FAILED:
            snprintf(text, size, "%s", push->error);
            break;
        case PUSH_NOT_BEGUN:
        case PUSH_ASKING:
        case PUSH_PREPARING:
        case PUSH_CONFIRMING:
            break;
    }
}

static const char *style_of(push_state_t state) {
    return say_style(state == PUSH_FAILED ? SAY_BAD : state == PUSH_UPGRADED || state == PUSH_SAME ? SAY_GOOD : SAY_PLAIN);
}

static struct winsize terminal(void) {
    struct winsize window = { .ws_col = 0, .ws_row = 0 };
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    window.ws_col = window.ws_col ? window.ws_col : 80;
    window.ws_row = window.ws_row ? window.ws_row : 24;
    return window;
}

// A row, cut at the terminal's edge so that it stays one.
static void print_row(const show_t *show, const push_t *push) {
    char detail[sizeof push->error];
    int columns = terminal().ws_col;
    bool is_cut = push_is_under_way(push);
    int left = columns - show->host_width - 13;
    say_detail(push, true, detail, sizeof detail);
    printf("%-*.*s  %s%-9s%s  %.*s\n", show->host_width, show->host_width, push->host, style_of(push->state),
        state_text(push->state), say_style(SAY_PLAIN), is_cut ? (left > 0 ? left : 0) : (int)sizeof detail, detail);
}

// ---- the table

static void wipe(show_t *show) {
    if (show->row_count) {
        printf("\033[%uA\033[J", show->row_count);
        show->row_count = 0;
    }
}

static void paint(show_t *show, const rollout_t *rollout) {
    // What scrolls away cannot be painted over.
    uint32_t rows_max = terminal().ws_row > 3u ? terminal().ws_row - 3u : 1u;
    wipe(show);
    for (uint32_t i = 0; i < rollout->next && show->row_count < rows_max; i++) {
        if (push_is_under_way(&rollout->devices[i])) {
            print_row(show, &rollout->devices[i]);
            show->row_count++;
        }
    }
    uint32_t failed = rollout_tally(rollout, PUSH_FAILED);
    printf("%s%u of %u done%s%s", say_style(SAY_FAINT),
        rollout_tally(rollout, PUSH_UPGRADED) + rollout_tally(rollout, PUSH_SAME) + failed, rollout->count,
        rollout->is_proved ? "" : ", one first",
        rollout->stop || rollout->is_interrupted ? "; nothing new is begun, what is under way comes to its end" : "");
    printf("%s%.0u%s\n", failed ? ", failed " : "", failed, say_style(SAY_PLAIN));
    show->row_count++;
    (void)fflush(stdout);
    show->painted_ms = http_now_ms();
}

// A line for each state that a device comes to.
static void print_changes(show_t *show, const rollout_t *rollout) {
    for (uint32_t i = 0; i < rollout->next; i++) {
        const push_t *push = &rollout->devices[i];
        char detail[sizeof push->error];
        if (show->shown[i] == push->state || push->state == PUSH_ASKING || push->state == PUSH_PREPARING
            || !push_is_under_way(push)) {
            continue;
        }
        show->shown[i] = (uint8_t)push->state;
        say_detail(push, false, detail, sizeof detail);
        printf("%s: %s%s%s\n", push->host, state_text(push->state), *detail ? " " : "", detail);
        (void)fflush(stdout);
    }
}

static void on_time(void *ctx, const rollout_t *rollout) {
    show_t *show = ctx;
    if (show->is_json || show->is_quiet) {
        return;
    }
    if (!show->is_terminal) {
        print_changes(show, rollout);
    } else if (http_now_ms() >= show->painted_ms + PAINT_MS) {
        paint(show, rollout);
    }
}

static void on_done(void *ctx, const rollout_t *rollout, const push_t *push) {
    show_t *show = ctx;
    char detail[sizeof push->error];
    (void)rollout;
    if (show->is_terminal) {
        wipe(show);
        print_row(show, push);
        show->painted_ms = 0;
        return;
    }
    say_detail(push, false, detail, sizeof detail);
    if (push->state == PUSH_FAILED) {
        (void)say_fail("%s: %s", push->host, detail);
    } else if (!show->is_json && !show->is_quiet) {
        printf("%s: %s, %s\n", push->host, state_text(push->state), detail);
        (void)fflush(stdout);
    }
}

rollout_watcher_t show_watcher(show_t *show) {
    return (rollout_watcher_t){ show, on_done, on_time };
}

// ---- the end

static void json_text(const char *name, const char *value) {
    printf(", \"%s\": ", name);
    if (*value) {
        say_json(stdout, value);
    } else {
        printf("null");
    }
}

static void print_json(const rollout_t *rollout, const char *path) {
    const payload_t *payload = rollout->options.push.payload;
    printf("{\n  \"file\": ");
    say_json(stdout, path);
    json_text("version", payload->version);
    printf(",\n  \"size\": %u, \"packed_size\": %u, \"sha256\": \"%s\",\n  \"devices\": [", payload->raw.size, payload->gzip.size,
        payload->raw.sha256);
    for (uint32_t i = 0; i < rollout->count; i++) {
        const push_t *push = &rollout->devices[i];
        printf("%s\n    { \"host\": ", i ? "," : "");
        say_json(stdout, push->host);
        json_text("result", state_text(push->state));
        json_text("from", push->from);
        json_text("runs", push->now);
        printf(", \"packed\": %s, \"delta\": %s, \"sent\": %u, \"broken\": %u, \"seconds\": %.1f, \"changed\": %s",
            push->form && push->form == &payload->gzip ? "true" : "false", form_is_delta(push) ? "true" : "false", push->got,
            push->broken_count, push->begun_ms ? seconds_of(push) : 0.0,
            push->is_changed || push->state == PUSH_UPGRADED ? "true" : "false");
        json_text("error", push->error);
        printf(" }");
    }
    printf("\n  ],\n  \"upgraded\": %u, \"same\": %u, \"failed\": %u, \"not_begun\": %u", rollout_tally(rollout, PUSH_UPGRADED),
        rollout_tally(rollout, PUSH_SAME), rollout_tally(rollout, PUSH_FAILED), rollout_tally(rollout, PUSH_NOT_BEGUN));
    json_text("stopped_at", rollout->stop ? rollout->stop->host : "");
    printf("\n}\n");
}

void show_summary(show_t *show, const rollout_t *rollout, const char *path) {
    uint32_t upgraded = rollout_tally(rollout, PUSH_UPGRADED);
    uint32_t same = rollout_tally(rollout, PUSH_SAME);
    uint32_t left = rollout_tally(rollout, PUSH_NOT_BEGUN);
    if (show->is_json) {
        print_json(rollout, path);
        return;
    }
    wipe(show);
    printf("%u of %u run %s: %u upgraded, %u had it; %u failed, %u not begun; %.0f s\n", upgraded + same, rollout->count, path,
        upgraded, same, rollout_tally(rollout, PUSH_FAILED), left, (double)(http_now_ms() - show->begun_ms) / 1000);
    if (rollout->stop && left) {
        (void)say_fail("stopped at %s: %s. Put that right and push again: who runs it is left alone", rollout->stop->host,
            rollout->is_proved ? "its upgrade went wrong" : "the first one has to come through before others are begun");
    } else if (rollout->is_interrupted && left) {
        (void)say_fail("interrupted; push again, and it goes on with who does not run it");
    }
}
