// Many runs from one process: see runs.h.
#include "runs.h"

#include <nettle/sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board.h"
#include "flashfile.h"
#include "host.h"
#include "machine.h"
#include "nor.h"
#include "power.h"
#include "say.h"
#include "uart.h"

enum { CUTS_MAX = 8, TEAR_MAX = 12, LINE_MAX_SIZE = 200, JOBS_DEFAULT = 2, LIMIT_DEFAULT_S = 120 };

struct run {
    uint32_t cut_count;
    struct cut {
        uint32_t operation;
        char tear[TEAR_MAX];
    } cuts[CUTS_MAX];
};

static struct {
    struct run *list;
    uint32_t count;
    uint32_t next;  // of the list, sorted by the first cut
    uint32_t jobs, jobs_max;
    const struct run *present;  // of a child
    uint32_t power_ons;
    const char *until;
    uint32_t heard;  // of its characters
} runs;

bool runs_are_many(void) {
    return runs.list != NULL;
}

uint64_t runs_limit_ns(void) {
    const char *limit = host_option("limit");
    uint64_t seconds = limit != NULL ? strtoul(limit, NULL, 10) : LIMIT_DEFAULT_S;
    return runs_are_many() ? seconds * 1000000000u : UINT64_MAX;
}

// ---- the list

static _Noreturn void refuse(const char *line) {
    board_say("not a list of cuts, N:TEAR N:TEAR ...: %s", line);
    host_exit(EXIT_BROKEN);
}

static void read_run(char *line, struct run *run) {
    char whole[LINE_MAX_SIZE];
    snprintf(whole, sizeof whole, "%s", line);
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        char *colon = strchr(word, ':');
        if (colon == NULL || run->cut_count == CUTS_MAX || strlen(colon + 1) >= TEAR_MAX || !nor_cut_at(0, colon + 1)) {
            refuse(whole);
        }
        struct cut *cut = &run->cuts[run->cut_count++];
        cut->operation = (uint32_t)strtoul(word, NULL, 10);
        strcpy(cut->tear, colon + 1);
    }
}

static int by_first_cut(const void *a, const void *b) {
    uint32_t x = ((const struct run *)a)->cuts[0].operation, y = ((const struct run *)b)->cuts[0].operation;
    return x < y ? -1 : x > y;
}

void runs_open(void) {
    const char *path = host_option("runs"), *jobs = host_option("jobs");
    char line[LINE_MAX_SIZE];
    runs.until = host_option("until");
    if (path == NULL) {
        return;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        board_say("cannot read the list of runs %s", path);
        host_exit(EXIT_BROKEN);
    }
    runs.list = calloc(1, sizeof *runs.list);
    while (fgets(line, sizeof line, file) != NULL) {
        runs.list = realloc(runs.list, (runs.count + 2) * sizeof *runs.list);
        runs.list[runs.count] = (struct run){ 0 };
        read_run(line, &runs.list[runs.count]);
        runs.count += runs.list[runs.count].cut_count > 0;
    }
    fclose(file);
    nor_power_again();  // no cut from looking whether there is such a tear
    qsort(runs.list, runs.count, sizeof *runs.list, by_first_cut);
    runs.jobs_max = jobs != NULL ? (uint32_t)strtoul(jobs, NULL, 10) : JOBS_DEFAULT;
    runs.power_ons = 1;
}

// ---- children

static void wait_for_one(void) {
    if (wait(NULL) > 0) {
        runs.jobs--;
    } else {
        runs.jobs = 0;
    }
}

void runs_operation(uint32_t number) {
    while (runs.present == NULL && runs.next < runs.count && runs.list[runs.next].cuts[0].operation == number) {
        const struct run *run = &runs.list[runs.next++];
        while (runs.jobs >= runs.jobs_max) {
            wait_for_one();
        }
        uart_flush();
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);  // who stops the first stops all
            runs.present = run;
            nor_end_log();
            nor_cut_at(number, run->cuts[0].tear);
            return;
        }
        runs.jobs += child > 0;
    }
}

bool runs_continue_after_cut(void) {
    return runs_are_many();
}

void runs_next_power_on(void) {
    const struct run *run = runs.present;
    if (run != NULL && runs.power_ons < run->cut_count) {
        nor_cut_at(run->cuts[runs.power_ons].operation, run->cuts[runs.power_ons].tear);
    }
    runs.power_ons++;
    runs.heard = 0;
    uart_end_input();
}

bool runs_hear(char c) {
    if (runs.until == NULL || !runs_are_many()) {
        return !runs_are_many();
    }
    // The text begins again where it does not go on; one that begins within itself may be missed, and is not one to wait for.
    runs.heard = c == runs.until[runs.heard] ? runs.heard + 1 : c == runs.until[0];
    if (runs.until[runs.heard] == '\0') {
        power_off(0);
    }
    return false;
}

// ---- results

// "ADDR:SIZE,ADDR:SIZE": SHA-256 of each range of the flash.
static int print_digests(char *to, size_t room, const char *ranges) {
    int size = 0;
    while (ranges != NULL && *ranges != '\0' && (size_t)size < room) {
        char *end;
        uint32_t addr = (uint32_t)strtoul(ranges, &end, 0);
        uint32_t length = *end == ':' ? (uint32_t)strtoul(end + 1, &end, 0) : 0;
        uint8_t digest[SHA256_DIGEST_SIZE];
        struct sha256_ctx sha;
        sha256_init(&sha);
        if (addr < flashfile_size() && length <= flashfile_size() - addr) {
            sha256_update(&sha, length, flashfile_bytes() + addr);
        }
        sha256_digest(&sha, sizeof digest, digest);
        size += snprintf(to + size, room - (size_t)size, " ");
        for (unsigned i = 0; i < sizeof digest && (size_t)size < room; i++) {
            size += snprintf(to + size, room - (size_t)size, "%02x", digest[i]);
        }
        ranges = *end == ',' ? end + 1 : NULL;
    }
    return size;
}

// The flash of a run that did not end with 0, for whoever wants to see it.
static void keep(const char *name) {
    const char *folder = host_option("keep");
    char path[LINE_MAX_SIZE * 2];
    if (folder == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    int fd = host_open(path, HOST_O_CREATE_EMPTY);
    if (fd >= 0) {
        host_write(fd, flashfile_bytes(), flashfile_size());
    }
}

static void name_run(char *to, size_t room, char separator) {
    int size = 0;
    to[0] = '-';
    to[1] = '\0';
    for (uint32_t i = 0; runs.present != NULL && i < runs.present->cut_count; i++) {
        const struct cut *cut = &runs.present->cuts[i];
        size += snprintf(
            to + size, room - (size_t)size, "%s%u:%s", i == 0 ? "" : (char[]){ separator, '\0' }, cut->operation, cut->tear);
    }
}

void runs_end(int status, uint32_t resets, uint32_t bites) {
    char name[LINE_MAX_SIZE], line[LINE_MAX_SIZE * 4];
    if (!runs_are_many()) {
        return;
    }
    if (status == 0 && runs.until != NULL && runs.until[runs.heard] != '\0') {
        status = EXIT_TIMEOUT;  // the text has not come, and nothing more will
    }
    while (runs.present == NULL && runs.jobs > 0) {
        wait_for_one();
    }
    name_run(name, sizeof name, ',');
    int size = snprintf(line, sizeof line, "%s %d power_ons=%u resets=%u bites=%u operations=%u", name, status, runs.power_ons,
        resets, bites, nor_operation_count());
    size += print_digests(line + size, sizeof line - (size_t)size - 1, host_option("digest"));
    line[size++] = '\n';
    host_write(HOST_STDOUT, line, (uint32_t)size);
    if (status != 0) {
        keep(name);
    }
    if (runs.present != NULL) {
        _exit(status);
    }
}
