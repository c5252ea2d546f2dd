// The command line of one command.

#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

typedef struct parse {
    const args_spec_t *spec;
    args_t *args;
} parse_t;

bool args_parse_bytes(const char *text, uint32_t *value) {
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    unsigned long long unit = 1;
    if (*end == 'K' || *end == 'k') {
        unit = 1024;
    } else if (*end == 'M' || *end == 'm') {
        unit = 1024 * 1024;
    }
    end += unit > 1;
    if (unit > 1 && (*end == 'B' || *end == 'b')) {
        end++;
    }
    if (errno || *end || number > UINT32_MAX / unit) {
        return false;
    }
    *value = (uint32_t)(number * unit);
    return true;
}

static uint32_t parse_sectors(struct argp_state *state, const char *name, const char *text) {
    uint32_t value = 0;
    if (!args_parse_bytes(text, &value) || value % 4096 != 0) {
        argp_error(state, "--%s %s: no multiple of 4096; write 0x100000 or 1024K", name, text);
    }
    return value;
}

static void parse_cut(struct argp_state *state, args_t *args, const char *text) {
    char *end;
    errno = 0;
    long long op = strtoll(text, &end, 10);
    int tear = SIM_TEAR_BEFORE;
    if (*end == ':' || *end == '.') {
        tear = sim_tear_parse(end + 1);
        end += strlen(end);
    }
    if (errno || *text < '0' || *text > '9' || *end || tear < 0) {
        argp_error(state,
            "--cut %s: write a number, or as 17:random; tears are before, after, prefix, suffix, random, "
            "stray and zero",
            text);
    }
    args->cut_op = op;
    args->cut_tear = (sim_tear_t)tear;
}

// An option that may be there several times.
static void add_word(struct argp_state *state, const char ***words, int *count, const char *text) {
    const char **longer = realloc(*words, (size_t)(*count + 1) * sizeof *longer);
    if (longer == NULL) {
        argp_failure(state, 1, errno, "out of memory");
        return;
    }
    *words = longer;
    longer[(*count)++] = text;
}

static void parse_choice(struct argp_state *state, args_t *args, const char *text) {
    args->image_params = strcmp(text, "image") == 0;
    if (!args->image_params && strcmp(text, "keep") != 0) {
        argp_error(state, "--flash-params %s: write keep or image", text);
    }
}

static void parse_size(struct argp_state *state, args_t *args, const char *text) {
    if (!args_parse_bytes(text, &args->flash_size) || !sim_dump_is_size(args->flash_size)) {
        argp_error(state, "--size %s: write 512K, 1M, 2M, 4M, 8M or 16M", text);
    }
}

static void parse_positional(struct argp_state *state, const parse_t *parse, const char *text) {
    args_t *args = parse->args;
    if (parse->spec->positional_max == ARGS_MANY) {
        const char **words = realloc(args->words, (size_t)(args->positional_count + 1) * sizeof *args->words);
        if (words == NULL) {
            argp_failure(state, 1, errno, "out of memory");
            return;
        }
        args->words = words;
        args->words[args->positional_count++] = text;
        return;
    }
    if (args->positional_count == parse->spec->positional_max) {
        argp_error(state, "one argument too many: %s", text);
    }
    args->positional[args->positional_count++] = text;
}

// The options of `map` and `migrate`.
static error_t on_map_option(int key, char *value, args_t *args) {
    switch (key) {
        case ARGS_VARIANT:
            args->variant = value;
            return 0;
        case ARGS_UPGRADE:
            args->upgrade = value;
            return 0;
        case ARGS_SVG:
            args->svg = value;
            return 0;
        case ARGS_LD:
            args->ld = value;
            return 0;
        case ARGS_LIST:
            args->list = true;
            return 0;
        default:
            return ARGP_ERR_UNKNOWN;
    }
}

static uint32_t parse_count(struct argp_state *state, const char *what, const char *value, uint32_t max) {
    char *end;
    unsigned long count = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != 0 || count < 1 || count > max) {
        argp_error(state, "%s takes a number from 1 to %u, not \"%s\"", what, max, value);
    }
    return (uint32_t)count;
}

// Options of push and status.
static error_t on_net_option(int key, char *value, struct argp_state *state, args_t *args) {
    enum { DAY = 86400 };
    switch (key) {
        case ARGS_HOSTS:
            args->hosts = value;
            return 0;
        case ARGS_PASSWORD_FILE:
            args->password_file = value;
            return 0;
        case ARGS_DELTA_FROM:
            add_word(state, &args->delta_from, &args->delta_from_count, value);
            return 0;
        case ARGS_OLD:
            args->old = value;
            args->trial = true;
            return 0;
        case ARGS_TRIAL:
            args->trial = true;
            return 0;
        case ARGS_LEAVE_TRIAL:
            args->leave_trial = args->trial = true;
            return 0;
        case ARGS_KEEP_GOING:
            args->keep_going = true;
            return 0;
        case ARGS_DROP_FROZEN:
            args->drop_frozen = true;
            return 0;
        case ARGS_RAW:
            args->raw = true;
            return 0;
        case ARGS_TIMEOUT:
            args->timeout = parse_count(state, "--timeout", value, DAY);
            return 0;
        case ARGS_WAIT:
            args->wait = parse_count(state, "--wait", value, DAY);
            return 0;
        default:
            return on_map_option(key, value, args);
    }
}

static uint32_t parse_tears(struct argp_state *state, const char *value) {
    uint32_t tears = 0;
    do {
        size_t length = strcspn(value, ",");
        char name[16] = "";
        memcpy(name, value, length < sizeof name ? length : 0);
        int tear = sim_tear_parse(name);
        if (tear < 0) {
            argp_error(state, "there is no tear of the name \"%.*s\"", (int)length, value);
            return 0;
        }
        tears |= 1u << tear;
        value += length + (value[length] == ',');
    } while (*value);
    return tears;
}

// Options of torture.
static error_t on_torture_option(int key, char *value, struct argp_state *state, args_t *args) {
    switch (key) {
        case ARGS_DEPTH:
            args->depth = parse_count(state, "--depth", value, 2);
            return 0;
        case ARGS_JOBS:
            args->jobs = parse_count(state, "--jobs", value, 64);
            return 0;
        case ARGS_TEARS:
            args->tears = parse_tears(state, value);
            return 0;
        case ARGS_REPLAY:
            args->replay = value;
            return 0;
        case ARGS_WINDOW:
            if (!args_parse_bytes(value, &args->window) || args->window < 512 || args->window > 32768) {
                argp_error(state, "--window takes 512 to 32K, not \"%s\"", value);
            }
            return 0;
        case ARGS_REVERSE:
            args->reverse = true;
            return 0;
        default:
            return on_net_option(key, value, state, args);
    }
}

static error_t on_option(int key, char *value, struct argp_state *state) {
    parse_t *parse = state->input;
    args_t *args = parse->args;
    switch (key) {
        case 'q':
            args->quiet = true;
            return 0;
        case ARGS_FORCE:
            args->force = true;
            return 0;
        case ARGS_UNTRIED:
            args->untried = true;
            return 0;
        case ARGS_JSON:
            args->json = true;
            return 0;
        case ARGS_FS_START:
            args->has_fs_start = true;
            args->fs_start = parse_sectors(state, "fs-start", value);
            return 0;
        case ARGS_FS_SIZE:
            args->fs_size = parse_sectors(state, "fs-size", value);
            return 0;
        case ARGS_SIZE:
            parse_size(state, args, value);
            return 0;
        case ARGS_FIRMWARE:
            args->firmware = value;
            return 0;
        case ARGS_PUT:
            add_word(state, &args->puts, &args->put_count, value);
            return 0;
        case ARGS_KEEP_HEADER:
            args->keep_header = true;
            return 0;
        case ARGS_ERASE_ALL:
            args->erase_all = true;
            return 0;
        case ARGS_NO_SAFE_CHECK:
            args->no_safe_check = true;
            return 0;
        case ARGS_FLASH_PARAMS:
            parse_choice(state, args, value);
            return 0;
        case ARGS_CUT:
            parse_cut(state, args, value);
            return 0;
        case ARGP_KEY_ARG:
            parse_positional(state, parse, value);
            return 0;
        case ARGP_KEY_END:
            if (args->positional_count < parse->spec->positional_min) {
                argp_error(state, "an argument is missing; it takes %s", parse->spec->synopsis);
            }
            return 0;
        default:
            return on_torture_option(key, value, state, args);
    }
}

void args_parse(const args_spec_t *spec, int argc, char **argv, args_t *args) {
    parse_t parse = { spec, args };
    struct argp argp = { .options = spec->options, .parser = on_option, .args_doc = spec->synopsis, .doc = spec->doc };
    *args = (args_t){ .cut_op = -1, .depth = 1, .tears = (1u << SIM_TEAR_COUNT) - 1 };
    (void)argp_parse(&argp, argc, argv, 0, NULL, &parse);
}

void args_free(args_t *args) {
    free(args->puts);
    free(args->delta_from);
    free(args->words);
    args->puts = NULL;
    args->delta_from = NULL;
    args->words = NULL;
}
