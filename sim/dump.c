// Flash dumps: loading one, and replacing one as a whole.

#include "dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADVICE "give a dump of the whole chip, as esptool read_flash writes it"

static int fail_errno(char *text, size_t text_size, const char *path, const char *what) {
    snprintf(text, text_size, "%s: %s (%s)", path, what, strerror(errno));
    return -1;
}

static int fail(char *text, size_t text_size, const char *path, const char *what) {
    snprintf(text, text_size, "%s: %s", path, what);
    return -1;
}

bool sim_dump_is_size(uint64_t size) {
    return size >= SIM_DUMP_SIZE_MIN && size <= SIM_DUMP_SIZE_MAX && (size & (size - 1)) == 0;
}

// The size of the chip in the open file, or 0 with a sentence in `text`.
static uint32_t chip_size(int fd, const char *path, char *text, size_t text_size) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        fail_errno(text, text_size, path, "cannot be read");
    } else if (S_ISDIR(info.st_mode)) {
        fail(text, text_size, path, "this is a directory; " ADVICE);
    } else if (!S_ISREG(info.st_mode)) {
        fail(text, text_size, path, "this is not a file; " ADVICE);
    } else if (info.st_size == 0) {
        fail(text, text_size, path, "the file is empty; " ADVICE);
    } else if (!sim_dump_is_size((uint64_t)info.st_size)) {
        snprintf(text, text_size, "%s: %lld bytes are not the size of a flash chip (512K, 1M, 2M, 4M, 8M or 16M); " ADVICE, path,
            (long long)info.st_size);
    } else {
        return (uint32_t)info.st_size;
    }
    return 0;
}

static int read_all(int fd, uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = read(fd, bytes + done, size - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            errno = count ? errno : EIO;
            return -1;
        }
        done += (size_t)count;
    }
    return 0;
}

static int load(int fd, sim_nor_t *nor, const char *path, char *text, size_t text_size) {
    molt_geometry_t geometry = { chip_size(fd, path, text, text_size), 4096, 65536, 256 };
    if (geometry.size == 0) {
        return -1;
    }
    if (sim_nor_init(nor, &geometry) != 0) {
        return fail(text, text_size, path, "there is not enough memory for it; close other programs");
    }
    if (read_all(fd, nor->bytes, geometry.size) != 0) {
        sim_nor_free(nor);
        return fail_errno(text, text_size, path, "cannot be read; check the disk");
    }
    return 0;
}

int sim_dump_load(sim_nor_t *nor, const char *path, char *text, size_t text_size) {
    // Not to wait where the name is that of a pipe.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? fail(text, text_size, path, "there is no such file; " ADVICE)
                               : fail_errno(text, text_size, path, "cannot be opened; check name and permissions");
    }
    int err = load(fd, nor, path, text, text_size);
    (void)close(fd);
    return err;
}

static int write_all(int fd, const uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, bytes + done, size - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return -1;
        }
        done += (size_t)count;
    }
    return fsync(fd);
}

// The permissions that the file at `path` is to have: those that it has, or those of any new file.
// Returns 0, or -1 if it is nothing that can be replaced.
static int check_target(const char *path, mode_t *mode) {
    struct stat info;
    if (stat(path, &info) != 0) {
        mode_t mask = umask(0);
        (void)umask(mask);
        *mode = 0666 & ~mask;
        return errno == ENOENT ? 0 : -1;
    }
    *mode = info.st_mode & 0777;
    if (!S_ISREG(info.st_mode)) {
        errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    return access(path, W_OK);
}

static void sync_directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd = name ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(name);
}

// Write a temporary beside `path` and put it in place. 0, or -1 with errno set and `path` as it was.
static int replace(const char *path, mode_t mode, const void *bytes, size_t size) {
    char *temporary = malloc(strlen(path) + sizeof ".XXXXXX");
    if (temporary == NULL) {
        return -1;
    }
    sprintf(temporary, "%s.XXXXXX", path);
    int fd = mkstemp(temporary);
    int err = fd < 0 ? -1 : 0;
    if (!err) {
        err = write_all(fd, bytes, size);
        err = fchmod(fd, mode) != 0 || err ? -1 : 0;
        err = close(fd) != 0 || err ? -1 : 0;
        if (!err) {
            err = rename(temporary, path);
        }
        if (err) {
            int saved = errno;
            (void)unlink(temporary);
            errno = saved;
        }
    }
    free(temporary);
    return err;
}

int sim_dump_write_file(const char *path, const void *bytes, size_t size, char *text, size_t text_size) {
    // A symbolic link stays one: what it leads to is replaced.
    char *real = realpath(path, NULL);
    const char *target = real ? real : path;
    mode_t mode;
    int err = check_target(target, &mode);
    if (!err) {
        err = replace(target, mode, bytes, size);
    }
    if (err) {
        (void)fail_errno(text, text_size, path, "cannot be written; check name, permissions and free space");
    } else {
        sync_directory_of(target);
    }
    free(real);
    return err;
}

int sim_dump_save(const sim_nor_t *nor, const char *path, char *text, size_t text_size) {
    return sim_dump_write_file(path, nor->bytes, nor->flash.geometry.size, text, text_size);
}
