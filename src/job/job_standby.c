// What is different about a job in standby mode: its plan has a sector of its own; and that of what a trial falls back on is not there,
// where that of the firmware on trial is, but in a file.

#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "job/job_parts.h"
#include "molt/error.h"
#include "molt/status.h"
#include "standby/standby.h"

int job_trial_check(molt_job_t *job) {
    const molt_job_options_t *options = &job->config.options;
    molt_status_t status;
    int err = molt_status_read(job->config.target, job->config.flash, NULL, job->config.sector, &status);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    if (status.is_on_trial) {
        return job_trouble(job, MOLT_JOB_TROUBLE_TRIAL, MOLT_ERR_BUSY);
    }
    bool is_trial = options->is_on_trial || options->is_fallback;
    if (is_trial && job->is_delta) {
        return job_trouble(job, MOLT_JOB_TROUBLE_DELTA_TRIAL, MOLT_ERR_NOTSUP);
    }
    bool has_trials = molt_standby_has_trials(job->config.target, job->config.flash);
    return is_trial && !has_trials ? job_trouble(job, MOLT_JOB_TROUBLE_NO_TRIALS, MOLT_ERR_NOTSUP) : 0;
}

int job_trial_bytes(molt_job_t *job, uint8_t *buf) {
    const molt_flash_t *flash = job->config.flash;
    molt_saved_t saved;
    int err = molt_standby_read_saved(flash, job->config.target, buf, &saved);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    // The report is of the upgrade that came before.
    saved.report_addr = 0;
    if (!job->is_gzip) {
        saved.extension_addr = saved.extension_size = saved.extension_crc = 0;
    }
    err = molt_plan_set_saved(&job->plan, &saved, &job->refusal);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_REFUSED, err);
    }
    molt_plan_finish(&job->plan);
    memcpy(buf, job->plan.sector, molt_sector_size(&flash->geometry));
    return 0;
}

int job_trial_set(molt_job_t *job, uint32_t addr) {
    // The boot loader writes there, so that nobody else's sector may be it.
    molt_saved_t saved = job->plan.saved;
    saved.head_addr = addr;
    if (addr % molt_sector_size(&job->config.flash->geometry) != 0 || !molt_plan_is_apart(&job->plan, &saved)) {
        return job_trouble(job, MOLT_JOB_TROUBLE_SAVED, MOLT_ERR_CORRUPT);
    }
    job->back_addr = addr;
    return 0;
}

int job_trial_store(molt_job_t *job) {
    uint32_t size = molt_sector_size(&job->config.flash->geometry);
    // From the extents on: what stands before is programmed while the plan is carried out.
    uint32_t off = job->plan.extents_off;
    if (job->back_addr == 0) {
        job->stage = MOLT_JOB_PLANNED;
        return MOLT_ERR_INVAL;
    }
    uint32_t crc = molt_crc32(0, job->plan.sector + off, size - off);
    int err = molt_standby_store_back(job->config.flash, job->config.target, job->back_addr, off, crc);
    job->stage = err ? MOLT_JOB_OPEN : MOLT_JOB_STORED;
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}

int job_standby_store(molt_job_t *job) {
    int err = molt_standby_store(job->config.flash, job->config.target, &job->plan);
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}

int job_standby_commit(molt_job_t *job, uint32_t trial_starts) {
    int err = 0;
    // Either job of a trial can be the one that commits it.
    bool is_trial = job->config.options.is_fallback || job->config.options.is_on_trial;
    if (is_trial != (trial_starts != 0) || trial_starts > MOLT_TRIAL_STARTS_MAX) {
        return MOLT_ERR_INVAL;
    }
    if (trial_starts) {
        err = molt_standby_store_starts(job->config.flash, job->config.target, trial_starts);
    }
    err = err ? err : molt_standby_commit(job->config.flash, job->config.target, job->config.sector);
    return err ? job_trouble(job, err == MOLT_ERR_CORRUPT ? MOLT_JOB_TROUBLE_STANDBY : MOLT_JOB_TROUBLE_FLASH, err) : 0;
}
