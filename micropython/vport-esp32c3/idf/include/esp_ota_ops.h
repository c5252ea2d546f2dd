// Which program runs, and which is started next.
#ifndef VPORT_ESP_OTA_OPS_H
#define VPORT_ESP_OTA_OPS_H

#include "esp_app_desc.h"
#include "esp_partition.h"

const esp_partition_t *esp_ota_get_running_partition(void);
const esp_partition_t *esp_ota_get_boot_partition(void);
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from);
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *part);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);

#endif
