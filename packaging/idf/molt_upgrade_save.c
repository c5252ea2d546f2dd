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

static void stash_name(char name[NAME_MAX_SIZE], uint32_t index) {
    snprintf(name, NAME_MAX_SIZE, STASH_NAME "%u", (unsigned)index);
}

// Close a file; what is not whole is removed.
static bool finish(int fd, const char *path, bool is_written) {
    is_written = (fd < 0 || close(fd) == 0) && is_written;
    if (!is_written && fd >= 0) {
        unlink(path);
    }
    return is_written;
}

static bool write_head(work_t *work, const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool is_written = fd >= 0;
    uint32_t size = molt_job_head_size(work->job);
    for (uint32_t off = 0; is_written && off < size; off += WORK_SIZE) {
        uint32_t piece_size = size - off < WORK_SIZE ? size - off : WORK_SIZE;
        is_written = molt_job_head_bytes(work->job, off, (uint8_t *)work->start[0], piece_size) == 0
                     && write(fd, work->start[0], piece_size) == (ssize_t)piece_size;
    }
    return finish(fd, path, is_written);
}

static bool write_stash(work_t *work, uint32_t index, const char *path) {
    uint8_t *buf = molt_job_stash_buffer(work->job);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool is_written = fd >= 0 && molt_job_stash_bytes(work->job, index, buf) == 0
                      && write(fd, buf, SECTOR_SIZE) == (ssize_t)SECTOR_SIZE;
    return finish(fd, path, is_written);
}

// All of them. root: the filesystem's, with room for a name behind it.
static bool write_all(work_t *work, char *root) {
    char *name = root + work->root + 1;
    bool is_written = true;
    for (uint32_t i = 0; is_written && i < molt_job_stash_count(work->job); i++) {
        stash_name(name, i);
        is_written = write_stash(work, i, root);
    }
    strcpy(name, HEAD_NAME);
    return is_written && write_head(work, root);
}

// Where they lie. Written through another littlefs: this one looks again.
static esp_err_t find(work_t *work) {
    molt_region_t region = work->volume.region;
    uint32_t block_size = work->volume.config.block_size;
    molt_volume_unmount(&work->volume);
    int err = molt_volume_mount(&work->volume, &work->flash, &region, block_size, false);
    for (uint32_t i = 0; !err && i < molt_job_stash_count(work->job); i++) {
        char name[NAME_MAX_SIZE];
        stash_name(name, i);
        err = molt_lfs_source_open(&work->head, NULL, &work->volume, name);
        int job_err = err ? 0 : molt_job_set_stash(work->job, i, &work->head.source, molt_job_stash_buffer(work->job));
        if (job_err) {
            return molt_upgrade_fail_job(work, job_err);
        }
    }
    err = err ? err : molt_lfs_source_open(&work->head, NULL, &work->volume, HEAD_NAME);
    return err ? molt_upgrade_fail(molt_upgrade_code(err), molt_lfs_source_text(err)) : ESP_OK;
}

esp_err_t molt_upgrade_save(work_t *work, const char *path) {
    char *root = malloc(work->root + 1 + NAME_MAX_SIZE);
    if (root == NULL) {
        return molt_upgrade_fail(ESP_ERR_NO_MEM, "there is not enough memory; free 100 bytes of the heap");
    }
    memcpy(root, path, work->root);
    root[work->root] = '/';
    bool is_written = write_all(work, root);
    free(root);
    if (!is_written) {
        char text[120];
        snprintf(text, sizeof text, HEAD_NAME " cannot be written: there has to be room for %u blocks beside the image file",
            (unsigned)(3 + molt_job_stash_count(work->job)));
        return molt_upgrade_fail(ESP_FAIL, text);
    }
    return find(work);
}
