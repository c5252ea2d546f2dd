// An upgrade through ESP-IDF: the partitions, the VFS and the heap are its own, everything else is molt's door.

#include "molt_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esp_littlefs.h"
#include "esp_partition.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "molt_idf.h"
#include "molt_lfs.h"

#define HEAD_NAME "molt.head"

// Bytes of the buffer through which flash is read.
#define WORK_SIZE 512u

// Bytes by which a file is known again. The digest that ESP-IDF puts into an app's description is among them.
#define START_SIZE 512u

// A gzip file's window: as large as there is memory for.
#define WINDOW_MAX 32768u
#define WINDOW_MIN 1024u

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

static char last_text[200];

const char *molt_upgrade_text(void) {
    return last_text;
}

// `text` is what is wrong.
static esp_err_t fail(esp_err_t code, const char *text) {
    snprintf(last_text, sizeof last_text, "%s", text);
    return code;
}

static esp_err_t fail_prepared(void) {
    return fail(
        ESP_ERR_MOLT_PREPARED, "an upgrade is prepared already; a reset carries it out, molt_upgrade_cancel() takes it back");
}

static esp_err_t code_of(int err) {
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

static esp_err_t fail_job(work_t *work, int err) {
    if (work->is_ended) {
        return fail(ESP_ERR_NOT_FINISHED, "the progress function has ended the call");
    }
    uint32_t need, limit;
    char numbers[32] = "";
    if (molt_job_numbers(work->job, &need, &limit)) {
        snprintf(numbers, sizeof numbers, " (0x%x against 0x%x)", (unsigned)need, (unsigned)limit);
    }
    snprintf(last_text, sizeof last_text, "%s%s", molt_job_text(work->job, err), numbers);
    return code_of(err);
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
        return fail(ESP_ERR_NOT_SUPPORTED, work->way.obstacle);
    }
    bool is_missing = !work->way.has_slots && (err == MOLT_ERR_NOENT || err == MOLT_ERR_CORRUPT);
    bool is_status_enough = need != NEED_JOB && molt_idf_has_status(err, &work->way);
    if (err && !is_missing && !is_status_enough) {
        return fail(err == MOLT_ERR_NOTSUP ? ESP_ERR_NOT_SUPPORTED : ESP_FAIL, molt_idf_text(&work->way));
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
        *code = fail(ESP_ERR_NO_MEM, "there is not enough memory; free 8 KB of the heap, in one piece");
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
        code = fail(ESP_ERR_NOT_SUPPORTED, molt_standby_text(&work->way.standby));
    } else if (err && err != MOLT_ERR_EXIST) {
        code = fail(code_of(err), "flash cannot be written; call molt_upgrade_install() again");
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
        code = fail(ESP_ERR_MOLT_NOT_INSTALLED, "the standby loader is not installed");
    } else if (err == MOLT_ERR_BUSY) {
        code = fail_prepared();
    } else if (err) {
        code = fail(code_of(err), "flash cannot be written; call molt_upgrade_uninstall() again");
    }
    end(work);
    return code;
}

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
            return fail(ESP_ERR_INVALID_STATE,
                "another mounted littlefs has such a file as well: say by partition_label which partition it is on, or remove one");
        }
        found = is_here ? partition : found;
    }
    const char *name = found && mount(work, found) == 0 ? name_on_volume(work, path, size) : NULL;
    if (name == NULL) {
        return fail(ESP_ERR_NOT_SUPPORTED,
            "the file is not on a littlefs in an unencrypted partition of this device; copy it to one that is mounted by "
            "esp_vfs_littlefs_register(), and close it");
    }
    work->root = (size_t)(name - 1 - path);
    work->source.source.file = (molt_reader_t){ work, size, read_vfs };
    return ESP_OK;
}

static esp_err_t open_file(work_t *work, const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return fail(ESP_ERR_NOT_FOUND, "there is no such file");
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(ESP_ERR_NOT_SUPPORTED, "this is a directory; name the image file in it");
    }
    work->fd = open(path, O_RDONLY);
    if (work->fd < 0) {
        return fail(ESP_FAIL, "the file cannot be opened");
    }
    esp_err_t code = find_volume(work, path, (uint32_t)info.st_size);
    if (code == ESP_OK && strcmp(path + work->root + 1, HEAD_NAME) == 0) {
        code = fail(ESP_ERR_INVALID_ARG, "the present first sector is saved in a file of that name; rename the image");
    }
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
    *code = *code == ESP_OK ? open_file(work, path) : *code;
    if (*code == ESP_OK) {
        int err = molt_job_open(work->job, &work->source.source);
        if (err && molt_job_needs_window(work->job) && allocate_window(work)) {
            err = molt_job_open(work->job, &work->source.source);
        }
        err = err ? err : molt_job_plan(work->job);
        *code = err ? fail_job(work, err) : ESP_OK;
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

static bool write_pieces(work_t *work, int fd) {
    uint32_t size = molt_job_head_size(work->job);
    for (uint32_t off = 0; off < size; off += WORK_SIZE) {
        uint32_t piece_size = size - off < WORK_SIZE ? size - off : WORK_SIZE;
        if (molt_job_head_bytes(work->job, off, (uint8_t *)work->start[0], piece_size) != 0
            || write(fd, work->start[0], piece_size) != (ssize_t)piece_size) {
            return false;
        }
    }
    return true;
}

// What the loader may need, into the root of the image file's filesystem; then where it lies.
static esp_err_t save_head(work_t *work, const char *path) {
    char *name = malloc(work->root + sizeof "/" HEAD_NAME);
    if (name == NULL) {
        return fail(ESP_ERR_NO_MEM, "there is not enough memory");
    }
    memcpy(name, path, work->root);
    memcpy(name + work->root, "/" HEAD_NAME, sizeof "/" HEAD_NAME);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool is_written = fd >= 0 && write_pieces(work, fd);
    is_written = (fd < 0 || close(fd) == 0) && is_written;
    if (!is_written && fd >= 0) {
        unlink(name);
    }
    free(name);
    if (!is_written) {
        return fail(ESP_FAIL, HEAD_NAME " cannot be written: there has to be room for three blocks beside the image file");
    }
    // Written through another littlefs: this one looks again.
    molt_region_t region = work->volume.region;
    uint32_t block_size = work->volume.config.block_size;
    molt_volume_unmount(&work->volume);
    int err = molt_volume_mount(&work->volume, &work->flash, &region, block_size, false);
    err = err ? err : molt_lfs_source_open(&work->head, NULL, &work->volume, HEAD_NAME);
    return err ? fail(code_of(err), molt_lfs_source_text(err)) : ESP_OK;
}

static esp_err_t store_and_commit(work_t *work, const char *path) {
    bool on_trial = work->options && work->options->on_trial;
    if (on_trial && !work->way.has_slots) {
        return fail(ESP_ERR_NOT_SUPPORTED, "trials want OTA slots in the partition table");
    }
    bool has_head = molt_job_head_size(work->job) > 0;
    esp_err_t code = has_head ? save_head(work, path) : ESP_OK;
    if (code != ESP_OK) {
        return code;
    }
    int err = molt_job_store(work->job, has_head ? &work->head.source : NULL);
    err = err ? err : molt_job_commit(work->job, on_trial ? 1 : 0);
    return err ? fail_job(work, err) : ESP_OK;
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
        code = fail(ESP_ERR_MOLT_IN_PLACE, "this firmware is in place already; nothing is written");
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
        code = fail(code_of(err), "flash cannot be read");
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
    int err = work->way.has_slots ? molt_slots_confirm(&work->target, &work->flash)
                                  : molt_standby_confirm(&work->target, &work->flash, (uint8_t *)work->sector);
    if (err == MOLT_ERR_NOENT) {
        code = fail(ESP_ERR_NOT_FOUND, "this firmware is not on trial");
    } else if (err) {
        code = fail(code_of(err), "flash cannot be written; call molt_upgrade_confirm() again");
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
        code = fail(ESP_ERR_NOT_FOUND, "no upgrade is prepared");
    } else if (err) {
        code = fail(code_of(err), "flash cannot be written; the upgrade stays prepared");
    }
    end(work);
    return code;
}
