// The inside of molt_upgrade.h: what its files share.
#ifndef MOLT_UPGRADE_PARTS_H
#define MOLT_UPGRADE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "molt_idf.h"
#include "molt_lfs.h"
#include "molt_upgrade.h"

#define HEAD_NAME "molt.head"

// Bytes of the buffer through which flash is read.
#define WORK_SIZE 512u

// Bytes by which a file is known again. The digest that ESP-IDF puts into an app's description is among them.
#define START_SIZE 512u

// All that a call needs, on the heap.
typedef struct work {
    molt_flash_t flash;
    molt_idf_way_t way;
    molt_target_t target;
    molt_job_memory_t memory;
    molt_job_t *job;
    const molt_upgrade_options_t *options;
    molt_volume_t volume;
    molt_lfs_source_t source, head;
    molt_lfs_reader_t reader;
    int fd;          // the image file's, through the VFS; -1 for none
    size_t root;     // characters of its path that name its filesystem
    uint32_t shown;  // in which the idle task was let run last
    bool is_ended;   // by the progress function
    void *unpack, *window;
    uint32_t start[2][START_SIZE / 4];
    uint32_t buffer[WORK_SIZE / 4];
    uint32_t sector[4096 / 4];
} work_t;

// `text` is what is wrong; molt_upgrade_text() has it. Returns `code`.
esp_err_t molt_upgrade_fail(esp_err_t code, const char *text);

// The code for an error of molt's; and for one of work->job, with its sentence and numbers.
esp_err_t molt_upgrade_code(int err);
esp_err_t molt_upgrade_fail_job(work_t *work, int err);

// Write what the loader may need into the root of the image file's filesystem, the job told where it lies: work->head. Returns ESP_OK, or
// the code of what was said.
esp_err_t molt_upgrade_save(work_t *work, const char *path);

// Open the image file, and find it on a littlefs: work->source, work->fd, work->root. Returns ESP_OK, or the code of what was said.
esp_err_t molt_upgrade_open_file(work_t *work, const char *path);

#endif
