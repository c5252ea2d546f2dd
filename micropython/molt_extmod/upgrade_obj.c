// _molt.Upgrade: one upgrade from a file on the device's littlefs, step by step. The order of the steps is that of
// molt/job.h; what belongs to MicroPython (writing the head file through its mounted filesystem, printing,
// the reset) is left to molt.py.

#include "upgrade_obj.h"

#include <string.h>

#include "device.h"
#include "job/job_parts.h"
#include "lfs/molt_lfs.h"
#include "molt/error.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

// Bytes of the buffer through which flash is read: with the boot sector and the volume's caches 6 KB in all.
#define WORK_SIZE 512

// Smallest window for unpacking a gzip file, in bytes.
#define WINDOW_MIN 1024u

// Heap that the rest of an upgrade needs beside the object itself: open files, the tuple of results.
#define SPARE_SIZE 2560u

// Where the target is made on the device.
#if MOLT_STANDBY
#define TARGET_MEMORY(self) (&(self)->target)
#else
#define TARGET_MEMORY(self) NULL
#endif

typedef struct upgrade_obj {
    mp_obj_base_t base;
    molt_flash_t flash;
#if MOLT_STANDBY
    molt_target_t target;
#endif
    molt_volume_t volume;
    molt_region_t fs;
    molt_job_t job;
    molt_lfs_source_t source;
    molt_region_t kept[MOLT_DEVICE_KEPT_MAX];
    bool verbose;
    uint8_t shown_phase;
    uint8_t shown_percent;
    uint32_t shown_total;
    mp_obj_t callback;  // progress(phase, done, total), or None
    uint32_t work[WORK_SIZE / 4];
    uint32_t sector[4096 / 4];
} upgrade_obj_t;

MP_NORETURN void molt_raise(int err, const char *sentence) {
    mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(-err), mp_obj_new_str(sentence, strlen(sentence)) };
    nlr_raise(mp_obj_new_exception_args(&mp_type_OSError, 2, args));
}

static MP_NORETURN void raise_trouble(const upgrade_obj_t *self, int err) {
    const molt_job_t *job = &self->job;
    const char *sentence = molt_job_text(job, err);
    vstr_t text;
    vstr_init(&text, 128);
    vstr_add_str(&text, sentence);
    switch (job->trouble) {
        case MOLT_JOB_TROUBLE_REFUSED:
            vstr_printf(&text, " (0x%x against 0x%x)", (unsigned)job->refusal.need, (unsigned)job->refusal.limit);
            break;
        case MOLT_JOB_TROUBLE_IMAGE:
            vstr_printf(&text, " (at byte %u)", (unsigned)job->image.defect_off);
            break;
        case MOLT_JOB_TROUBLE_CHIP:
            vstr_printf(&text, " (%s)", molt_chip_text(job->image.chip));
            break;
        case MOLT_JOB_TROUBLE_SAVED:
            vstr_add_str(&text, "; try again, and if that does not help format it again");
            break;
        case MOLT_JOB_TROUBLE_EXTENTS:
            err = MOLT_ERR_IO;
            break;
#if !MOLT_DELTA
        case MOLT_JOB_TROUBLE_NO_DELTA:
            vstr_reset(&text);
            vstr_add_str(&text, "this firmware is built without delta files (MOLT_DELTA=0); take the image itself");
            break;
#endif
        case MOLT_JOB_TROUBLE_DELTA_OTHER:
            vstr_printf(&text, " (for \"%s\", to \"%s\")", job->delta->patch.header.old_name, job->delta->patch.header.new_name);
            break;
        case MOLT_JOB_TROUBLE_NO_WINDOW:
        case MOLT_JOB_TROUBLE_WINDOW:
            err = -MP_ENOMEM;
            vstr_reset(&text);
            if (job->is_delta) {
                vstr_printf(&text, "this delta file needs %u KB of memory, and there is not so much; free some, or restart first",
                    (unsigned)((molt_job_unpack_size(job) + molt_job_window_size(job)) / 1024 + 1));
                break;
            }
            vstr_printf(&text,
                "unpacking this gzip file takes %u KB of memory in one piece, 4 where `molt compress` made it, and there are %u; free "
                "some, or restart first",
                (unsigned)(MOLT_INFLATE_WINDOW_MAX / 1024), (unsigned)(job->window ? job->window_size / 1024 : 0));
            break;
        default:
            break;
    }
    molt_raise(err, vstr_null_terminated_str(&text));
}

static void call_back(upgrade_obj_t *self, uint32_t done, uint32_t total) {
    static const qstr_short_t names[] = { MP_QSTR_image, MP_QSTR_file, MP_QSTR_compare, MP_QSTR_write };
    if (self->callback != mp_const_none && self->shown_phase < MP_ARRAY_SIZE(names)) {
        mp_obj_t args[] = {
            MP_OBJ_NEW_QSTR(names[self->shown_phase]),
            mp_obj_new_int_from_uint(done),
            mp_obj_new_int_from_uint(total),
        };
        mp_call_function_n_kw(self->callback, MP_ARRAY_SIZE(args), 0, args);
    }
}

static int on_progress(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total) {
    static const char *const names[] = { "checking image", "checking file", "comparing", "writing" };
    upgrade_obj_t *self = ctx;
    molt_device_feed();
    uint32_t percent = done / (total / 100 + 1);
    // A gzip file is gone through twice in the first phase.
    bool is_again = percent < self->shown_percent;
    if (self->shown_phase != phase || is_again || percent >= self->shown_percent + 10u) {
        if (self->shown_phase != phase) {
            call_back(self, self->shown_total, self->shown_total);
        }
        self->shown_phase = (uint8_t)phase;
        self->shown_percent = (uint8_t)percent;
        self->shown_total = total;
        if (self->verbose) {
            mp_printf(&mp_plat_print, "\rmolt: %s %u%%  ", names[phase], (unsigned)percent);
        }
        call_back(self, done, total);
    }
    mp_handle_pending(true);
    return 0;
}

static void end_progress(upgrade_obj_t *self, int err) {
    if (self->verbose && self->shown_phase != 0xff) {
        mp_printf(&mp_plat_print, "\r                             \r");
    }
    if (!err) {
        call_back(self, self->shown_total, self->shown_total);
    }
    self->shown_phase = 0xff;
}

// For a delta file: what it asks for.
static bool allocate_for_delta(molt_job_t *job) {
    uint32_t window_size = molt_job_window_size(job);
    void *unpack = m_malloc_maybe(molt_job_unpack_size(job));
    uint8_t *window = unpack ? m_malloc_maybe(window_size) : NULL;
    if (window) {
        molt_job_set_window(job, unpack, window, window_size);
    }
    return window != NULL;
}

// For a gzip file: the largest window that the heap has. What of it the file needs shows when it is unpacked.
static bool allocate_window(upgrade_obj_t *self) {
    molt_job_t *job = &self->job;
    if (job->is_delta) {
        return allocate_for_delta(job);
    }
    // What the rest of the upgrade needs is kept free while the window is looked for.
    void *spare = m_malloc_maybe(SPARE_SIZE);
    job->unpack = m_malloc_maybe(sizeof *job->unpack);
    job->window_size = MOLT_INFLATE_WINDOW_MAX;
    while (job->unpack && job->window_size >= WINDOW_MIN) {
        job->window = m_malloc_maybe(job->window_size);
        if (job->window) {
            break;
        }
        job->window_size /= 2;
    }
    m_del(uint8_t, (uint8_t *)spare, SPARE_SIZE);
    return spare && job->window;
}

static void open_source(upgrade_obj_t *self, const char *path) {
    molt_lfs_reader_t reader;
    int err = molt_lfs_source_open(&self->source, &reader, &self->volume, path);
    if (err) {
        molt_raise(err, molt_lfs_source_text(err));
    }
    err = molt_job_open(&self->job, &self->source.source);
    if (err && molt_job_needs_window(&self->job) && allocate_window(self)) {
        err = molt_job_open(&self->job, &self->source.source);
    }
    molt_lfs_source_close(&reader);
    end_progress(self, err);
    if (err) {
        raise_trouble(self, err);
    }
}

// Upgrade(path, fs_addr, fs_size, *, safe_check, erase_all, verbose, drop_frozen, is_fallback, progress): path is inside the
// filesystem.
static mp_obj_t upgrade_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *all_args) {
    enum {
        ARG_path,
        ARG_fs_addr,
        ARG_fs_size,
        ARG_safe_check,
        ARG_erase_all,
        ARG_verbose,
        ARG_drop_frozen,
        ARG_is_fallback,
        ARG_progress
    };
    static const mp_arg_t allowed_args[] = {
        { MP_QSTR_path, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_fs_addr, MP_ARG_REQUIRED | MP_ARG_INT, { .u_int = 0 } },
        { MP_QSTR_fs_size, MP_ARG_REQUIRED | MP_ARG_INT, { .u_int = 0 } },
        { MP_QSTR_safe_check, MP_ARG_BOOL, { .u_bool = true } },
        { MP_QSTR_erase_all, MP_ARG_BOOL, { .u_bool = false } },
        { MP_QSTR_verbose, MP_ARG_BOOL, { .u_bool = false } },
        { MP_QSTR_drop_frozen, MP_ARG_BOOL, { .u_bool = false } },
        { MP_QSTR_is_fallback, MP_ARG_BOOL, { .u_bool = false } },
        { MP_QSTR_progress, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed_args)];
    mp_arg_parse_all_kw_array(n_args, n_kw, all_args, MP_ARRAY_SIZE(allowed_args), allowed_args, args);
    const char *path = mp_obj_str_get_str(args[ARG_path].u_obj);

    upgrade_obj_t *self = mp_obj_malloc(upgrade_obj_t, type);
    self->fs = (molt_region_t){ (uint32_t)args[ARG_fs_addr].u_int, (uint32_t)args[ARG_fs_size].u_int };
    self->verbose = args[ARG_verbose].u_bool;
    self->shown_phase = 0xff;
    self->shown_percent = 0;
    self->callback = args[ARG_progress].u_obj;
    self->job = (molt_job_t){
        .config = {
            .target = molt_device_target(TARGET_MEMORY(self)),
            .flash = &self->flash,
            .sector = (uint8_t *)self->sector,
            .work = (uint8_t *)self->work,
            .work_size = WORK_SIZE,
            .progress = on_progress,
            .progress_ctx = self,
            .options = {
                .safe_check = args[ARG_safe_check].u_bool,
                .erase_all = args[ARG_erase_all].u_bool,
                .is_fallback = args[ARG_is_fallback].u_bool,
            },
        },
    };
    molt_device_note_map(&self->job.config.options, &self->fs, self->kept, args[ARG_drop_frozen].u_bool);
    molt_device_flash(&self->flash);
    int err = molt_volume_mount(&self->volume, &self->flash, &self->fs, 0, false);
    if (err) {
        molt_raise(err, "there is no littlefs where the device has its filesystem");
    }
    open_source(self, path);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t str_of(const char *text) {
    return mp_obj_new_str(text, strlen(text));
}

// image() -> (kind, chip, size, segments, crc32, where the firmware will have its filesystem, its version; None for either
// if it does not say)
static mp_obj_t upgrade_image(mp_obj_t self_in) {
    const molt_job_t *job = &((upgrade_obj_t *)MP_OBJ_TO_PTR(self_in))->job;
    const molt_image_t *image = &job->image;
    const char *kind = job->is_delta ? "delta file" : molt_image_kind_text(image->kind);
    const char *version = job->is_delta ? job->delta->patch.header.new_name : image->version;
    mp_obj_t items[] = {
        str_of(kind),
        str_of(molt_chip_text(image->chip)),
        mp_obj_new_int_from_uint(image->size),
        MP_OBJ_NEW_SMALL_INT(image->segment_count),
        mp_obj_new_int_from_uint(image->crc32),
        image->fs_addr ? MP_OBJ_NEW_SMALL_INT(image->fs_addr) : mp_const_none,
        version[0] ? str_of(version) : mp_const_none,
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_image_obj, upgrade_image);

// sha1(): of the image.
static mp_obj_t upgrade_sha1(mp_obj_t self_in) {
    const molt_job_t *job = &((upgrade_obj_t *)MP_OBJ_TO_PTR(self_in))->job;
    return mp_obj_new_bytes(job->image.sha1, MOLT_SHA1_SIZE);
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_sha1_obj, upgrade_sha1);

// base(): SHA-1 of the image that a delta file is made of; None for other files.
static mp_obj_t upgrade_base(mp_obj_t self_in) {
    const molt_job_t *job = &((upgrade_obj_t *)MP_OBJ_TO_PTR(self_in))->job;
    return job->is_delta ? mp_obj_new_bytes(job->delta->patch.header.old_sha1, MOLT_SHA1_SIZE) : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_base_obj, upgrade_base);

// plan() -> (sectors, equal, programmed, sector erases, 64 KB erases, whether there is nothing to do)
static mp_obj_t upgrade_plan(mp_obj_t self_in) {
    upgrade_obj_t *self = MP_OBJ_TO_PTR(self_in);
    int err = molt_job_plan(&self->job);
    end_progress(self, err);
    if (err) {
        raise_trouble(self, err);
    }
    molt_job_facts_t facts;
    molt_job_facts(&self->job, &facts);
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(facts.sector_count),
        MP_OBJ_NEW_SMALL_INT(facts.equal_count),
        MP_OBJ_NEW_SMALL_INT(facts.program_count),
        MP_OBJ_NEW_SMALL_INT(facts.sector_erase_count),
        MP_OBJ_NEW_SMALL_INT(facts.block_erase_count),
        mp_obj_new_bool(facts.is_in_place),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_plan_obj, upgrade_plan);

// The object, whose job has to have come to `stage`.
static upgrade_obj_t *at_stage(mp_obj_t self_in, molt_job_stage_t stage, const char *before) {
    upgrade_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->job.stage != stage) {
        mp_raise_msg_varg(&mp_type_RuntimeError, MP_ERROR_TEXT("%s() comes first"), before);
    }
    return self;
}

static upgrade_obj_t *planned(mp_obj_t self_in) {
    return at_stage(self_in, MOLT_JOB_PLANNED, "plan");
}

// saved(off, buf) -> bytes put into buf: what the saved file is to hold from `off` on; 0 at its end.
static mp_obj_t upgrade_saved(mp_obj_t self_in, mp_obj_t off_in, mp_obj_t buf_in) {
    upgrade_obj_t *self = planned(self_in);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(buf_in, &buf, MP_BUFFER_WRITE);
    uint32_t off = (uint32_t)mp_obj_get_int(off_in);
    uint32_t end = molt_job_head_size(&self->job);
    uint32_t size = off < end ? MIN((uint32_t)buf.len & ~3u, end - off) : 0;
    int err = molt_job_head_bytes(&self->job, off, buf.buf, size);
    if (err) {
        molt_raise(err, "flash cannot be read");
    }
    return MP_OBJ_NEW_SMALL_INT(size);
}
static MP_DEFINE_CONST_FUN_OBJ_3(upgrade_saved_obj, upgrade_saved);

// saved_size(): what the saved file will have; 0 in resident mode, where there is none.
static mp_obj_t upgrade_saved_size(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(molt_job_head_size(&planned(self_in)->job));
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_saved_size_obj, upgrade_saved_size);

#if MOLT_STANDBY
// put_on_trial(): there will be a fallback for this one. Before plan().
static mp_obj_t upgrade_put_on_trial(mp_obj_t self_in) {
    upgrade_obj_t *self = MP_OBJ_TO_PTR(self_in);
    self->job.config.options.is_on_trial = true;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_put_on_trial_obj, upgrade_put_on_trial);
#endif

// Memory for one sector of the stash.
static uint8_t *stash_buffer(upgrade_obj_t *self) {
    uint8_t *buf = molt_job_stash_buffer(&self->job);
    return buf || !MOLT_STANDBY ? buf : m_new(uint8_t, self->flash.geometry.sector_size);
}

// stash_count(): files of 4096 bytes that are to be written beside that; 0 but for a delta file, and for a fallback in standby mode.
static mp_obj_t upgrade_stash_count(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(molt_job_stash_count(&planned(self_in)->job));
}
static MP_DEFINE_CONST_FUN_OBJ_1(upgrade_stash_count_obj, upgrade_stash_count);

// stash(index) -> the bytes of such a file, until the next call.
static mp_obj_t upgrade_stash(mp_obj_t self_in, mp_obj_t index_in) {
    upgrade_obj_t *self = planned(self_in);
    uint8_t *buf = stash_buffer(self);
    int err = molt_job_stash_bytes(&self->job, (uint32_t)mp_obj_get_int(index_in), buf);
    if (err) {
        molt_raise(err, "flash cannot be read");
    }
    return mp_obj_new_memoryview('B', 4096, buf);
}
static MP_DEFINE_CONST_FUN_OBJ_2(upgrade_stash_obj, upgrade_stash);

// find_stash(path): they are written, and called like path with a number behind.
static mp_obj_t upgrade_find_stash(mp_obj_t self_in, mp_obj_t path_in) {
    upgrade_obj_t *self = planned(self_in);
    const char *path = mp_obj_str_get_str(path_in);
    uint8_t *buf = molt_job_stash_count(&self->job) ? stash_buffer(self) : NULL;
    int err = molt_volume_mount(&self->volume, &self->flash, &self->fs, 0, false);
    vstr_t name;
    vstr_init(&name, 32);
    for (uint32_t i = 0; !err && i < molt_job_stash_count(&self->job); i++) {
        molt_lfs_source_t file;
        vstr_reset(&name);
        vstr_printf(&name, "%s%u", path, (unsigned)i);
        self->job.trouble = MOLT_JOB_TROUBLE_SAVED;
        err = molt_lfs_source_open(&file, NULL, &self->volume, vstr_null_terminated_str(&name));
        err = err ? err : molt_job_set_stash(&self->job, i, &file.source, buf);
    }
    if (err) {
        raise_trouble(self, err);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(upgrade_find_stash_obj, upgrade_find_stash);

// store(path of the head file): what the boot loader will need is in flash, and right. Nothing counts yet.
static mp_obj_t upgrade_store(mp_obj_t self_in, mp_obj_t path_in) {
    upgrade_obj_t *self = planned(self_in);
    bool has_head = molt_job_head_size(&self->job) > 0;
    molt_lfs_source_t head;
    int err = has_head ? molt_volume_mount(&self->volume, &self->flash, &self->fs, 0, false) : 0;
    if (err) {
        molt_raise(err, "the filesystem cannot be read");
    }
    if (has_head) {
        err = molt_lfs_source_open(&head, NULL, &self->volume, mp_obj_str_get_str(path_in));
        self->job.trouble = MOLT_JOB_TROUBLE_SAVED;
    }
    err = err ? err : molt_job_store(&self->job, has_head ? &head.source : NULL);
    if (err) {
        raise_trouble(self, err);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(upgrade_store_obj, upgrade_store);

// commit(starts of the trial, 0 for none): the next reset upgrades.
static mp_obj_t upgrade_commit(mp_obj_t self_in, mp_obj_t starts_in) {
    upgrade_obj_t *self = at_stage(self_in, MOLT_JOB_STORED, "store");
    int err = molt_job_commit(&self->job, (uint32_t)mp_obj_get_int(starts_in));
    if (err) {
        raise_trouble(self, err);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(upgrade_commit_obj, upgrade_commit);

static const mp_rom_map_elem_t upgrade_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_image), MP_ROM_PTR(&upgrade_image_obj) },
    { MP_ROM_QSTR(MP_QSTR_sha1), MP_ROM_PTR(&upgrade_sha1_obj) },
    { MP_ROM_QSTR(MP_QSTR_base), MP_ROM_PTR(&upgrade_base_obj) },
    { MP_ROM_QSTR(MP_QSTR_plan), MP_ROM_PTR(&upgrade_plan_obj) },
    { MP_ROM_QSTR(MP_QSTR_saved), MP_ROM_PTR(&upgrade_saved_obj) },
    { MP_ROM_QSTR(MP_QSTR_saved_size), MP_ROM_PTR(&upgrade_saved_size_obj) },
    { MP_ROM_QSTR(MP_QSTR_stash_count), MP_ROM_PTR(&upgrade_stash_count_obj) },
    { MP_ROM_QSTR(MP_QSTR_stash), MP_ROM_PTR(&upgrade_stash_obj) },
    { MP_ROM_QSTR(MP_QSTR_find_stash), MP_ROM_PTR(&upgrade_find_stash_obj) },
    { MP_ROM_QSTR(MP_QSTR_store), MP_ROM_PTR(&upgrade_store_obj) },
    { MP_ROM_QSTR(MP_QSTR_commit), MP_ROM_PTR(&upgrade_commit_obj) },
#if MOLT_STANDBY
    { MP_ROM_QSTR(MP_QSTR_put_on_trial), MP_ROM_PTR(&upgrade_put_on_trial_obj) },
#endif
};
static MP_DEFINE_CONST_DICT(upgrade_locals, upgrade_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    molt_upgrade_type, MP_QSTR_Upgrade, MP_TYPE_FLAG_NONE, make_new, upgrade_make_new, locals_dict, &upgrade_locals);
