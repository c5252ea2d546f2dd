// Upgrade from /littlefs/firmware.bin when there is one: put it there by whatever means, and restart.

#include <stdio.h>
#include <unistd.h>

#include "esp_littlefs.h"
#include "esp_system.h"
#include "molt_upgrade.h"

#define FIRMWARE "/littlefs/firmware.bin"

static void say_status(void) {
    molt_status_t status;
    if (molt_upgrade_status(&status) == ESP_OK && status.outcome != MOLT_OUTCOME_NONE) {
        printf("the last upgrade %s\n", status.outcome == MOLT_OUTCOME_DONE ? "is done" : "was not carried out");
    }
}

void app_main(void) {
    const esp_vfs_littlefs_conf_t littlefs = {
        .base_path = "/littlefs",
        .partition_label = "littlefs",
        .format_if_mount_failed = true,
    };
    ESP_ERROR_CHECK(esp_vfs_littlefs_register(&littlefs));
    // Once in the device's life: the power must not fail for some 40 us in it.
    if (molt_upgrade_install() != ESP_OK) {
        printf("no upgrades on this device: %s\n", molt_upgrade_text());
        return;
    }
    say_status();
    if (access(FIRMWARE, F_OK) != 0) {
        return;
    }
    switch (molt_upgrade_from_file(FIRMWARE, NULL)) {
        case ESP_OK:
            printf("upgrading\n");
            esp_restart();
        case ESP_ERR_MOLT_IN_PLACE:
            printf("the new firmware runs\n");
            unlink(FIRMWARE);
            break;
        default:
            printf("%s\n", molt_upgrade_text());
    }
}
