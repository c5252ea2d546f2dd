// An upgrade through ESP-IDF: the partitions, the VFS and the heap are its own, everything else is molt's door.

#include "molt_upgrade.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "molt_upgrade_parts.h"

// A gzip file's window: as large as there is memory for.
#define WINDOW_MAX 32768u
#define WINDOW_MIN 1024u

static char last_text[200];

const char *molt_upgrade_text(void) {
    return last_text;
}

esp_err_t molt_upgrade_fail(esp_err_t code, const char *text) {
    snprintf(last_text, sizeof last_text, "%s", text);
    return code;
}

static esp_err_t fail_prepared(void) {
    return molt_upgrade_fail(
        ESP_ERR_MOLT_PREPARED, "an upgrade is prepared already; a reset carries it out, molt_upgrade_cancel() takes it back");
}

esp_err_t molt_upgrade_code(int err) {
    switch (err) {
        case 0:
            return ESP_OK;
        case MOLT_ERR_NOENT:
            return ESP_ERR_NOT_FOUND;
        case MOLT_ERR_NOTSUP:
        case MOLT_ERR_ISDIR:
            return ESP_ERR_NOT_SUPPORTED;
        case MOLT_ERR_INVAL:
        case MOLT_ERR_NAMETOOLONG:
            return ESP_ERR_INVALID_ARG;
        case MOLT_ERR_BUSY:
        case MOLT_ERR_EXIST:
            return ESP_ERR_INVALID_STATE;
        case MOLT_ERR_FBIG:
        case MOLT_ERR_RANGE:
            return ESP_ERR_INVALID_SIZE;
        case MOLT_ERR_NOSPC:
            return ESP_ERR_NO_MEM;
        case MOLT_ERR_CORRUPT:
            return ESP_ERR_INVALID_CRC;
        default:
            return ESP_FAIL;
    }
}

esp_err_t molt_upgrade_fail_job(work_t *work, int err) {
    if (work->is_ended) {
        return molt_upgrade_fail(ESP_ERR_NOT_FINISHED, "the progress function has ended the call");
    }
    uint32_t need, limit;
    char numbers[32] = "";
    if (molt_job_numbers(work->job, &need, &limit)) {
        snprintf(numbers, sizeof numbers, " (0x%x against 0x%x)", (unsigned)need, (unsigned)limit);
    }
    snprintf(last_text, sizeof last_text, "%s%s", molt_job_text(work->job, err), numbers);
    return molt_upgrade_code(err);
}

// What a call asks of the device. From NEED_STATUS on: without OTA slots the loader is in, and whole.
typedef enum need {
    NEED_FLASH,
    NEED_STATUS,
    NEED_JOB,  // and there is a slot to put an image in
} need_t;

static esp_err_t look_at_device(work_t *work, need_t need) {
    molt_idf_flash(&work->flash);
    int err = molt_idf_find(&work->flash, (uint8_t *)work->sector, &work->way, &work->target);
    if (work->way.obstacle) {
        return molt_upgrade_fail(ESP_ERR_NOT_SUPPORTED, work->way.obstacle);
    }
    bool is_missing = !work->way.has_slots && (err == MOLT_ERR_NOENT || err == MOLT_ERR_CORRUPT);
    bool is_status_enough = need != NEED_JOB && molt_idf_has_status(err, &work->way);
    if (err && !is_missing && !is_status_enough) {
        return molt_upgrade_fail(err == MOLT_ERR_NOTSUP ? ESP_ERR_NOT_SUPPORTED : ESP_FAIL, molt_idf_text(&work->way));
    }
    if (is_missing && need != NEED_FLASH) {
        snprintf(last_text, sizeof last_text, "%s: molt_upgrade_install()", molt_idf_text(&work->way));
        return ESP_ERR_MOLT_NOT_INSTALLED;
    }
    return ESP_OK;
}

static void end(work_t *work) {
    if (work->fd >= 0) {
        close(work->fd);
    }
    free(work->unpack);
    free(work->window);
    free(work);
}

// Memory, and the device. NULL: *code says why.
static work_t *begin(need_t need, esp_err_t *code) {
    last_text[0] = '\0';
    work_t *work = calloc(1, sizeof *work);
    if (work == NULL) {
        *code = molt_upgrade_fail(ESP_ERR_NO_MEM, "there is not enough memory; free 8 KB of the heap, in one piece");
        return NULL;
    }
    work->fd = -1;
    *code = look_at_device(work, need);
    if (*code != ESP_OK) {
        end(work);
        return NULL;
    }
    return work;
}

esp_err_t molt_upgrade_install(void) {
    esp_err_t code;
    work_t *work = begin(NEED_FLASH, &code);
    if (work == NULL) {
        return code;
    }
    int err = work->way.has_slots
                  ? 0
                  : molt_standby_install(&work->flash, molt_idf_chip->standby, (uint8_t *)work->sector, &work->way.standby);
    if (err == MOLT_ERR_BUSY) {
        code = fail_prepared();
    } else if (err == MOLT_ERR_NOTSUP) {
        code = molt_upgrade_fail(ESP_ERR_NOT_SUPPORTED, molt_standby_text(&work->way.standby));
    } else if (err && err != MOLT_ERR_EXIST) {
        code = molt_upgrade_fail(molt_upgrade_code(err), "flash cannot be written; call molt_upgrade_install() again");
    }
    end(work);
    return code;
}

esp_err_t molt_upgrade_uninstall(void) {
    esp_err_t code;
    work_t *work = begin(NEED_FLASH, &code);
    if (work == NULL) {
        return code;
    }
    int err = molt_standby_uninstall(&work->flash, molt_idf_chip->standby, (uint8_t *)work->sector);
    if (err == MOLT_ERR_NOENT) {
        code = molt_upgrade_fail(ESP_ERR_MOLT_NOT_INSTALLED, "the standby loader is not installed");
    } else if (err == MOLT_ERR_BUSY) {
        code = fail_prepared();
    } else if (err) {
        code = molt_upgrade_fail(molt_upgrade_code(err), "flash cannot be written; call molt_upgrade_uninstall() again");
    }
    end(work);
    return code;
}

static int show(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total) {
    work_t *work = ctx;
    // The idle task feeds the task watchdog.
    uint32_t part = (uint32_t)phase * 32 + done / (total / 32 + 1);
    if (part != work->shown) {
        work->shown = part;
        vTaskDelay(1);
    }
    const molt_upgrade_options_t *options = work->options;
    work->is_ended = options && options->progress && options->progress(options->progress_ctx, phase, done, total) != 0;
    return work->is_ended ? MOLT_ERR_BUSY : 0;
}

// For a gzip file: what of the window it needs shows when it is unpacked. A delta file says what it needs.
static bool allocate_window(work_t *work) {
    work->unpack = malloc(molt_job_unpack_size(work->job));
    uint32_t wanted = molt_job_window_size(work->job);
    uint32_t size = wanted ? wanted : WINDOW_MAX;
    if (wanted) {
        work->window = work->unpack ? malloc(wanted) : NULL;
    }
    while (!wanted && work->unpack && size >= WINDOW_MIN && (work->window = malloc(size)) == NULL) {
        size /= 2;
    }
    if (work->window) {
        molt_job_set_window(work->job, work->unpack, work->window, size);
    }
    return work->window != NULL;
}

static int read_status(work_t *work, molt_status_t *status) {
    return molt_status_read(&work->target, &work->flash, NULL, (uint8_t *)work->sector, status);
}

static esp_err_t check_unprepared(work_t *work) {
    molt_status_t status;
    return read_status(work, &status) == 0 && status.is_prepared ? fail_prepared() : ESP_OK;
}

// Everything that writes nothing. NULL: *code says why.
//   is_check  it ends with that
static work_t *plan(const char *path, const molt_upgrade_options_t *options, bool is_check, esp_err_t *code) {
    work_t *work = begin(NEED_JOB, code);
    if (work == NULL) {
        return NULL;
    }
    work->options = options;
    const molt_job_config_t config = {
        .target = &work->target,
        .flash = &work->flash,
        .sector = (uint8_t *)work->sector,
        .work = (uint8_t *)work->buffer,
        .work_size = sizeof work->buffer,
        .progress = show,
        .progress_ctx = work,
        .options = {
            .safe_check = true,
            .erase_all = options && options->erase_all,
            .chip_revision = molt_idf_chip_revision(),
        },
    };
    work->job = molt_job_init(&work->memory, &config);
    *code = is_check ? ESP_OK : check_unprepared(work);
    *code = *code == ESP_OK ? molt_upgrade_open_file(work, path) : *code;
    if (*code == ESP_OK) {
        int err = molt_job_open(work->job, &work->source.source);
        if (err && molt_job_needs_window(work->job) && allocate_window(work)) {
            err = molt_job_open(work->job, &work->source.source);
        }
        err = err ? err : molt_job_plan(work->job);
        *code = err ? molt_upgrade_fail_job(work, err) : ESP_OK;
    }
    if (*code != ESP_OK) {
        end(work);
        return NULL;
    }
    return work;
}

esp_err_t molt_upgrade_check(const char *path, const molt_upgrade_options_t *options, molt_job_facts_t *facts) {
    esp_err_t code;
    work_t *work = plan(path, options, true, &code);
    if (work == NULL) {
        return code;
    }
    if (facts) {
        molt_job_facts(work->job, facts);
    }
    end(work);
    return ESP_OK;
}

static esp_err_t store_and_commit(work_t *work, const char *path) {
    bool on_trial = work->options && work->options->on_trial;
    if (on_trial && !work->way.has_slots) {
        return molt_upgrade_fail(ESP_ERR_NOT_SUPPORTED, "trials want OTA slots in the partition table");
    }
    bool has_head = molt_job_head_size(work->job) > 0;
    esp_err_t code = has_head ? molt_upgrade_save(work, path) : ESP_OK;
    if (code != ESP_OK) {
        return code;
    }
    int err = molt_job_store(work->job, has_head ? &work->head.source : NULL);
    err = err ? err : molt_job_commit(work->job, on_trial ? 1 : 0);
    return err ? molt_upgrade_fail_job(work, err) : ESP_OK;
}

esp_err_t molt_upgrade_from_file(const char *path, const molt_upgrade_options_t *options) {
    esp_err_t code;
    work_t *work = plan(path, options, false, &code);
    if (work == NULL) {
        return code;
    }
    molt_job_facts_t facts;
    molt_job_facts(work->job, &facts);
    if (facts.is_in_place && !(options && options->erase_all)) {
        code = molt_upgrade_fail(ESP_ERR_MOLT_IN_PLACE, "this firmware is in place already; nothing is written");
    } else {
        code = store_and_commit(work, path);
    }
    end(work);
    return code;
}

esp_err_t molt_upgrade_status(molt_status_t *status) {
    esp_err_t code;
    *status = (molt_status_t){ 0 };
    work_t *work = begin(NEED_STATUS, &code);
    if (work == NULL) {
        return code;
    }
    int err = work->way.has_slots ? molt_slots_settle(&work->target, &work->flash) : 0;
    err = err ? err : read_status(work, status);
    if (err) {
        code = molt_upgrade_fail(molt_upgrade_code(err), "flash cannot be read");
    }
    end(work);
    return code;
}

esp_err_t molt_upgrade_confirm(void) {
    esp_err_t code;
    work_t *work = begin(NEED_STATUS, &code);
    if (work == NULL) {
        return code;
    }
    int err = molt_status_confirm(&work->target, &work->flash, (uint8_t *)work->sector);
    if (err == MOLT_ERR_NOENT) {
        code = molt_upgrade_fail(ESP_ERR_NOT_FOUND, "this firmware is not on trial");
    } else if (err) {
        code = molt_upgrade_fail(molt_upgrade_code(err), "flash cannot be written; call molt_upgrade_confirm() again");
    }
    end(work);
    return code;
}

esp_err_t molt_upgrade_cancel(void) {
    esp_err_t code;
    work_t *work = begin(NEED_STATUS, &code);
    if (work == NULL) {
        return code;
    }
    int err = molt_status_cancel(&work->target, &work->flash, (uint8_t *)work->sector);
    if (err == MOLT_ERR_NOENT) {
        code = molt_upgrade_fail(ESP_ERR_NOT_FOUND, "no upgrade is prepared");
    } else if (err) {
        code = molt_upgrade_fail(molt_upgrade_code(err), "flash cannot be written; the upgrade stays prepared");
    }
    end(work);
    return code;
}
