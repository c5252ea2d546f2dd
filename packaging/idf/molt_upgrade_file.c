// Which littlefs of ESP-IDF's an image file is on, and where its bytes are in flash.

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esp_littlefs.h"
#include "esp_partition.h"
#include "molt_upgrade_parts.h"

static int mount(work_t *work, const esp_partition_t *partition) {
    molt_region_t region = { partition->address, partition->size };
    uint32_t block_size;
    int err = molt_volume_mount(&work->volume, &work->flash, &region, 0, false);
    // One that was made for a smaller partition says so itself.
    if (err && molt_volume_find(&work->flash, partition->address, &region, &block_size) == 0 && region.size < partition->size) {
        err = molt_volume_mount(&work->volume, &work->flash, &region, block_size, false);
    }
    return err;
}

// The next partition that esp_littlefs has mounted, mounted here for reading as well; NULL behind the last.
//   iterator  NULL at first
static const esp_partition_t *next_volume(work_t *work, esp_partition_iterator_t *iterator) {
    for (;;) {
        *iterator = *iterator ? esp_partition_next(*iterator)
                              : esp_partition_find(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, NULL);
        if (*iterator == NULL) {
            return NULL;
        }
        const esp_partition_t *partition = esp_partition_get(*iterator);
        if (!partition->encrypted && esp_littlefs_partition_mounted(partition) && mount(work, partition) == 0) {
            return partition;
        }
    }
}

// The image file's bytes, as the program itself would read them.
static int read_vfs(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const work_t *work = ctx;
    if (lseek(work->fd, (off_t)off, SEEK_SET) != (off_t)off) {
        return MOLT_ERR_IO;
    }
    for (uint32_t done = 0; done < size;) {
        ssize_t count = read(work->fd, (uint8_t *)buf + done, size - done);
        if (count <= 0) {
            return MOLT_ERR_IO;
        }
        done += (uint32_t)count;
    }
    return 0;
}

// Whether `name` on the volume begins with the bytes of the image file, and is as long.
static bool is_file(work_t *work, const char *name, uint32_t size) {
    if (molt_lfs_source_open(&work->source, NULL, &work->volume, name) != 0 || work->source.source.file.size != size
        || molt_lfs_source_open(&work->source, &work->reader, &work->volume, name) != 0) {
        return false;
    }
    uint32_t start_size = size < START_SIZE ? size : START_SIZE;
    const molt_reader_t *file = &work->source.source.file;
    bool is_same = file->read(file->ctx, 0, work->start[0], start_size) == 0 && read_vfs(work, 0, work->start[1], start_size) == 0
                   && memcmp(work->start[0], work->start[1], start_size) == 0;
    molt_lfs_source_close(&work->reader);
    return is_same;
}

// How the mounted volume calls the image file at `path`: what stands behind one of its slashes. NULL if it does not have it.
static const char *name_on_volume(work_t *work, const char *path, uint32_t size) {
    const char *slash = strchr(path, '/');
    while (slash != NULL && !is_file(work, slash + 1, size)) {
        slash = strchr(slash + 1, '/');
    }
    return slash ? slash + 1 : NULL;
}

// Which volume the image file is on: nobody tells where a filesystem is mounted. What is found here is the source's places in
// flash; its bytes go through the VFS, and the job holds one to the other.
static esp_err_t find_volume(work_t *work, const char *path, uint32_t size) {
    const char *label = work->options ? work->options->partition_label : NULL;
    const esp_partition_t *found = NULL;
    const esp_partition_t *partition;
    esp_partition_iterator_t iterator = NULL;
    while ((partition = next_volume(work, &iterator)) != NULL) {
        bool is_here = (label == NULL || strcmp(label, partition->label) == 0) && name_on_volume(work, path, size) != NULL;
        molt_volume_unmount(&work->volume);
        if (is_here && found != NULL) {
            esp_partition_iterator_release(iterator);
            return molt_upgrade_fail(ESP_ERR_INVALID_STATE,
                "another mounted littlefs has such a file as well: say by partition_label which partition it is on, or remove one");
        }
        found = is_here ? partition : found;
    }
    const char *name = found && mount(work, found) == 0 ? name_on_volume(work, path, size) : NULL;
    if (name == NULL) {
        return molt_upgrade_fail(ESP_ERR_NOT_SUPPORTED,
            "the file is not on a littlefs in an unencrypted partition of this device; copy it to one that is mounted by "
            "esp_vfs_littlefs_register(), and close it");
    }
    work->root = (size_t)(name - 1 - path);
    work->source.source.file = (molt_reader_t){ work, size, read_vfs };
    return ESP_OK;
}

esp_err_t molt_upgrade_open_file(work_t *work, const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return molt_upgrade_fail(ESP_ERR_NOT_FOUND, "there is no such file");
    }
    if (!S_ISREG(info.st_mode)) {
        return molt_upgrade_fail(ESP_ERR_NOT_SUPPORTED, "this is a directory; name the image file in it");
    }
    work->fd = open(path, O_RDONLY);
    if (work->fd < 0) {
        return molt_upgrade_fail(ESP_FAIL, "the file cannot be opened");
    }
    esp_err_t code = find_volume(work, path, (uint32_t)info.st_size);
    if (code == ESP_OK && strcmp(path + work->root + 1, HEAD_NAME) == 0) {
        code = molt_upgrade_fail(
            ESP_ERR_INVALID_ARG, "the present first sector is saved in a file of that name; rename the image");
    }
    return code;
}
