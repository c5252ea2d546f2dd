// Whole files.

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "molt/error.h"
#include "say.h"

// /dev/null stands for an empty file.
static bool is_null(int fd, const struct stat *info) {
    char byte;
    return S_ISCHR(info->st_mode) && read(fd, &byte, 1) == 0;
}

static int read_host(int fd, const char *path, uint32_t size_max, uint8_t **bytes, uint32_t *size) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return say_fail("%s: cannot be read (%s); check name and permissions", path, strerror(errno));
    }
    if (S_ISDIR(info.st_mode)) {
        return say_fail("%s: this is a directory; name a file", path);
    }
    if (!S_ISREG(info.st_mode) && !is_null(fd, &info)) {
        return say_fail("%s: this is not a file; name one", path);
    }
    if (info.st_size > (off_t)size_max) {
        return say_fail("%s: %lld bytes are more than there is room for, which is %s; name a smaller file", path,
            (long long)info.st_size, say_size(size_max).text);
    }
    *size = (uint32_t)info.st_size;
    *bytes = malloc(*size ? *size : 1);
    for (uint32_t done = 0; *bytes && done < *size;) {
        ssize_t count = read(fd, *bytes + done, *size - done);
        if (count <= 0) {
            free(*bytes);
            *bytes = NULL;
            break;
        }
        done += (uint32_t)count;
    }
    return *bytes ? 0 : say_fail("%s: cannot be read; check the disk", path);
}

bool files_is_same(const char *a, const char *b) {
    struct stat of_a;
    struct stat of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

int files_load_host(const char *path, uint32_t size_max, uint8_t **bytes, uint32_t *size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? say_fail("%s: there is no such file; check the name", path)
                               : say_fail("%s: cannot be opened (%s); check name and permissions", path, strerror(errno));
    }
    int status = read_host(fd, path, size_max, bytes, size);
    (void)close(fd);
    return status;
}

int files_load_stream(const char *path, uint32_t size_max, uint8_t **bytes, uint32_t *size) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISFIFO(info.st_mode)) {
        return files_load_host(path, size_max, bytes, size);
    }
    FILE *file = fopen(path, "rb");
    *bytes = malloc(size_max + 1u);
    *size = file && *bytes ? (uint32_t)fread(*bytes, 1, size_max + 1u, file) : 0;
    bool is_read = file && *bytes && !ferror(file) && *size <= size_max;
    if (file) {
        (void)fclose(file);
    }
    if (!is_read) {
        free(*bytes);
        *bytes = NULL;
        return say_fail("%s: cannot be read from this pipe; at most %s may come from it", path, say_size(size_max).text);
    }
    return 0;
}

int files_load(molt_volume_t *volume, const char *path, uint8_t **bytes, uint32_t *size) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = lfs2_file_opencfg(&volume->lfs, &file, path, LFS2_O_RDONLY, &config);
    if (err) {
        return err;
    }
    lfs2_soff_t file_size = lfs2_file_size(&volume->lfs, &file);
    // A damaged directory can state any size.
    bool fits = file_size >= 0 && (uint32_t)file_size <= volume->region.size;
    *bytes = fits ? malloc(file_size ? (size_t)file_size : 1) : NULL;
    *size = (uint32_t)file_size;
    lfs2_ssize_t count = *bytes ? lfs2_file_read(&volume->lfs, &file, *bytes, *size) : LFS2_ERR_CORRUPT;
    (void)lfs2_file_close(&volume->lfs, &file);
    if (count != file_size) {
        free(*bytes);
        *bytes = NULL;
        return count < 0 ? (int)count : MOLT_ERR_CORRUPT;
    }
    return 0;
}

static int make_directories(molt_volume_t *volume, const char *path) {
    char directory[FILES_PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t size = (size_t)(slash - path);
        if (size >= sizeof directory) {
            return MOLT_ERR_NAMETOOLONG;
        }
        memcpy(directory, path, size);
        directory[size] = 0;
        int err = lfs2_mkdir(&volume->lfs, directory);
        if (err && err != LFS2_ERR_EXIST) {
            return err;
        }
    }
    return 0;
}

int files_store(molt_volume_t *volume, const char *path, const uint8_t *bytes, uint32_t size) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = make_directories(volume, path);
    if (!err) {
        err = lfs2_file_opencfg(&volume->lfs, &file, path, LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC, &config);
    }
    if (err) {
        return err;
    }
    lfs2_ssize_t count = lfs2_file_write(&volume->lfs, &file, bytes, size);
    err = lfs2_file_close(&volume->lfs, &file);
    return count < 0 ? (int)count : err;
}

// Take FILE[:PATH] apart. A file whose name has a colon in it is meant as a whole, if it exists.
static bool split(const char *what, char name[FILES_PATH_MAX], char path[FILES_PATH_MAX]) {
    const char *colon = access(what, F_OK) == 0 ? NULL : strrchr(what, ':');
    size_t name_size = colon ? (size_t)(colon - what) : strlen(what);
    if (name_size >= FILES_PATH_MAX) {
        return false;
    }
    memcpy(name, what, name_size);
    name[name_size] = 0;
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    const char *given = colon ? colon + 1 : "";
    bool is_directory = *given == 0 || given[strlen(given) - 1] == '/';
    int size = snprintf(path, FILES_PATH_MAX, "%s%s", given, is_directory ? base : "");
    return size >= 0 && size < FILES_PATH_MAX && *name;
}

int files_put(molt_volume_t *volume, const char *what) {
    char name[FILES_PATH_MAX];
    char path[FILES_PATH_MAX];
    if (!split(what, name, path)) {
        return say_fail("%s: no name of a file, or too long a name; write FILE or FILE:PATH", what);
    }
    uint8_t *bytes;
    uint32_t size;
    if (files_load_host(name, volume->region.size, &bytes, &size)) {
        return 1;
    }
    int err = files_store(volume, path, bytes, size);
    free(bytes);
    return err ? say_fail("%s: %s", path, files_text(err)) : 0;
}

const char *files_text(int err) {
    switch (err) {
        case LFS2_ERR_NOENT:
            return "there is no such file in the dump; `molt ls` lists them";
        case LFS2_ERR_ISDIR:
            return "this is a directory; name a file in it";
        case LFS2_ERR_NOTDIR:
            return "a part of the path is a file, not a directory; choose another path";
        case LFS2_ERR_NOTEMPTY:
            return "the directory is not empty; remove what is in it first";
        case LFS2_ERR_EXIST:
            return "there is something of that name; remove it first";
        case LFS2_ERR_NAMETOOLONG:
            return "the name is too long; choose a shorter one";
        case LFS2_ERR_NOSPC:
            return "the filesystem is full; remove other files first";
        case LFS2_ERR_FBIG:
            return "the file is too large for the filesystem; remove other files or take a larger chip";
        case LFS2_ERR_INVAL:
            return "the filesystem's root cannot be removed or written; name a file";
        case LFS2_ERR_CORRUPT:
            return "the filesystem is damaged there; read the chip again, or copy the file again";
        default:
            return "the filesystem cannot be used; it is damaged, read the chip again";
    }
}
