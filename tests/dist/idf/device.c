// A device for the component of ESP-IDF: what that calls, over a dump of a flash chip. check drives it.
//
// usage: device DUMP [NAME=NUMBER ...] [install | uninstall | status | confirm | cancel | main | check PATH | upgrade PATH | put FILE PATH]
//
// The dump is read, the partitions of its table that are called littlefs and other are mounted at /littlefs and /other, the call is
// made, and the dump is written. Printed is the code of the call, what it has told, and the sentence. Paths that are mounted by
// nobody are the host's. The names: encrypted, secure, revision (eFuses), running (address of the running partition), heap (largest
// piece of memory that can be had), labelled (the options name the partition "other"), trial (they say on_trial), stop (the progress function ends the call there), cut (the power fails in that flash operation,
// from 1 on; seed: how it is torn).
//
// As ESP-IDF does, a write below the first partition or into the running firmware ends the run, unless that protection is off.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esp_flash.h"
#include "esp_flash_encrypt.h"
#include "esp_flash_internal.h"
#include "esp_littlefs.h"
#include "esp_ota_ops.h"
#include "esp_secure_boot.h"
#include "esp_system.h"
#include "freertos/task.h"
#include "hal/efuse_hal.h"
#include "molt_upgrade.h"
#include "mounted.h"

#define CHIP_MAX 0x400000u
#define TABLE 0x8000u
#define SECTOR 4096u
#define FIRST_PARTITION 0x9000u
#define STATUS_CUT 3
#define STATUS_ABORT 4

static const char *dump_path;
static uint8_t chip[CHIP_MAX];
static uint32_t chip_size;
static bool is_guarded = true;
static uint32_t op_count, delay_count, told_count;

static struct {
    const char *name;
    uint32_t value;
} settings[] = { { "encrypted", 0 }, { "secure", 0 }, { "revision", 3 }, { "running", 0x10000 }, { "heap", UINT32_MAX },
    { "stop", 0 }, { "cut", 0 }, { "seed", 1 }, { "labelled", 0 }, { "trial", 0 } };

static uint32_t setting(const char *name) {
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return settings[i].value;
        }
    }
    abort();
}

static _Noreturn void leave(int status) {
    if (status == 0 && !is_guarded) {
        printf("abort: the protection against dangerous writes was left off\n");
        status = STATUS_ABORT;
    }
    FILE *f = fopen(dump_path, "wb");
    if (f == NULL || fwrite(chip, 1, chip_size, f) != chip_size || fclose(f) != 0) {
        status = 1;
    }
    fflush(NULL);
    _exit(status);
}

// ---- flash

esp_flash_t *esp_flash_default_chip;

static uint32_t next_random(void) {
    static uint32_t state;
    state = state ? state : setting("seed") * 2654435761u | 1;
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

// One program or erase: bytes from `after`, 0xff where that is NULL.
static esp_err_t change(uint32_t addr, const uint8_t *after, uint32_t size) {
    uint32_t running = setting("running");
    if (addr > chip_size || size > chip_size - addr) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_partition_t *app = esp_ota_get_running_partition();
    if (is_guarded && (addr < FIRST_PARTITION || (app && addr < running + app->size && addr + size > running))) {
        printf("abort: a dangerous write at 0x%x\n", (unsigned)addr);
        leave(STATUS_ABORT);
    }
    bool is_cut = ++op_count == setting("cut");
    for (uint32_t i = 0; i < size; i++) {
        uint8_t wanted = after ? chip[addr + i] & after[i] : 0xff;
        uint8_t torn = is_cut ? (uint8_t)next_random() : 0;
        chip[addr + i] = (uint8_t)((chip[addr + i] & torn) | (wanted & ~torn));
    }
    if (is_cut) {
        leave(STATUS_CUT);
    }
    return ESP_OK;
}

esp_err_t esp_flash_read(esp_flash_t *which, void *buffer, uint32_t addr, uint32_t size) {
    (void)which;
    if (addr > chip_size || size > chip_size - addr) {
        return ESP_ERR_INVALID_ARG;
    }
    memcpy(buffer, chip + addr, size);
    return ESP_OK;
}

esp_err_t esp_flash_write(esp_flash_t *which, const void *buffer, uint32_t addr, uint32_t size) {
    (void)which;
    return change(addr, buffer, size);
}

esp_err_t esp_flash_erase_region(esp_flash_t *which, uint32_t addr, uint32_t size) {
    (void)which;
    return addr % SECTOR || size % SECTOR ? ESP_ERR_INVALID_ARG : change(addr, NULL, size);
}

esp_err_t esp_flash_get_size(esp_flash_t *which, uint32_t *size) {
    (void)which;
    *size = chip_size;
    return ESP_OK;
}

esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *which, const bool protect) {
    (void)which;
    is_guarded = protect;
    return ESP_OK;
}

// ---- partitions: up to the MD5 row

static esp_partition_t partitions[16];
static size_t partition_count;

struct esp_partition_iterator_opaque_ {
    size_t next;
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
};

static void load_table(void) {
    for (const uint8_t *row = chip + TABLE; row[0] == 0xaa && row[1] == 0x50 && partition_count < 16; row += 32) {
        esp_partition_t *part = &partitions[partition_count++];
        part->type = (esp_partition_type_t)row[2];
        part->subtype = (esp_partition_subtype_t)row[3];
        memcpy(&part->address, row + 4, 4);
        memcpy(&part->size, row + 8, 4);
        memcpy(part->label, row + 12, 16);
        part->encrypted = row[28] & 1;
    }
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t it) {
    for (; it->next < partition_count; it->next++) {
        const esp_partition_t *part = &partitions[it->next];
        if (part->type == it->type && (it->subtype == ESP_PARTITION_SUBTYPE_ANY || part->subtype == it->subtype)) {
            it->next++;
            return it;
        }
    }
    free(it);
    return NULL;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label) {
    (void)label;
    static const struct esp_partition_iterator_opaque_ none;
    esp_partition_iterator_t it = malloc(sizeof *it);
    *it = none;
    it->type = type;
    it->subtype = subtype;
    return esp_partition_next(it);
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t it) {
    return &partitions[it->next - 1];
}

void esp_partition_iterator_release(esp_partition_iterator_t it) {
    free(it);
}

const esp_partition_t *esp_ota_get_running_partition(void) {
    for (size_t i = 0; i < partition_count; i++) {
        if (partitions[i].type == ESP_PARTITION_TYPE_APP && partitions[i].address == setting("running")) {
            return &partitions[i];
        }
    }
    return NULL;
}

// ---- eFuses, tasks

bool esp_flash_encryption_enabled(void) {
    return setting("encrypted");
}

bool esp_secure_boot_enabled(void) {
    return setting("secure");
}

uint32_t efuse_hal_chip_revision(void) {
    return setting("revision");
}

void vTaskDelay(const TickType_t ticks) {
    delay_count += ticks;
}

void esp_restart(void) {
    printf("restart\n");
    leave(0);
}

// ---- the VFS. The linker has all calls of these names come here (--wrap).

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_read(int fd, void *buf, size_t size);
off_t __real_lseek(int fd, off_t off, int whence);
int __real_stat(const char *path, struct stat *info);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);

int __wrap_open(const char *path, int flags, ...) {
    return mounted_has(path) ? mounted_open(path, flags) : __real_open(path, flags, 0);
}

int __wrap_close(int fd) {
    return fd >= MOUNTED_FD ? mounted_close(fd) : __real_close(fd);
}

ssize_t __wrap_read(int fd, void *buf, size_t size) {
    return fd >= MOUNTED_FD ? mounted_read(fd, buf, size) : __real_read(fd, buf, size);
}

ssize_t __wrap_write(int fd, const void *buf, size_t size) {
    return mounted_write(fd, buf, size);
}

off_t __wrap_lseek(int fd, off_t off, int whence) {
    return fd >= MOUNTED_FD ? mounted_seek(fd, off) : __real_lseek(fd, off, whence);
}

int __wrap_stat(const char *path, struct stat *info) {
    return mounted_has(path) ? mounted_stat(path, info) : __real_stat(path, info);
}

int __wrap_access(const char *path, int mode) {
    struct stat info;
    (void)mode;
    return __wrap_stat(path, &info);
}

int __wrap_unlink(const char *path) {
    return mounted_unlink(path);
}

void *__wrap_malloc(size_t size) {
    return size > setting("heap") ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return count * size > setting("heap") ? NULL : __real_calloc(count, size);
}

// ---- what is asked for

void app_main(void);

static int on_progress(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total) {
    (void)ctx;
    (void)phase;
    if (done > total) {
        abort();
    }
    return ++told_count == setting("stop") ? MOLT_ERR_BUSY : 0;
}

static esp_err_t put(const char *from, const char *path) {
    static uint8_t bytes[CHIP_MAX];
    FILE *f = fopen(from, "rb");
    size_t size = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    mounted_make_folders(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    return fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0 ? ESP_OK : ESP_FAIL;
}

static esp_err_t call(char **words) {
    const molt_upgrade_options_t options = {
        .progress = on_progress, .partition_label = setting("labelled") ? "other" : NULL, .on_trial = setting("trial") != 0
    };
    molt_job_facts_t facts = { 0 };
    molt_status_t status;
    esp_err_t code = ESP_ERR_INVALID_ARG;
    if (strcmp(words[0], "install") == 0) {
        code = molt_upgrade_install();
    } else if (strcmp(words[0], "uninstall") == 0) {
        code = molt_upgrade_uninstall();
    } else if (strcmp(words[0], "cancel") == 0) {
        code = molt_upgrade_cancel();
    } else if (strcmp(words[0], "confirm") == 0) {
        code = molt_upgrade_confirm();
    } else if (strcmp(words[0], "status") == 0) {
        code = molt_upgrade_status(&status);
        printf("outcome %d prepared %d\n", status.outcome, status.is_prepared);
    } else if (strcmp(words[0], "check") == 0) {
        code = molt_upgrade_check(words[1], &options, &facts);
        printf("size %u sectors %u programs %u gzip %d in place %d\n", (unsigned)facts.image_size, (unsigned)facts.sector_count,
            (unsigned)facts.program_count, facts.is_gzip, facts.is_in_place);
    } else if (strcmp(words[0], "upgrade") == 0) {
        code = molt_upgrade_from_file(words[1], &options);
        printf("told %u rested %u\n", (unsigned)told_count, (unsigned)delay_count);
    } else if (strcmp(words[0], "put") == 0) {
        code = put(words[1], words[2]);
    }
    return code;
}

int main(int argc, char **argv) {
    (void)argc;
    dump_path = argv[1];
    FILE *f = fopen(dump_path, "rb");
    chip_size = f ? (uint32_t)fread(chip, 1, sizeof chip, f) : 0;
    char **words = argv + 2;
    for (char *equals; *words && (equals = strchr(*words, '=')) != NULL && **words != '/'; words++) {
        for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
            if (strncmp(*words, settings[i].name, (size_t)(equals - *words)) == 0) {
                settings[i].value = (uint32_t)strtoul(equals + 1, NULL, 0);
            }
        }
    }
    if (!*words) {
        return 1;
    }
    load_table();
    if (strcmp(words[0], "main") == 0) {
        app_main();
        leave(0);
    }
    static const char *const labels[][2] = { { "littlefs", "/littlefs" }, { "other", "/other" } };
    uint32_t heap = settings[4].value, cut = settings[6].value;
    settings[4].value = UINT32_MAX;
    settings[6].value = 0;
    for (int i = 0; i < 2; i++) {
        const esp_vfs_littlefs_conf_t conf = {
            .base_path = labels[i][1], .partition_label = labels[i][0], .format_if_mount_failed = true
        };
        (void)esp_vfs_littlefs_register(&conf);
    }
    op_count = 0;
    settings[4].value = heap;
    settings[6].value = cut;
    esp_err_t code = call(words);
    printf("code 0x%x ops %u\n%s\n", (unsigned)code, (unsigned)op_count, molt_upgrade_text());
    leave(0);
}
