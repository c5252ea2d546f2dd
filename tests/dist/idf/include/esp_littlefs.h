// The part of joltwallet/littlefs's header that molt and its example call: 1.10 and later.
#ifndef STAND_IN_ESP_LITTLEFS_H
#define STAND_IN_ESP_LITTLEFS_H

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"
#include "esp_partition.h"

typedef struct {
    const char *base_path;
    const char *partition_label;
    const esp_partition_t *partition;
    unsigned char format_if_mount_failed : 1;
    unsigned char read_only : 1;
    unsigned char dont_mount : 1;
    unsigned char grow_on_mount : 1;
} esp_vfs_littlefs_conf_t;

esp_err_t esp_vfs_littlefs_register(const esp_vfs_littlefs_conf_t *conf);
bool esp_littlefs_partition_mounted(const esp_partition_t *partition);

#endif
