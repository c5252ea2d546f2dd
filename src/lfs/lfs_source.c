// A file on littlefs, for a job.

#include "lfs/molt_lfs.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "molt/error.h"

static int read_file(void *ctx, uint32_t off, void *buf, uint32_t size) {
    molt_lfs_reader_t *reader = ctx;
    lfs2_soff_t at = lfs2_file_seek(reader->lfs, &reader->file, (lfs2_soff_t)off, LFS2_SEEK_SET);
    if (at < 0) {
        return (int)at;
    }
    lfs2_ssize_t count = lfs2_file_read(reader->lfs, &reader->file, buf, size);
    if (count < 0) {
        return (int)count;
    }
    return (uint32_t)count == size ? 0 : MOLT_ERR_CORRUPT;
}

static int walk(void *ctx, molt_emit_t *emit, void *emit_ctx) {
    return molt_extents_walk(ctx, emit, emit_ctx);
}

int molt_lfs_source_open(molt_lfs_source_t *source, molt_lfs_reader_t *reader, molt_volume_t *volume, const char *path) {
    molt_extents_t *extents = &source->extents;
    int err = molt_extents_open(extents, volume, path);
    if (err) {
        return err;
    }
    source->source = (molt_source_t){
        .file = { reader, extents->file_size, read_file },
        .block_size = extents->block_size,
        .sector_count = molt_extents_sector_count(extents, molt_sector_size(&volume->flash->geometry)),
        .fs = volume->region,
        .walk = walk,
        .ctx = extents,
    };
    if (reader == NULL) {
        return 0;
    }
    reader->config = (struct lfs2_file_config){ .buffer = reader->cache };
    reader->lfs = &volume->lfs;
    return lfs2_file_opencfg(&volume->lfs, &reader->file, path, LFS2_O_RDONLY, &reader->config);
}

void molt_lfs_source_close(molt_lfs_reader_t *reader) {
    (void)lfs2_file_close(reader->lfs, &reader->file);
}

const char *molt_lfs_source_text(int err) {
    switch (err) {
        case MOLT_ERR_NOENT:
            return "there is no such file on the device's littlefs";
        case MOLT_ERR_ISDIR:
            return "this is a directory; name the image file in it";
        case LFS2_ERR_NOTDIR:
            return "a part of the path is a file, not a directory";
        case MOLT_ERR_NOTSUP:
            return "the file is so small that littlefs keeps it inside its directory; it cannot be a firmware";
        case MOLT_ERR_CORRUPT:
            return "the filesystem is damaged where the file is; copy the file again";
        default:
            return "the file cannot be read; copy it again";
    }
}

int molt_lfs_write_head(const molt_job_t *job, lfs2_t *lfs, const char *path, const struct lfs2_file_config *config) {
    uint32_t piece[64];
    uint32_t size = molt_job_head_size(job);
    lfs2_file_t file;
    if (size == 0) {
        return 0;
    }
    int flags = LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC;
    int err = lfs2_file_opencfg(lfs, &file, path, flags, config);
    if (err) {
        return err;
    }
    for (uint32_t off = 0; !err && off < size; off += sizeof piece) {
        uint32_t piece_size = min_u32(sizeof piece, size - off);
        err = molt_job_head_bytes(job, off, (uint8_t *)piece, piece_size);
        if (!err) {
            lfs2_ssize_t written = lfs2_file_write(lfs, &file, piece, piece_size);
            err = written < 0 ? (int)written : 0;
        }
    }
    int close_err = lfs2_file_close(lfs, &file);
    return err ? err : close_err;
}

int molt_lfs_write_stash(molt_job_t *job, uint32_t index, lfs2_t *lfs, const char *path, const struct lfs2_file_config *config,
    uint8_t *buf, uint32_t size) {
    lfs2_file_t file;
    int err = molt_job_stash_bytes(job, index, buf);
    err = err ? err : lfs2_file_opencfg(lfs, &file, path, LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC, config);
    if (err) {
        return err;
    }
    lfs2_ssize_t written = lfs2_file_write(lfs, &file, buf, size);
    int close_err = lfs2_file_close(lfs, &file);
    return written < 0 ? (int)written : close_err;
}
