// Volumes of littlefs over the partitions of ESP-IDF, with a few files.

#include "mounted.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "esp_littlefs.h"
#include "lfs.h"

#define SECTOR 4096u

typedef struct mount {
    const esp_partition_t *part;
    char base[16];
    struct lfs_config config;
    lfs_t lfs;
} mount_t;

static mount_t mounts[2];
static struct {
    mount_t *mount;
    lfs_file_t file;
} files[4];

static int block_read(const struct lfs_config *c, lfs_block_t block, lfs_off_t off, void *buffer, lfs_size_t size) {
    const mount_t *mount = c->context;
    return esp_flash_read(NULL, buffer, mount->part->address + block * SECTOR + off, size) == ESP_OK ? 0 : LFS_ERR_IO;
}

static int block_prog(const struct lfs_config *c, lfs_block_t block, lfs_off_t off, const void *buffer, lfs_size_t size) {
    const mount_t *mount = c->context;
    return esp_flash_write(NULL, buffer, mount->part->address + block * SECTOR + off, size) == ESP_OK ? 0 : LFS_ERR_IO;
}

static int block_erase(const struct lfs_config *c, lfs_block_t block) {
    const mount_t *mount = c->context;
    return esp_flash_erase_region(NULL, mount->part->address + block * SECTOR, SECTOR) == ESP_OK ? 0 : LFS_ERR_IO;
}

static int block_sync(const struct lfs_config *c) {
    (void)c;
    return 0;
}

esp_err_t esp_vfs_littlefs_register(const esp_vfs_littlefs_conf_t *conf) {
    mount_t *mount = mounts[0].part ? &mounts[1] : &mounts[0];
    const esp_partition_t *part = NULL;
    esp_partition_iterator_t i = esp_partition_find(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; i != NULL; i = esp_partition_next(i)) {
        part = strcmp(esp_partition_get(i)->label, conf->partition_label) == 0 ? esp_partition_get(i) : part;
    }
    if (part == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    mount->part = part;
    snprintf(mount->base, sizeof mount->base, "%s", conf->base_path);
    // As its Kconfig has them.
    mount->config = (struct lfs_config){ .context = mount,
        .read = block_read,
        .prog = block_prog,
        .erase = block_erase,
        .sync = block_sync,
        .read_size = 128,
        .prog_size = 128,
        .block_size = SECTOR,
        .block_count = part->size / SECTOR,
        .block_cycles = 512,
        .cache_size = 512,
        .lookahead_size = 128 };
    int err = lfs_mount(&mount->lfs, &mount->config);
    if (err && conf->format_if_mount_failed) {
        err = lfs_format(&mount->lfs, &mount->config);
        err = err ? err : lfs_mount(&mount->lfs, &mount->config);
    }
    return err ? ESP_FAIL : ESP_OK;
}

bool esp_littlefs_partition_mounted(const esp_partition_t *part) {
    return part == mounts[0].part || part == mounts[1].part;
}

// The volume of a path, and the rest of that; NULL for the host's.
static mount_t *mount_of(const char *path, const char **rest) {
    for (mount_t *mount = mounts; mount < mounts + 2; mount++) {
        size_t size = strlen(mount->base);
        if (mount->part && strncmp(path, mount->base, size) == 0 && path[size] == '/') {
            *rest = path + size;
            return mount;
        }
    }
    return NULL;
}

bool mounted_has(const char *path) {
    const char *rest;
    return mount_of(path, &rest) != NULL;
}

int mounted_open(const char *path, int flags) {
    const char *rest;
    mount_t *mount = mount_of(path, &rest);
    int how = (flags & O_WRONLY ? LFS_O_WRONLY : LFS_O_RDONLY) | (flags & O_CREAT ? LFS_O_CREAT : 0)
              | (flags & O_TRUNC ? LFS_O_TRUNC : 0);
    for (int i = 0; i < 4; i++) {
        if (files[i].mount == NULL) {
            if (lfs_file_open(&mount->lfs, &files[i].file, rest, how) != 0) {
                return -1;
            }
            files[i].mount = mount;
            return MOUNTED_FD + i;
        }
    }
    return -1;
}

int mounted_close(int fd) {
    mount_t *mount = files[fd - MOUNTED_FD].mount;
    files[fd - MOUNTED_FD].mount = NULL;
    return lfs_file_close(&mount->lfs, &files[fd - MOUNTED_FD].file);
}

ssize_t mounted_read(int fd, void *buf, size_t size) {
    return lfs_file_read(&files[fd - MOUNTED_FD].mount->lfs, &files[fd - MOUNTED_FD].file, buf, (lfs_size_t)size);
}

ssize_t mounted_write(int fd, const void *buf, size_t size) {
    return lfs_file_write(&files[fd - MOUNTED_FD].mount->lfs, &files[fd - MOUNTED_FD].file, buf, (lfs_size_t)size);
}

off_t mounted_seek(int fd, off_t off) {
    return lfs_file_seek(&files[fd - MOUNTED_FD].mount->lfs, &files[fd - MOUNTED_FD].file, (lfs_soff_t)off, LFS_SEEK_SET);
}

int mounted_stat(const char *path, struct stat *info) {
    const char *rest;
    mount_t *mount = mount_of(path, &rest);
    struct lfs_info found;
    if (lfs_stat(&mount->lfs, rest, &found) != 0) {
        return -1;
    }
    memset(info, 0, sizeof *info);
    info->st_mode = found.type == LFS_TYPE_DIR ? S_IFDIR : S_IFREG;
    info->st_size = (off_t)found.size;
    return 0;
}

int mounted_unlink(const char *path) {
    const char *rest;
    mount_t *mount = mount_of(path, &rest);
    return lfs_remove(&mount->lfs, rest);
}

void mounted_make_folders(const char *path) {
    const char *name;
    mount_t *mount = mount_of(path, &name);
    for (const char *slash = strchr(name + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        char folder[64];
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
        (void)lfs_mkdir(&mount->lfs, folder);
    }
}
