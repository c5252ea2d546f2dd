// molt as a component of ESP-IDF: upgrade from an image file on a littlefs that joltwallet/littlefs has mounted.
//
// A device is made ready once, by molt_upgrade_install(). From then on no power cut of an upgrade can brick it: docs/esp32.md. Where its
// partition table has OTA slots there is nothing to be made ready.
// One task at a time calls these functions. Each needs up to 3 KB of stack.
#ifndef MOLT_UPGRADE_H
#define MOLT_UPGRADE_H

#include "esp_err.h"
#include "molt.h"

#ifdef __cplusplus
extern "C" {
#endif

// Beside the errors of ESP-IDF. molt_upgrade_text() has the sentence for each error.
#define ESP_ERR_MOLT_BASE 0x6d00
#define ESP_ERR_MOLT_NOT_INSTALLED (ESP_ERR_MOLT_BASE + 1)  // molt_upgrade_install() makes the device ready
#define ESP_ERR_MOLT_IN_PLACE (ESP_ERR_MOLT_BASE + 2)       // the image is in flash already: nothing to do
#define ESP_ERR_MOLT_PREPARED (ESP_ERR_MOLT_BASE + 3)       // an upgrade is prepared already

typedef struct molt_upgrade_options {
    bool erase_all;  // erase the filesystem that the file is on, too, at the end; not with OTA slots
    bool on_trial;   // OTA slots: molt_upgrade_confirm() has to be called in the new firmware's first start, or what runs now
                     // starts again; by the boot loader's own rollback (CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE)
    const char *partition_label;  // of that filesystem; NULL: found by the file, which one of the mounted ones has then
    // Told how far the checks are, in bytes; or NULL. Anything but 0 ends the call: ESP_ERR_NOT_FINISHED, and nothing
    // has changed.
    int (*progress)(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total);
    void *progress_ctx;
} molt_upgrade_options_t;

// Put molt's loader into two or three sectors that nobody uses, and its rows behind the partition table's end. Completes what was cut short,
// repairs a damaged loader.
// Returns ESP_OK, also where it is in and whole, or there are OTA slots; or an error; ESP_ERR_NOT_SUPPORTED: this device cannot be made
// ready.
// Power cut: fatal while the last 4 bytes are programmed, some 40 us, once in the device's life. Harmless at any other time.
esp_err_t molt_upgrade_install(void);

// Take the loader's row out again. Power cut: done, or not.
esp_err_t molt_upgrade_uninstall(void);

// Check the image in the file at `path`, as the VFS names it, and what an upgrade would do. Writes nothing.
//   options  or NULL
//   facts    or NULL
esp_err_t molt_upgrade_check(const char *path, const molt_upgrade_options_t *options, molt_job_facts_t *facts);

// Prepare the upgrade from it: on ESP_OK the next reset upgrades, whoever makes it. esp_restart() is the caller's. Until then that file
// and molt.head, which is written beside it into the root of its filesystem, stay as they are. While this works nobody writes on that
// filesystem; the file itself was closed, or synced. It may be a gzip file, made by `molt compress`, or a delta file, for which ten files and
// more are written beside it, molt.stash0 and on, which stay likewise. With OTA slots the image is written here, no file has to stay, and
// none is written.
//   options  or NULL
// Needs 8 KB of heap while it works, in one piece; for a gzip file 3 KB and the window that it was made for, 4 KB by `molt compress`; up
// to 32 KB are taken for that if there are so many. For a delta file 20 KB.
// Power cut: the old firmware boots, or the new one in the end.
esp_err_t molt_upgrade_from_file(const char *path, const molt_upgrade_options_t *options);

// What became of the last upgrade, and whether one is prepared. With OTA slots a program calls this when it starts: it makes firm what the
// boot loader is told, as molt_slots_settle() does.
esp_err_t molt_upgrade_status(molt_status_t *status);

// Keep the firmware that is on trial.
// Returns ESP_OK, ESP_ERR_NOT_FOUND (it is not on trial), or an error. Power cut: kept, or on trial still, or what ran before starts again.
esp_err_t molt_upgrade_confirm(void);

// Take back what is prepared. The next reset, which is due, puts the firmware's first byte back; with OTA slots none is.
// Returns ESP_OK, ESP_ERR_NOT_FOUND (nothing is prepared), or an error. Power cut: taken back, or not.
esp_err_t molt_upgrade_cancel(void);

// The sentence for the error of the last call, with its numbers and without full stop; "" if it returned ESP_OK.
const char *molt_upgrade_text(void);

#ifdef __cplusplus
}
#endif

#endif
