// QEMU's simcalls behind plain functions. [QEMU, target/xtensa/xtensa-semi.c]
#include "host.h"

#include <stddef.h>

#include "../board.h"
#include "net.h"
#include "print.h"

enum {
    CALL_EXIT = 1,
    CALL_READ = 3,
    CALL_WRITE = 4,
    CALL_OPEN = 5,
    CALL_LSEEK = 19,
    CALL_SELECT_ONE = 29,
    CALL_ARGC = 1000,
    CALL_ARGV_SIZE = 1001,
    CALL_ARGV = 1002,
};

enum { SEEK_TO = 0, SEEK_FROM_END = 2, SELECT_READ = 1, ARGV_WORDS = 1024 };

int host_call(int number, uint32_t a, uint32_t b, uint32_t c);

static uint32_t pointer(const void *p) {
    return (uint32_t)(uintptr_t)p;
}

// Layout of CALL_ARGV: argc + 1 pointers, then the strings.
static uint32_t argv_block[ARGV_WORDS];

static const char *value_of(const char *word, const char *key) {
    while (*key && *key == *word) {
        key++;
        word++;
    }
    return *key == '\0' && *word == '=' ? word + 1 : NULL;
}

const char *host_option(const char *key) {
    uint32_t count = (uint32_t)host_call(CALL_ARGC, 0, 0, 0);
    if (argv_block[0] == 0) {
        if ((uint32_t)host_call(CALL_ARGV_SIZE, 0, 0, 0) > sizeof argv_block) {
            board_say("the options are too long");
            host_exit(EXIT_BROKEN);
        }
        host_call(CALL_ARGV, pointer(argv_block), 0, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *value = value_of((const char *)(uintptr_t)argv_block[i], key);
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

int host_open(const char *path, int flags) {
    return host_call(CALL_OPEN, pointer(path), (uint32_t)flags, 0644);
}

uint32_t host_file_size(int fd) {
    return (uint32_t)host_call(CALL_LSEEK, (uint32_t)fd, 0, SEEK_FROM_END);
}

// Much is written piece by piece, in rising order: the file is there already.
static void transfer_at(int call, int fd, uint32_t offset, const void *buffer, uint32_t size) {
    static int last_fd = -1;
    static uint32_t last_end;
    int at = fd == last_fd && offset == last_end ? 0 : host_call(CALL_LSEEK, (uint32_t)fd, offset, SEEK_TO);
    int moved = at < 0 ? at : host_call(call, (uint32_t)fd, pointer(buffer), size);
    if (moved != (int)size) {
        board_say("flash file: %u bytes at 0x%x could not be moved", size, offset);
        host_exit(EXIT_BROKEN);
    }
    last_fd = fd;
    last_end = offset + size;
}

void host_read_at(int fd, uint32_t offset, void *buffer, uint32_t size) {
    transfer_at(CALL_READ, fd, offset, buffer, size);
}

void host_write_at(int fd, uint32_t offset, const void *buffer, uint32_t size) {
    transfer_at(CALL_WRITE, fd, offset, buffer, size);
}

int host_read(int fd, void *buffer, uint32_t size) {
    return host_call(CALL_READ, (uint32_t)fd, pointer(buffer), size);
}

void host_write(int fd, const void *buffer, uint32_t size) {
    const char *p = buffer;
    while (size > 0) {
        int written = host_call(CALL_WRITE, (uint32_t)fd, pointer(p), size);
        if (written <= 0) {
            return;
        }
        p += written;
        size -= (uint32_t)written;
    }
}

int host_try_write(int fd, const void *buffer, uint32_t size) {
    return host_call(CALL_WRITE, (uint32_t)fd, pointer(buffer), size);
}

bool host_readable(int fd, uint32_t us) {
    uint32_t timeval[2] = { us / 1000000, us % 1000000 };
    return host_call(CALL_SELECT_ONE, (uint32_t)fd, SELECT_READ, pointer(timeval)) > 0;
}

_Noreturn void host_exit(int status) {
    host_call(CALL_EXIT, (uint32_t)status, 0, 0);
    for (;;) {
    }
}
