// The options, files and the terminal: host.h and say.h by the C library.
#include "host.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "options.h"
#include "say.h"

static char **words;

void options_take(char **argv) {
    words = argv;
}

const char *host_option(const char *key) {
    size_t size = strlen(key);
    for (char **word = words; *word != NULL; word++) {
        if (strncmp(*word, key, size) == 0 && (*word)[size] == '=') {
            return *word + size + 1;
        }
    }
    return NULL;
}

int host_open(const char *path, int flags) {
    return open(path, flags, 0644);
}

uint32_t host_file_size(int fd) {
    return (uint32_t)lseek(fd, 0, SEEK_END);
}

static void must_move(int64_t moved, uint32_t size, uint32_t offset) {
    if (moved != (int64_t)size) {
        board_say("%u bytes at 0x%x of a file could not be moved", size, offset);
        host_exit(EXIT_BROKEN);
    }
}

void host_read_at(int fd, uint32_t offset, void *buffer, uint32_t size) {
    must_move(pread(fd, buffer, size, (off_t)offset), size, offset);
}

void host_write_at(int fd, uint32_t offset, const void *buffer, uint32_t size) {
    must_move(pwrite(fd, buffer, size, (off_t)offset), size, offset);
}

int host_read(int fd, void *buffer, uint32_t size) {
    return (int)read(fd, buffer, size);
}

void host_write(int fd, const void *buffer, uint32_t size) {
    const char *p = buffer;
    while (size > 0) {
        ssize_t written = write(fd, p, size);
        if (written <= 0) {
            return;
        }
        p += written;
        size -= (uint32_t)written;
    }
}

bool host_readable(int fd, uint32_t us) {
    struct pollfd asked = { .fd = fd, .events = POLLIN };
    return poll(&asked, 1, (int)(us / 1000)) > 0;
}

_Noreturn void host_exit(int status) {
    exit(status);
}

void board_say(const char *format, ...) {
    char line[512] = "vboard: ";
    size_t prefix = strlen(line);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line + prefix, sizeof line - prefix - 1, format, args);
    va_end(args);
    size_t end = prefix + (size > 0 ? (size_t)size : 0);
    end = end < sizeof line - 2 ? end : sizeof line - 2;
    line[end] = '\n';
    host_write(HOST_STDERR, line, (uint32_t)end + 1);
}

void board_write_text(int fd, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vdprintf(fd, format, args);
    va_end(args);
}
