// A chip of the ESP32 family as the module's device, through ESP-IDF.

#include "device.h"

#include "esp_system.h"
#include "frozen.h"
#include "molt/error.h"
#include "molt_idf.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "standby_api.h"
#include "upgrade_obj.h"

void molt_device_flash(molt_flash_t *flash) {
    molt_idf_flash(flash);
}

void molt_device_feed(void) {
    // The port feeds the task watchdog between bytecodes; a job's reads let the idle task run.
    MICROPY_EVENT_POLL_HOOK;
}

void molt_device_restart(void) {
    esp_restart();
}

// The firmware begins, or a soft reset.
void molt_port_init(void) {
    molt_flash_t flash;
    molt_target_t target;
    molt_idf_way_t way;
    molt_frozen_init();
    molt_device_flash(&flash);
    uint8_t *buf = m_new_maybe(uint8_t, MOLT_STANDBY_BUF_SIZE);
    bool has_status = buf && molt_idf_has_status(molt_idf_find(&flash, buf, &way, &target), &way);
    if (has_status && way.has_slots && way.obstacle == NULL) {
        // What fails now the next start does.
        (void)molt_slots_settle(&target, &flash);
    }
    m_del(uint8_t, buf, MOLT_STANDBY_BUF_SIZE);
}

int molt_device_find(molt_idf_way_t *way, molt_target_t *target) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    uint8_t *buf = m_new(uint8_t, MOLT_STANDBY_BUF_SIZE);
    int err = molt_idf_find(&flash, buf, way, target);
    m_del(uint8_t, buf, MOLT_STANDBY_BUF_SIZE);
    return err;
}

void molt_device_check(int err, const molt_idf_way_t *way) {
    if (way->obstacle) {
        molt_raise(MOLT_ERR_NOTSUP, way->obstacle);
    }
    if (!way->has_slots && (err == MOLT_ERR_NOENT || err == MOLT_ERR_CORRUPT)) {
        // Both are OSErrors whose number would say something else.
        vstr_t text;
        vstr_init(&text, 80);
        vstr_printf(&text, "%s: molt.install()", molt_idf_text(way));
        molt_raise(MOLT_ERR_NOTSUP, vstr_null_terminated_str(&text));
    }
    if (err) {
        molt_raise(err, molt_idf_text(way));
    }
}

const molt_target_t *molt_device_target(molt_target_t *memory) {
    molt_idf_way_t way;
    molt_device_check(molt_device_find(&way, memory), &way);
    return memory;
}

void molt_device_note_map(
    molt_job_options_t *options, const molt_region_t *fs, molt_region_t kept[MOLT_DEVICE_KEPT_MAX], bool drop_frozen) {
    (void)fs;
    (void)kept;
    (void)drop_frozen;
    // The app partition is all that an image may take, and says so itself.
    options->chip_revision = molt_idf_chip_revision();
}
