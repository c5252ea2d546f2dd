// Copying and comparing the trees of two littlefs volumes.

#include "transfer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "molt/error.h"

// A damaged directory can contain itself.
#define DEPTH_MAX 16
#define ATTR_SIZE_MAX 1022
#define ATTR_TYPE_COUNT 256

typedef struct transfer transfer_t;

struct transfer {
    molt_volume_t *from;
    molt_volume_t *to;
    char at[FILES_PATH_MAX];
    uint32_t file_count;
    // What is done with each directory (info->type) and file at `at`.
    int (*visit)(transfer_t *transfer, const struct lfs2_info *info);
};

// Visit all that is in the directory at transfer->at, and so on below it.
static int walk(transfer_t *transfer, uint32_t depth) {
    lfs2_dir_t dir;
    struct lfs2_info info;
    lfs2_t *lfs = &transfer->from->lfs;
    size_t end = strlen(transfer->at);
    int err = depth > DEPTH_MAX ? MOLT_ERR_CORRUPT : lfs2_dir_open(lfs, &dir, end ? transfer->at : "/");
    if (err) {
        return err;
    }
    while ((err = lfs2_dir_read(lfs, &dir, &info)) > 0) {
        if (strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0) {
            continue;
        }
        int size = snprintf(transfer->at + end, sizeof transfer->at - end, "/%s", info.name);
        err = size < 0 || (size_t)size >= sizeof transfer->at - end ? MOLT_ERR_NAMETOOLONG : transfer->visit(transfer, &info);
        if (!err && info.type == LFS2_TYPE_DIR) {
            err = walk(transfer, depth + 1);
        }
        if (err) {
            break;  // `at` stays: that is where
        }
        transfer->at[end] = 0;
    }
    (void)lfs2_dir_close(lfs, &dir);
    return err;
}

static int copy_attributes(transfer_t *transfer) {
    uint8_t value[ATTR_SIZE_MAX];
    for (uint32_t type = 0; type < ATTR_TYPE_COUNT; type++) {
        lfs2_ssize_t size = lfs2_getattr(&transfer->from->lfs, transfer->at, (uint8_t)type, value, sizeof value);
        int err = 0;
        if (size >= 0) {
            err = lfs2_setattr(&transfer->to->lfs, transfer->at, (uint8_t)type, value, (lfs2_size_t)size);
        } else if (size != LFS2_ERR_NOATTR) {
            err = (int)size;
        }
        if (err) {
            return err;
        }
    }
    return 0;
}

static int copy_one(transfer_t *transfer, const struct lfs2_info *info) {
    int err;
    if (info->type == LFS2_TYPE_DIR) {
        err = lfs2_mkdir(&transfer->to->lfs, transfer->at);
    } else {
        uint8_t *bytes;
        uint32_t size;
        err = files_load(transfer->from, transfer->at, &bytes, &size);
        if (!err) {
            err = files_store(transfer->to, transfer->at, bytes, size);
            free(bytes);
        }
    }
    return err ? err : copy_attributes(transfer);
}

static int compare_attributes(transfer_t *transfer) {
    uint8_t value[ATTR_SIZE_MAX];
    uint8_t other[ATTR_SIZE_MAX];
    for (uint32_t type = 0; type < ATTR_TYPE_COUNT; type++) {
        lfs2_ssize_t size = lfs2_getattr(&transfer->from->lfs, transfer->at, (uint8_t)type, value, sizeof value);
        lfs2_ssize_t other_size = lfs2_getattr(&transfer->to->lfs, transfer->at, (uint8_t)type, other, sizeof other);
        if (size != other_size || (size > 0 && memcmp(value, other, (size_t)size) != 0)) {
            return MOLT_ERR_CORRUPT;
        }
    }
    return 0;
}

static int compare_one(transfer_t *transfer, const struct lfs2_info *info) {
    struct lfs2_info other;
    int err = lfs2_stat(&transfer->to->lfs, transfer->at, &other);
    if (err) {
        return err;
    }
    if (other.type != info->type) {
        return MOLT_ERR_CORRUPT;
    }
    if (info->type == LFS2_TYPE_REG) {
        uint8_t *bytes = NULL;
        uint8_t *other_bytes = NULL;
        uint32_t size;
        uint32_t other_size;
        err = files_load(transfer->from, transfer->at, &bytes, &size);
        err = err ? err : files_load(transfer->to, transfer->at, &other_bytes, &other_size);
        if (!err && (size != other_size || memcmp(bytes, other_bytes, size) != 0)) {
            err = MOLT_ERR_CORRUPT;
        }
        free(other_bytes);
        free(bytes);
        transfer->file_count++;
    }
    return err ? err : compare_attributes(transfer);
}

int transfer_tree(molt_volume_t *from, molt_volume_t *to, char *at) {
    transfer_t transfer = { .from = from, .to = to, .visit = copy_one };
    int err = walk(&transfer, 0);
    if (err && at) {
        snprintf(at, FILES_PATH_MAX, "%s", transfer.at);
    }
    return err;
}

int transfer_compare(molt_volume_t *from, molt_volume_t *to, char *at, uint32_t *file_count) {
    transfer_t transfer = { .from = from, .to = to, .visit = compare_one };
    int err = walk(&transfer, 0);
    snprintf(at, FILES_PATH_MAX, "%s", transfer.at);
    *file_count = transfer.file_count;
    return err;
}
