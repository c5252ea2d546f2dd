// molt for Arduino on the ESP8266. The flash is the core's (ESP.flashRead and the like), the place of LittleFS its linker script's.

#include "MoltUpgrade.h"

#include <Arduino.h>
#include <flash_hal.h>

#include <memory>

#include "molt_esp8266.h"
#include "molt_lfs.h"

MoltClass Molt;

namespace {

const char head_path[] = "/molt.head";

int flash_read(void *, uint32_t addr, void *buf, uint32_t size) {
    return ESP.flashRead(addr, static_cast<uint32_t *>(buf), size) ? 0 : MOLT_ERR_IO;
}

int flash_prog(void *, uint32_t addr, const void *buf, uint32_t size) {
    // Older cores take no pointer to constants.
    return ESP.flashWrite(addr, const_cast<uint32_t *>(static_cast<const uint32_t *>(buf)), size) ? 0 : MOLT_ERR_IO;
}

int flash_erase(void *, uint32_t addr) {
    return ESP.flashEraseSector(addr / 4096) ? 0 : MOLT_ERR_IO;
}

int flash_erase_block(void *context, uint32_t addr) {
    int err = 0;
    for (uint32_t off = 0; !err && off < 65536; off += 4096) {
        err = flash_erase(context, addr + off);
    }
    return err;
}

int rest(void *, molt_job_phase_t, uint32_t, uint32_t) {
    yield();
    return 0;
}

// All that one upgrade needs, for as long as it is prepared.
struct Work {
    molt_flash_t flash;
    molt_target_t target;
    molt_job_memory_t job;
    molt_volume_t volume;
    molt_lfs_source_t source, head;
    molt_lfs_reader_t reader;
    uint32_t sector[4096 / 4], buffer[512 / 4];
    uint32_t unpack[MOLT_JOB_UNPACK_SIZE / 4];
    uint8_t window[4096];
};

bool write_head(fs::FS &fs, const molt_job_t *job) {
    uint32_t piece[16];
    File file = fs.open(head_path, "w");
    bool is_right = static_cast<bool>(file);
    for (uint32_t off = 0, size = molt_job_head_size(job); is_right && off < size; off += sizeof piece) {
        uint32_t piece_size = size - off < sizeof piece ? size - off : sizeof piece;
        is_right = molt_job_head_bytes(job, off, reinterpret_cast<uint8_t *>(piece), piece_size) == 0
                   && file.write(reinterpret_cast<const uint8_t *>(piece), piece_size) == piece_size;
    }
    file.close();
    return is_right;
}

}

bool MoltClass::upgrade(fs::FS &fs, const char *path) {
    std::unique_ptr<Work> work(new (std::nothrow) Work());
    if (!work) {
        _error = "there is not enough memory; free 14 KB of the heap, in one piece";
        return false;
    }
    work->flash = { nullptr, { ESP.getFlashChipSize(), 4096, 65536, 256 }, flash_read, flash_prog, flash_erase,
        flash_erase_block };
    const molt_region_t region = { FS_PHYS_ADDR, FS_PHYS_SIZE };
    molt_job_config_t config = {};
    // Here there is no memory for a delta file.
    work->target = molt_esp8266;
    work->target.delta.size = 0;
    config.target = &work->target;
    config.flash = &work->flash;
    config.sector = reinterpret_cast<uint8_t *>(work->sector);
    config.work = reinterpret_cast<uint8_t *>(work->buffer);
    config.work_size = sizeof work->buffer;
    config.progress = rest;
    config.options.safe_check = true;
    config.options.fs_addr = region.addr;
    molt_job_t *job = molt_job_init(&work->job, &config);
    molt_job_set_window(job, work->unpack, work->window, sizeof work->window);
    int err = molt_volume_mount(&work->volume, &work->flash, &region, FS_PHYS_BLOCK, false);
    err = err ? err : molt_lfs_source_open(&work->source, &work->reader, &work->volume, path);
    if (err) {
        _error = molt_lfs_source_text(err);
        return false;
    }
    err = molt_job_open(job, &work->source.source);
    molt_lfs_source_close(&work->reader);
    err = err ? err : molt_job_plan(job);
    bool has_head = !err && molt_job_head_size(job) > 0;
    if (has_head && !write_head(fs, job)) {
        _error = "molt.head cannot be written; remove a file: there has to be room for three blocks on LittleFS";
        return false;
    }
    if (has_head) {
        err = molt_volume_mount(&work->volume, &work->flash, &region, FS_PHYS_BLOCK, false);
        err = err ? err : molt_lfs_source_open(&work->head, nullptr, &work->volume, head_path);
    }
    err = err ? err : molt_job_store(job, has_head ? &work->head.source : nullptr);
    err = err ? err : molt_job_commit(job, 0);
    _error = err ? molt_job_text(job, err) : "";
    return err == 0;
}
