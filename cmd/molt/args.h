// The command line of one command, by argp. All commands share the options; each lists those that it takes.
#ifndef MOLT_CMD_ARGS_H
#define MOLT_CMD_ARGS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "nor.h"

#define ARGS_POSITIONAL_MAX 4
#define ARGS_MANY 1000000  // as positional_max: they are in args->words

typedef struct args {
    const char *positional[ARGS_POSITIONAL_MAX];  // NULL where not given
    int positional_count;
    const char **words;  // all positional ones, where there can be many; else NULL
    bool json;
    bool quiet;
    bool force;
    bool untried;
    bool has_fs_start;
    uint32_t fs_start;    // bytes
    uint32_t fs_size;     // bytes; 0 if not given
    uint32_t flash_size;  // bytes; 0 if not given
    const char *firmware;
    bool keep_header;
    const char **puts;  // FILE[:PATH]
    int put_count;
    bool erase_all;
    bool no_safe_check;
    bool image_params;
    const char *variant;  // name of a flash map
    const char *upgrade;  // a path on the littlefs
    const char *svg;      // a file to be written
    const char *ld;       // likewise
    bool list;
    uint32_t window;  // bytes; 0 if not given
    bool reverse;
    uint32_t depth;      // of torture; 1 if not given
    uint32_t jobs;       // 0 if not given
    uint32_t tears;      // bit set of 1 << sim_tear_t; all if not given
    const char *replay;  // cuts by name
    int64_t cut_op;      // -1 if not given
    sim_tear_t cut_tear;
    const char *hosts;          // a file
    const char *password_file;  // likewise
    const char **delta_from;    // likewise: images that devices run
    int delta_from_count;
    const char *old;  // likewise: an image to fall back on
    bool trial;
    bool leave_trial;
    bool keep_going;
    bool drop_frozen;
    bool raw;
    uint32_t timeout;  // seconds; 0 if not given
    uint32_t wait;     // likewise
} args_t;

typedef struct args_spec {
    const char *synopsis;  // of the arguments
    const char *doc;       // what --help says before and, after \v, behind the options
    const struct argp_option *options;
    int positional_min;
    int positional_max;
} args_spec_t;

// Option lines, for the arrays of the commands.
enum {
    ARGS_FS_START = 256,
    ARGS_FS_SIZE,
    ARGS_JSON,
    ARGS_SIZE,
    ARGS_FIRMWARE,
    ARGS_PUT,
    ARGS_KEEP_HEADER,
    ARGS_ERASE_ALL,
    ARGS_NO_SAFE_CHECK,
    ARGS_FLASH_PARAMS,
    ARGS_CUT,
    ARGS_VARIANT,
    ARGS_UPGRADE,
    ARGS_SVG,
    ARGS_LIST,
    ARGS_LD,
    ARGS_DEPTH,
    ARGS_JOBS,
    ARGS_TEARS,
    ARGS_REPLAY,
    ARGS_WINDOW,
    ARGS_REVERSE,
    ARGS_FORCE,
    ARGS_UNTRIED,
    ARGS_HOSTS,
    ARGS_PASSWORD_FILE,
    ARGS_OLD,
    ARGS_DELTA_FROM,
    ARGS_TRIAL,
    ARGS_LEAVE_TRIAL,
    ARGS_KEEP_GOING,
    ARGS_DROP_FROZEN,
    ARGS_RAW,
    ARGS_TIMEOUT,
    ARGS_WAIT,
};
#define ARGS_OPTION_FS_START \
    { "fs-start", ARGS_FS_START, "ADDR", 0, "Where the filesystem begins, if not where it is found", 0 }
#define ARGS_OPTION_FS_SIZE \
    { "fs-size", ARGS_FS_SIZE, "SIZE", 0, "How large it is, if not as its superblock says", 0 }
#define ARGS_OPTION_JSON \
    { "json", ARGS_JSON, 0, 0, "Print JSON", 0 }
#define ARGS_OPTION_QUIET \
    { "quiet", 'q', 0, 0, "No progress bar and no summary", 0 }
#define ARGS_OPTION_HOSTS \
    { "hosts", ARGS_HOSTS, "FILE", 0, "Devices, too: one name or address a line, # begins a comment", 0 }
#define ARGS_OPTION_PASSWORD_FILE \
    { "password-file", ARGS_PASSWORD_FILE, "FILE", 0, "The devices' password is its first line (else: $MOLT_PASSWORD)", 0 }
#define ARGS_OPTION_TIMEOUT \
    { "timeout", ARGS_TIMEOUT, "SECONDS", 0, "How long a device may say nothing when it is asked (default: 60)", 0 }
#define ARGS_OPTION_CUT \
    { \
        "cut", ARGS_CUT, "N[:TEAR]", 0, \
            "Cut the power in flash operation N (the first is 0) and leave the dump as it is then. TEAR is what becomes of the " \
            "torn operation: before (the default), after, prefix, suffix, random, stray or zero", \
            0 \
    }

// Parse; ends the program after --help (status 0) and for a mistake (status 2).
void args_parse(const args_spec_t *spec, int argc, char **argv, args_t *args);
void args_free(args_t *args);

// Bytes: decimal, 0x..., with K or M behind it. False if it is none of these or does not fit.
bool args_parse_bytes(const char *text, uint32_t *value);

#endif
