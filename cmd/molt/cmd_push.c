// molt push: upgrade devices over the network, one first.

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "commands.h"
#include "hosts.h"
#include "http.h"
#include "password.h"
#include "payload.h"
#include "rollout.h"
#include "say.h"
#include "show.h"

#define TIMEOUT_DEFAULT 60u
#define WAIT_DEFAULT 300u
#define JOBS_DEFAULT 8u

static const struct argp_option options[] = {
    ARGS_OPTION_HOSTS,
    ARGS_OPTION_PASSWORD_FILE,
    { "jobs", ARGS_JOBS, "N", 0, "So many at a time, once the first one runs it (default: 8)", 0 },
    { "trial", ARGS_TRIAL, 0, 0, "On trial: who is not confirmed goes back to what it ran. Wants resident mode", 0 },
    { "old", ARGS_OLD, "IMAGE", 0,
        "--trial, and what devices run now: sent to those that do not have it as a file to fall back on", 0 },
    { "leave-trial", ARGS_LEAVE_TRIAL, 0, 0,
        "--trial, and the device's own program confirms; else molt push does when it has reached the device", 0 },
    { "keep-going", ARGS_KEEP_GOING, 0, 0, "Do not stop where an upgrade went wrong, unless it is the first", 0 },
    { "drop-frozen", ARGS_DROP_FROZEN, 0, 0, "Let frozen modules go that the new firmware would run over", 0 },
    { "delta-from", ARGS_DELTA_FROM, "IMAGE", 0,
        "Send those that run IMAGE a delta file, which is much smaller, if it fits, and with --trial the one that leads back; may be there several times",
        0 },
    { "raw", ARGS_RAW, 0, 0, "Send the image as it is, not packed and no delta file", 0 },
    ARGS_OPTION_TIMEOUT,
    { "wait", ARGS_WAIT, "SECONDS", 0, "How long a device may take to be back, beyond its upgrade (default: 300)", 0 },
    ARGS_OPTION_JSON,
    { "quiet", 'q', 0, 0, "Only what failed, and the end", 0 },
    { 0 },
};

static volatile sig_atomic_t interrupted;

// The first Ctrl-C lets what is under way come to its end, the second one ends the program.
static void on_interrupt(int number) {
    interrupted = 1;
    (void)signal(number, SIG_DFL);
}

static int roll_out(const args_t *args, const hosts_t *hosts, const rollout_options_t *rollout_options, const proof_key_t *key,
    const char *path) {
    http_pool_t pool;
    show_t show;
    rollout_t rollout = { .count = 0 };
    int status = http_open_pool(&pool, key, args->timeout ? args->timeout : TIMEOUT_DEFAULT);
    status = show_begin(&show, hosts, args->json, args->quiet) || status;
    if (status == 0) {
        rollout_watcher_t watcher = show_watcher(&show);
        (void)signal(SIGINT, on_interrupt);
        status = rollout_run(&rollout, hosts, rollout_options, &pool, &watcher, &interrupted);
        (void)signal(SIGINT, SIG_DFL);
        show_summary(&show, &rollout, path);
    }
    rollout_free(&rollout);
    show_end(&show);
    http_close_pool(&pool);
    return status;
}

// Delta files from each firmware that was named.
static int add_deltas(payload_t *payload, const args_t *args) {
    int status = 0;
    for (int i = 0; i < args->delta_from_count && status == 0; i++) {
        status = payload_add_delta(payload, args->delta_from[i], args->trial);
    }
    return status;
}

static int push(const args_t *args) {
    hosts_t hosts;
    payload_t payload = { .version = "" };
    payload_t old = { .version = "" };
    proof_key_t key;
    uint32_t host_count = (uint32_t)args->positional_count - 1;
    const char *path = args->words[host_count];
    int status = hosts_load(&hosts, args->words, host_count, args->hosts) || password_load(&key, args->password_file)
                 || payload_load(&payload, path, !args->raw) || add_deltas(&payload, args)
                 || (args->old && payload_load(&old, args->old, !args->raw));
    if (status == 0) {
        rollout_options_t rollout_options = {
            .push = { .payload = &payload,
                .fallback = old.gzip.bytes ? &old.gzip : &old.raw,
                .wants_trial = args->trial,
                .leaves_confirming = args->leave_trial,
                .drop_frozen = args->drop_frozen,
                .wants_raw = args->raw,
                .wait_s = args->wait ? args->wait : WAIT_DEFAULT },
            .jobs = args->jobs ? args->jobs : JOBS_DEFAULT,
            .keeps_going = args->keep_going,
        };
        status = roll_out(args, &hosts, &rollout_options, &key, path);
    }
    payload_free(&old);
    payload_free(&payload);
    hosts_free(&hosts);
    return status;
}

int cmd_push(int argc, char **argv) {
    static const args_spec_t spec = {
        "HOST... FILE",
        "Upgrade devices in the network that run molt_web to the firmware FILE, packed or not. The first HOST goes first; only when it is back "
        "with the new firmware the others follow. Where one does not come back nothing new is begun. What was broken off goes on "
        "where it was, and who runs FILE already is left alone: push again.\v"
        "HOST is a name or an IPv4 address, perhaps with a port. Names under .local are found where this computer's resolver asks for "
        "them by mDNS. The password comes from MOLT_PASSWORD or a file, the same for all.\n\n"
        "Exit status 0 if each device runs FILE, else 1.\n\n"
        "Examples:\n"
        "  molt push lamp.local firmware.bin\n"
        "  molt push --hosts lamps.txt firmware.bin --jobs 16 --password-file key\n"
        "  molt push --hosts lamps.txt new.bin --delta-from v1.bin --delta-from v2.bin\n"
        "  molt push --hosts lamps.txt new.bin --trial --delta-from v1.bin\n"
        "  molt push --hosts lamps.txt new.bin --old old.bin --json",
        options,
        1,
        ARGS_MANY,
    };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    bool names_none = args.positional_count == 1 && args.hosts == NULL;
    if (names_none) {
        (void)say_fail("no device is named before the file; name hosts, or a file of them with --hosts");
    }
    int status = names_none ? 2 : push(&args);
    args_free(&args);
    return status;
}
