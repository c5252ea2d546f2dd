// molt status: what devices in the network run, and what became of their last upgrade.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "hosts.h"
#include "http.h"
#include "password.h"
#include "say.h"

#define TIMEOUT_DEFAULT 60u
#define JOBS_DEFAULT 32u

typedef struct board {
    http_t http;
    json_t *info;  // NULL if it did not tell
} board_t;

// Ask all of them, some at a time. Those whose `info` is NULL then have http.error.
static void ask_all(http_pool_t *pool, board_t *boards, uint32_t count, uint32_t jobs) {
    uint32_t next = 0;
    uint32_t under_way = 0;
    do {
        while (next < count && under_way < jobs) {
            http_send(pool, &boards[next++].http, "GET", "/info", NULL, 0);
            under_way++;
        }
        http_work(pool, 100);
        for (http_t *http = http_next(pool); http; http = http_next(pool)) {
            board_t *board = http->owner;
            bool is_told = http->outcome == HTTP_ANSWERED && http->status == 200;
            board->info = is_told ? json_incref(http->json) : NULL;
            if (is_told && !json_is_string(json_object_get(http->json, "version"))) {
                json_decref(board->info);
                board->info = NULL;
                snprintf(http->error, sizeof http->error, "what answers there is not molt_web; check address and port");
            }
            under_way--;
        }
    } while (under_way);
}

// Text from a device: no control character of it reaches the terminal.
static const char *clean(const char *text, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", text ? text : "-");
    say_clean(buffer);
    return buffer;
}

static void say_up(json_int_t seconds, char *text, size_t size) {
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    if (seconds >= 2 * DAY) {
        snprintf(text, size, "%lld days", (long long)seconds / DAY);
    } else if (seconds >= 2 * HOUR) {
        snprintf(text, size, "%lld h", (long long)seconds / HOUR);
    } else {
        snprintf(text, size, "%lld min", (long long)seconds / MINUTE);
    }
}

static void print_board(const char *host, const json_t *info, int host_width, int version_width) {
    char version[80];
    char result[24];
    char up[32];
    const json_t *status = json_object_get(info, "status");
    const char *text = json_string_value(json_object_get(status, "result"));
    bool is_pending = !json_is_null(json_object_get(info, "pending"));
    say_up(json_integer_value(json_object_get(info, "up")), up, sizeof up);
    printf("%-*s  %-*s  %-11s  %-8s  %6lld KB  %s\n", host_width, host, version_width,
        clean(json_string_value(json_object_get(info, "version")), version, sizeof version),
        clean(is_pending ? "prepared" : text, result, sizeof result),
        json_is_true(json_object_get(status, "resident")) ? "yes" : "no",
        (long long)(json_integer_value(json_object_get(info, "free")) / 1024), up);
}

static void print_table(const board_t *boards, uint32_t count) {
    int host_width = 4;
    int version_width = 7;
    uint32_t told = 0;
    for (uint32_t i = 0; i < count; i++) {
        int length = (int)strlen(boards[i].http.host);
        host_width = length > host_width ? length : host_width;
        length = (int)json_string_length(json_object_get(boards[i].info, "version"));
        version_width = length > version_width ? length : version_width;
        told += boards[i].info != NULL;
    }
    if (told) {
        version_width = version_width > 60 ? 60 : version_width;
        printf("%s%-*s  %-*s  %-11s  %-8s  %9s  %s%s\n", say_style(SAY_BOLD), host_width, "host", version_width, "runs",
            "upgrade", "resident", "free", "up", say_style(SAY_PLAIN));
    }
    for (uint32_t i = 0; i < count; i++) {
        if (boards[i].info) {
            print_board(boards[i].http.host, boards[i].info, host_width, version_width);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (boards[i].info == NULL) {
            (void)say_fail("%s: %s", boards[i].http.host, boards[i].http.error);
        }
    }
}

static void print_json(const board_t *boards, uint32_t count) {
    printf("[");
    for (uint32_t i = 0; i < count; i++) {
        printf("%s\n  { \"host\": ", i ? "," : "");
        say_json(stdout, boards[i].http.host);
        char *text = boards[i].info ? json_dumps(boards[i].info, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        printf(", \"info\": %s, \"error\": ", text ? text : "null");
        if (boards[i].info) {
            printf("null");
        } else {
            say_json(stdout, boards[i].http.error);
        }
        printf(" }");
        free(text);
    }
    printf("\n]\n");
}

static int show_status(const args_t *args, const hosts_t *hosts, const proof_key_t *key) {
    http_pool_t pool;
    board_t *boards = calloc(hosts->count, sizeof *boards);
    int status = http_open_pool(&pool, key, args->timeout ? args->timeout : TIMEOUT_DEFAULT);
    if (boards == NULL) {
        status = say_fail("there is not enough memory; close other programs");
    }
    if (status == 0) {
        for (uint32_t i = 0; i < hosts->count; i++) {
            boards[i].http = (http_t){ .host = hosts->names[i], .owner = &boards[i] };
        }
        ask_all(&pool, boards, hosts->count, args->jobs ? args->jobs : JOBS_DEFAULT);
        (args->json ? print_json : print_table)(boards, hosts->count);
        for (uint32_t i = 0; i < hosts->count; i++) {
            status |= boards[i].info == NULL;
            json_decref(boards[i].info);
            http_close(&boards[i].http);
        }
    }
    free(boards);
    http_close_pool(&pool);
    return status;
}

int cmd_status(int argc, char **argv) {
    static const struct argp_option options[] = { ARGS_OPTION_HOSTS, ARGS_OPTION_PASSWORD_FILE,
        { "jobs", ARGS_JOBS, "N", 0, "So many at a time (default: 32)", 0 }, ARGS_OPTION_TIMEOUT, ARGS_OPTION_JSON, { 0 } };
    static const args_spec_t spec = {
        "HOST...",
        "Ask devices in the network that run molt_web what they run, what became of their last upgrade, and how much room they have. Nothing is "
        "changed.\v"
        "HOST and the password are as for molt push. Exit status 1 if one did not answer.\n\n"
        "Examples:\n"
        "  molt status lamp.local 10.0.0.7\n"
        "  molt status --hosts lamps.txt --json",
        options,
        0,
        ARGS_MANY,
    };
    args_t args;
    hosts_t hosts;
    proof_key_t key;
    args_parse(&spec, argc, argv, &args);
    if (args.positional_count == 0 && args.hosts == NULL) {
        (void)say_fail("no device is named; name hosts, or a file of them with --hosts");
        return 2;
    }
    int status = hosts_load(&hosts, args.words, (uint32_t)args.positional_count, args.hosts)
                 || password_load(&key, args.password_file) || show_status(&args, &hosts, &key);
    hosts_free(&hosts);
    args_free(&args);
    return status;
}
