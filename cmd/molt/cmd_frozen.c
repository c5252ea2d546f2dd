// molt frozen: the dynamic frozen modules in a dump, with the device's own code. Links are left to the device: only
// its firmware knows the addresses that go into them.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/reader.h"
#include "commands.h"
#include "dumpfs.h"
#include "files.h"
#include "frozen/link.h"
#include "frozen/relink.h"
#include "frozen/store.h"
#include "molt/error.h"
#include "say.h"
#include "survey.h"

#define MPY_SIZE_MAX MOLT_MAP_MAPPED_SIZE

typedef struct session {
    dumpfs_t dump;
    molt_store_t store;
    uint32_t links_addr;  // end of the links
    uint32_t link_count;
    bool links_broken;  // the device will make all of them again
} session_t;

static const molt_mpy_target_t target = { .native_arch = 9, .sub_version = 3, .small_int_bits = 31 };

// The frozen modules' region of the flash map that the dump has.
static int find_region(dumpfs_t *dump, const args_t *args, molt_region_t *region) {
    *region = (molt_region_t){ 0, 0 };
    if (board_refuse_esp32(&dump->board, dump->path) || dumpfs_look(dump, args)
        || (dump->places.verdict == PLACES_SEVERAL && dumpfs_refuse(dump))) {
        return 1;
    }
    survey_t *survey = calloc(1, sizeof *survey);
    int status = survey ? survey_dump(survey, dump, NULL) : say_fail("there is not enough memory; close other programs");
    *region = status ? (molt_region_t){ 0, 0 } : survey->map.regions[MOLT_MAP_KIND_FROZEN];
    free(survey);
    if (!status && region->size < 3 * 4096) {
        return say_fail("%s: there is no MicroPython at its beginning, or no room for frozen modules behind it", dump->path);
    }
    return status;
}

static int open_session(session_t *s, const args_t *args) {
    const char *path = args->positional[1];
    molt_region_t region;
    if (dumpfs_open_raw(&s->dump, path) || find_region(&s->dump, args, &region)) {
        return 1;
    }
    const molt_flash_t *flash = &s->dump.nor.flash;
    int err = molt_store_open(&s->store, flash, &region);
    if (err == MOLT_ERR_BUSY) {
        return say_fail("%s: a compaction of the frozen modules was interrupted; the device finishes it at its next start", path);
    }
    if (err) {
        return say_fail("%s: the store of frozen modules cannot be read", path);
    }
    molt_link_t link;
    int found;
    uint32_t at = 0;
    uint32_t limit = s->store.end_addr / 4096 * 4096;
    while ((found = molt_link_next(flash, region.addr, limit, &at, &link)) == 1) {
        s->link_count++;
    }
    s->links_broken = found < 0;
    s->links_addr = found < 0 ? region.addr : at;
    uint32_t links_end = (at + 4095) / 4096 * 4096;
    s->store.floor_addr = links_end > s->store.floor_addr ? links_end : s->store.floor_addr;
    return 0;
}

static molt_reader_t reader_of(const session_t *s, const molt_record_t *record) {
    return molt_memory_reader(s->dump.nor.bytes + record->mpy_addr, record->mpy_size);
}

// A record's state in a word. *is_bad: it should not be like that.
static const char *state_of(const session_t *s, const molt_record_t *record, bool *is_bad) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_mpy_t mpy;
    molt_reader_t reader = reader_of(s, record);
    *is_bad = false;
    if (!record->is_live) {
        return record->is_committed ? "deleted" : "unfinished";
    }
    *is_bad = true;
    if (molt_store_check(&s->store, record, work)) {
        return "DAMAGED";
    }
    if (molt_mpy_parse(&mpy, &reader, &target, NULL)) {
        *is_bad = mpy.defect == MOLT_MPY_TRUNCATED;
        return "incompatible";
    }
    *is_bad = false;
    return "ok";
}

// ls shows what is alive, check everything.
static int list(session_t *s, bool is_check, bool json) {
    uint32_t at = 0;
    uint32_t bad = 0;
    uint32_t count = 0;
    molt_record_t record;
    printf("%s", json ? "[" : "");
    while (molt_store_next(&s->store, &at, &record) == 1) {
        char name[MOLT_RECORD_NAME_MAX + 1];
        bool is_bad;
        const char *state = state_of(s, &record, &is_bad);
        bad += is_bad;
        if (!is_check && !record.is_live) {
            continue;
        }
        molt_store_name(&s->store, &record, name);
        if (json) {
            printf("%s\n  { \"name\": ", count ? "," : "");
            say_json(stdout, name);
            printf(", \"size\": %u, \"address\": %u, \"state\": \"%s\" }", record.mpy_size, record.mpy_addr, state);
        } else {
            printf("  0x%06x  %7u  %-12s  %s\n", record.mpy_addr, record.mpy_size, state, name);
        }
        count++;
    }
    if (json) {
        printf("\n]\n");
    } else {
        uint32_t free = s->store.end_addr > s->store.floor_addr ? s->store.end_addr - s->store.floor_addr : 0;
        printf("  %u modules, %u links%s; %s free", s->store.live_count, s->link_count,
            s->links_broken ? " (to be made again at the next start)" : "", say_size(free).text);
        printf(", %s deleted\n", say_size(s->store.dead_size).text);
    }
    if (s->store.is_damaged) {
        return say_fail("below 0x%06x the store is damaged: what may lie there is not seen", s->store.end_addr);
    }
    return is_check && bad ? say_fail("%u of the modules are damaged", bad) : 0;
}

static const uint8_t *map(void *ctx, uint32_t addr) {
    return ((const session_t *)ctx)->dump.nor.bytes + addr;
}

// "FILE[:NAME]"
static int add(session_t *s, const char *what) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    char path[FILES_PATH_MAX];
    uint8_t *bytes;
    uint32_t size;
    molt_mpy_t mpy;
    molt_record_t record;
    molt_link_size_t link_size;
    const char *colon = strrchr(what, ':');
    snprintf(path, sizeof path, "%.*s", colon ? (int)(colon - what) : (int)strlen(what), what);
    const char *slash = strrchr(path, '/');
    char name[FILES_PATH_MAX];
    snprintf(name, sizeof name, "%s", colon ? colon + 1 : slash ? slash + 1 : path);
    size_t name_size = strlen(name);
    if (!colon && name_size > 4 && strcmp(name + name_size - 4, ".mpy") == 0) {
        name[name_size -= 4] = 0;
    }
    if (!molt_store_is_name(name, (uint32_t)name_size)) {
        return say_fail("%s cannot be a module's name: letters, digits and '_', dots between them, 63 characters at most", name);
    }
    if (molt_store_is_reserved(name, (uint32_t)name_size)) {
        return say_fail("%s is a name of the firmware's own; choose another", name);
    }
    if (files_load_host(path, MPY_SIZE_MAX, &bytes, &size)) {
        return 1;
    }
    const molt_reader_t reader = molt_memory_reader(bytes, size);
    int err = molt_link_measure(&link_size, &mpy, &reader, &target, name, (uint32_t)name_size);
    if (err) {
        free(bytes);
        return say_fail("%s: %s (at byte %u)", path, molt_mpy_defect_text(mpy.defect), mpy.defect_off);
    }
    uint32_t wanted;
    (void)molt_relink_wanted(&s->store, s->links_addr, &target, map, s, &wanted);
    uint32_t spare = molt_relink_room(&s->store, s->links_addr, wanted + link_size.link_size);
    err = molt_store_put(&s->store, name, (uint32_t)name_size, &reader, spare, work, &record);
    free(bytes);
    if (err == MOLT_ERR_NOSPC) {
        return say_fail(
            "there is no room for %s and its link: %s free, of which links take %s; %s can be reclaimed on the device by "
            "molt.frozen.compact() and a reset",
            name, say_size(s->store.end_addr - s->store.floor_addr).text, say_size(spare).text,
            say_size(s->store.dead_size).text);
    }
    return err ? say_fail("the store of frozen modules is damaged; the device repairs it at its next start")
               : dumpfs_save(&s->dump);
}

static int drop(session_t *s, const char *name) {
    int err = molt_store_delete(&s->store, name, (uint32_t)strlen(name));
    return err ? say_fail("there is no frozen module \"%s\"; `molt frozen ls` lists them", name) : dumpfs_save(&s->dump);
}

int cmd_frozen(int argc, char **argv) {
    static const struct argp_option options[] = { ARGS_OPTION_JSON, ARGS_OPTION_FS_START, { 0 } };
    static const args_spec_t spec = { "ls|add|rm|check FLASH [FILE[:NAME]|NAME]",
        "The dynamic frozen modules in a dump. ls lists them; add puts FILE, an .mpy, in as module NAME; rm removes NAME; "
        "check looks at every record, the deleted ones too.\v"
        "A module that was added is linked by the device when it starts.\n\n"
        "Examples:\n"
        "  molt frozen ls flash.bin\n"
        "  molt frozen add flash.bin simple.mpy:umqtt.simple\n"
        "  molt frozen rm flash.bin umqtt.simple",
        options, 2, 3 };
    static session_t session;
    args_t args;
    args_parse(&spec, argc, argv, &args);
    const char *verb = args.positional[0];
    const char *what = args.positional[2];
    bool needs_what = strcmp(verb, "add") == 0 || strcmp(verb, "rm") == 0;
    if ((!needs_what && strcmp(verb, "ls") != 0 && strcmp(verb, "check") != 0) || needs_what != (what != NULL)) {
        fprintf(stderr, "usage: molt frozen %s\n", spec.synopsis);
        return 2;
    }
    session = (session_t){ 0 };
    int status = open_session(&session, &args);
    if (!status) {
        status = !needs_what      ? list(&session, verb[0] == 'c', args.json)
                 : verb[0] == 'a' ? add(&session, what)
                                  : drop(&session, what);
    }
    dumpfs_close(&session.dump);
    return status;
}
