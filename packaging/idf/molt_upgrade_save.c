// What an upgrade needs beside its image: files in the root of that one's filesystem.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "molt_upgrade_parts.h"

// Where the sectors that a delta file asks for are kept, with a number behind.
#define STASH_NAME "molt.stash"
#define NAME_MAX_SIZE 24u

#define SECTOR_SIZE 4096u

// Create a file in that root, for the program's own littlefs. Its path's memory is the caller's, in *name. -1 where it cannot be.
static int create(const work_t *work, const char *path, const char *own_name, char **name) {
    *name = malloc(work->root + NAME_MAX_SIZE + 2);
    if (*name == NULL) {
        return -1;
    }
    memcpy(*name, path, work->root);
    (*name)[work->root] = '/';
    strcpy(*name + work->root + 1, own_name);
    return open(*name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

// Close it; what is not whole is removed.
static bool finish(int fd, char *name, bool is_written) {
    is_written = (fd < 0 || close(fd) == 0) && is_written;
    if (!is_written && fd >= 0) {
        unlink(name);
    }
    free(name);
    return is_written;
}

static bool write_head(work_t *work, const char *path) {
    char *name;
    int fd = create(work, path, HEAD_NAME, &name);
    bool is_written = fd >= 0;
    uint32_t size = molt_job_head_size(work->job);
    for (uint32_t off = 0; is_written && off < size; off += WORK_SIZE) {
        uint32_t piece_size = size - off < WORK_SIZE ? size - off : WORK_SIZE;
        is_written = molt_job_head_bytes(work->job, off, (uint8_t *)work->start[0], piece_size) == 0
                     && write(fd, work->start[0], piece_size) == (ssize_t)piece_size;
    }
    return finish(fd, name, is_written);
}

static bool write_stash(work_t *work, const char *path) {
    uint8_t *buf = molt_job_stash_buffer(work->job);
    bool is_written = true;
    for (uint32_t i = 0; is_written && i < molt_job_stash_count(work->job); i++) {
        char *name, own_name[NAME_MAX_SIZE];
        snprintf(own_name, sizeof own_name, STASH_NAME "%u", (unsigned)i);
        int fd = create(work, path, own_name, &name);
        is_written = finish(fd, name,
            fd >= 0 && molt_job_stash_bytes(work->job, i, buf) == 0 && write(fd, buf, SECTOR_SIZE) == (ssize_t)SECTOR_SIZE);
    }
    return is_written;
}

// Where they lie. Written through another littlefs: this one looks again.
static esp_err_t find(work_t *work) {
    molt_region_t region = work->volume.region;
    uint32_t block_size = work->volume.config.block_size;
    molt_volume_unmount(&work->volume);
    int err = molt_volume_mount(&work->volume, &work->flash, &region, block_size, false);
    for (uint32_t i = 0; !err && i < molt_job_stash_count(work->job); i++) {
        char own_name[NAME_MAX_SIZE];
        snprintf(own_name, sizeof own_name, STASH_NAME "%u", (unsigned)i);
        err = molt_lfs_source_open(&work->head, NULL, &work->volume, own_name);
        int job_err = err ? 0 : molt_job_set_stash(work->job, i, &work->head.source, molt_job_stash_buffer(work->job));
        if (job_err) {
            return molt_upgrade_fail_job(work, job_err);
        }
    }
    err = err ? err : molt_lfs_source_open(&work->head, NULL, &work->volume, HEAD_NAME);
    return err ? molt_upgrade_fail(molt_upgrade_code(err), molt_lfs_source_text(err)) : ESP_OK;
}

esp_err_t molt_upgrade_save(work_t *work, const char *path) {
    if (!write_stash(work, path) || !write_head(work, path)) {
        char text[120];
        snprintf(text, sizeof text, HEAD_NAME " cannot be written: there has to be room for %u blocks beside the image file",
            (unsigned)(3 + molt_job_stash_count(work->job)));
        return molt_upgrade_fail(ESP_FAIL, text);
    }
    return find(work);
}
