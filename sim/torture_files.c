// The files of a tortured device, through littlefs.

#include "torture_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "delta/delta.h"
#include "molt/error.h"
#include "torture_parts.h"

static int file_crc(molt_volume_t *volume, const char *path, uint32_t *size, uint32_t *crc) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    uint8_t bytes[1024];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = lfs2_file_opencfg(&volume->lfs, &file, path, LFS2_O_RDONLY, &config);
    if (err) {
        return err;
    }
    *size = 0;
    *crc = 0;
    lfs2_ssize_t count;
    while ((count = lfs2_file_read(&volume->lfs, &file, bytes, sizeof bytes)) > 0) {
        *crc = molt_crc32(*crc, bytes, (uint32_t)count);
        *size += (uint32_t)count;
    }
    (void)lfs2_file_close(&volume->lfs, &file);
    return count < 0 ? (int)count : 0;
}

// Replace the gzip file in *bytes by what is in it.
static int unpack(uint8_t **bytes, uint32_t *size) {
    enum { UNPACKED_MAX = 16 << 20, GZIP_ONLY = 16 };
    uint8_t *unpacked = malloc(UNPACKED_MAX);
    if (unpacked == NULL) {
        abort();
    }
    z_stream stream = { .next_in = *bytes, .avail_in = *size, .next_out = unpacked, .avail_out = UNPACKED_MAX };
    bool fine = inflateInit2(&stream, GZIP_ONLY + MAX_WBITS) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END;
    (void)inflateEnd(&stream);
    free(*bytes);
    *bytes = unpacked;
    *size = (uint32_t)stream.total_out;
    return fine ? 0 : MOLT_ERR_CORRUPT;
}

// Replace the patch in *bytes by what it makes of the old image, whose first sector is at head_addr.
static int patch(const torture_t *torture, uint32_t head_addr, uint8_t **bytes, uint32_t *size) {
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    const molt_delta_place_t place = { &torture->nor->flash, torture_image_addr(torture), head_addr, NULL };
    const molt_reader_t file = molt_memory_reader(*bytes, *size);
    molt_delta_t *delta = malloc(sizeof *delta);
    uint8_t *window = malloc(2 * MOLT_INFLATE_WINDOW_MAX);
    if (delta == NULL || window == NULL) {
        abort();
    }
    int err = molt_delta_begin(delta, &file, &place, window, 2 * MOLT_INFLATE_WINDOW_MAX);
    uint32_t image_size = err ? 0 : delta->header.new_size;
    uint8_t *image = malloc(image_size + sector_size);
    if (image == NULL) {
        abort();
    }
    memcpy(image, torture->original + torture_image_addr(torture), image_size);
    err = err ? err : molt_delta_first(delta, image);
    uint8_t *buf = malloc(sector_size);
    for (uint32_t i = 0; !err && i < delta->header.op_count; i++) {
        molt_delta_write_t write;
        err = molt_delta_next(delta, buf, true, &write);
        if (write.old_addr == UINT32_MAX) {
            memcpy(image + MOLT_DELTA_OP_SECTOR(delta->ops[i]) * sector_size, buf, sector_size);
        }
    }
    if (!err && molt_crc32(0, image, image_size) != delta->header.new_crc) {
        err = MOLT_ERR_CORRUPT;
    }
    free(buf);
    free(window);
    free(delta);
    free(*bytes);
    *bytes = image;
    *size = image_size;
    return err;
}

// Replace the patch in *bytes, which leads back to the old image, by that.
static int unpatch(const torture_t *torture, uint32_t head_addr, uint8_t **bytes, uint32_t *size) {
    const molt_delta_place_t place = { &torture->nor->flash, torture_image_addr(torture), head_addr, NULL };
    const molt_reader_t file = molt_memory_reader(*bytes, *size);
    molt_delta_header_t header = { 0 };
    int err = molt_delta_read_header(&file, &header);
    uint8_t *image = malloc(header.new_size + header.sector_size + 1);
    if (image == NULL) {
        abort();
    }
    for (uint32_t i = 0; !err && i * header.sector_size < header.new_size; i++) {
        err = molt_delta_read_sector(&header, &place, i, image + i * header.sector_size);
    }
    if (!err && molt_crc32(0, image, header.new_size) != header.new_crc) {
        err = MOLT_ERR_CORRUPT;
    }
    free(*bytes);
    *bytes = image;
    *size = header.new_size;
    return err;
}

int torture_files_load(torture_t *torture, const char *path, uint8_t **bytes, uint32_t *size) {
    molt_volume_t volume;
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = molt_volume_mount(&volume, &torture->nor->flash, &torture->fs, 0, false);
    if (!err) {
        err = lfs2_file_opencfg(&volume.lfs, &file, path, LFS2_O_RDONLY, &config);
    }
    if (err) {
        return err;
    }
    *size = (uint32_t)lfs2_file_size(&volume.lfs, &file);
    *bytes = malloc(*size + 1);
    if (*bytes == NULL) {
        abort();
    }
    lfs2_ssize_t count = lfs2_file_read(&volume.lfs, &file, *bytes, *size);
    (void)lfs2_file_close(&volume.lfs, &file);
    if ((uint32_t)count != *size) {
        return MOLT_ERR_CORRUPT;
    }
    torture->is_gzip = *size >= 2 && (*bytes)[0] == 0x1f && (*bytes)[1] == 0x8b;
    if (*size >= 4 && molt_delta_is_patch(*bytes)) {
        torture->is_delta = true;
        uint32_t head_addr = (uint32_t)(torture->old_head - torture->original);
        bool leads_back = torture->fallback_path && strcmp(path, torture->fallback_path) == 0;
        return leads_back ? unpatch(torture, head_addr, bytes, size) : patch(torture, head_addr, bytes, size);
    }
    return torture->is_gzip ? unpack(bytes, size) : 0;
}

// One directory of the depth-first walk, from the path of the last found file on.
static int list_dir(torture_t *torture, molt_volume_t *volume, const char *dir_path, uint32_t depth) {
    lfs2_dir_t dir;
    struct lfs2_info info;
    int err = depth > 8 ? MOLT_ERR_CORRUPT : lfs2_dir_open(&volume->lfs, &dir, *dir_path ? dir_path : "/");
    if (err) {
        return err;
    }
    while (!err && lfs2_dir_read(&volume->lfs, &dir, &info) > 0) {
        torture_file_t found;
        bool is_dot = strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0;
        bool is_ours = strcmp(info.name, SIM_HEAD_PATH) == 0 || strncmp(info.name, SIM_STASH_PATH, strlen(SIM_STASH_PATH)) == 0
                       || strncmp(info.name, SIM_BACK_PATH, strlen(SIM_BACK_PATH)) == 0;
        if (is_dot || is_ours) {
            continue;
        }
        int length = snprintf(found.path, sizeof found.path, "%s/%s", dir_path, info.name);
        if (length < 0 || (size_t)length >= sizeof found.path) {
            continue;
        }
        if (info.type == LFS2_TYPE_DIR) {
            err = list_dir(torture, volume, found.path, depth + 1);
            continue;
        }
        err = file_crc(volume, found.path, &found.size, &found.crc);
        torture->files = realloc(torture->files, (torture->file_count + 1) * sizeof *torture->files);
        if (torture->files == NULL) {
            abort();
        }
        torture->files[torture->file_count++] = found;
    }
    (void)lfs2_dir_close(&volume->lfs, &dir);
    return err;
}

int torture_files_list(torture_t *torture) {
    molt_volume_t volume;
    torture->files = NULL;
    torture->file_count = 0;
    int err = molt_volume_mount(&volume, &torture->nor->flash, &torture->fs, 0, false);
    return err ? err : list_dir(torture, &volume, "", 0);
}

bool torture_files_match(const torture_t *torture) {
    molt_volume_t volume;
    if (molt_volume_mount(&volume, &torture->nor->flash, &torture->fs, 0, false) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < torture->file_count; i++) {
        const torture_file_t *file = &torture->files[i];
        uint32_t size;
        uint32_t crc;
        if (file_crc(&volume, file->path, &size, &crc) != 0 || size != file->size || crc != file->crc) {
            return false;
        }
    }
    return true;
}

// Files until there is no room for another one.
static int fill_volume(molt_volume_t *volume) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    uint8_t bytes[4096];
    memset(bytes, 0x5a, sizeof bytes);
    for (uint32_t i = 0;; i++) {
        struct lfs2_file_config config = { .buffer = cache };
        lfs2_file_t file;
        char path[32];
        snprintf(path, sizeof path, "log%u", i);
        int err = lfs2_file_opencfg(&volume->lfs, &file, path, LFS2_O_WRONLY | LFS2_O_CREAT, &config);
        lfs2_ssize_t written = 0;
        for (int n = 0; !err && written >= 0 && n < 16; n++) {
            written = lfs2_file_write(&volume->lfs, &file, bytes, sizeof bytes);
        }
        if (!err) {
            err = lfs2_file_close(&volume->lfs, &file);
        }
        if (err || written < 0) {
            return err == LFS2_ERR_NOSPC || written == LFS2_ERR_NOSPC ? 0 : err ? err : (int)written;
        }
    }
}

int torture_files_reuse(torture_t *torture) {
    sim_nor_t *nor = torture->nor;
    molt_volume_t volume;
    void (*watch)(void *, char, uint32_t, const void *, uint32_t) = nor->watch;
    nor->watch = NULL;
    int err = torture->options.erase_all ? molt_volume_format(&volume, &nor->flash, &torture->fs, nor->flash.geometry.sector_size)
                                         : molt_volume_mount(&volume, &nor->flash, &torture->fs, 0, true);
    if (!err && !torture->options.erase_all) {
        err = lfs2_remove(&volume.lfs, torture->path);
    }
    if (!err) {
        err = fill_volume(&volume);
        molt_volume_unmount(&volume);
    }
    nor->watch = watch;
    return err;
}
