// Relink: replay the links in flash, append what is missing, or begin again.

#include "frozen/relink.h"

#include "base/libc.h"
#include "base/reader.h"
#include "frozen/link_parts.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

static void begin_relink(molt_relink_t *r) {
    r->links_addr = r->store->region.addr;
    r->pool_vaddr = r->first_pool_vaddr;
    r->qstr_count = r->first_qstr;
    r->use_pool(r->ctx, r->pool_vaddr);
}

static uint32_t links_limit(const molt_relink_t *r) {
    return sector_floor(r->store->flash, r->store->end_addr);
}

// The committed record with that header, dead or alive.
static bool record_at(const molt_store_t *store, uint32_t header_addr, molt_record_t *record) {
    uint32_t at = 0;
    while (molt_store_next(store, &at, record) == 1) {
        if (record->header_addr == header_addr) {
            return record->is_committed;
        }
    }
    return false;
}

// Whether a link is of this firmware, follows those before it, and has its record.
static bool is_fit(const molt_relink_t *r, const molt_link_t *link) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_record_t record;
    if (memcmp(link->build, r->build, MOLT_LINK_BUILD_SIZE) != 0 || link->abi_crc != r->abi_crc) {
        return false;
    }
    if (link->is_linked && (link->prev_pool_vaddr != r->pool_vaddr || link->qstr_base != r->qstr_count)) {
        return false;
    }
    return record_at(r->store, link->record_addr, &record) && record.mpy_crc == link->mpy_crc
           && molt_link_check(r->store->flash, link, work) == 0;
}

static void enter(molt_relink_t *r, const molt_link_t *link) {
    r->links_addr = link->addr + MOLT_LINK_HEADER_SIZE + link->data_size;
    if (link->is_linked && link->pool_off) {
        r->pool_vaddr = r->base_vaddr + link->addr + link->pool_off;
        r->qstr_count += link->qstr_count;
        r->use_pool(r->ctx, r->pool_vaddr);
    }
}

// False if something in flash is no link, or one that does not fit.
static bool replay(molt_relink_t *r) {
    uint32_t at = 0;
    molt_link_t link;
    int found;
    while ((found = molt_link_next(r->store->flash, r->store->region.addr, links_limit(r), &at, &link)) == 1) {
        if (!is_fit(r, &link)) {
            return false;
        }
        enter(r, &link);
        r->kept_count++;
        r->feed();
    }
    return found == 0;
}

// Make the link in `words`, or note that there is none.
static void make(const molt_relink_t *r, const molt_record_t *record, uint32_t *words, uint32_t words_size, molt_link_t *link) {
    const molt_link_job_t job = {
        .abi = r->abi,
        .target = r->target,
        .mpy = r->map(r->ctx, record->mpy_addr),
        .mpy_size = record->mpy_size,
        .mpy_vaddr = r->base_vaddr + record->mpy_addr,
        .name = (const char *)r->map(r->ctx, record->header_addr + MOLT_RECORD_NAME_OFF),
        .name_size = record->name_size,
        .link_vaddr = r->base_vaddr + link->addr,
        .has_pool = true,
        .prev_pool_vaddr = r->pool_vaddr,
        .qstr_base = r->qstr_count,
        .ctx = r->ctx,
        .find_qstr = r->find_qstr,
        .make_float = r->make_float,
    };
    if (molt_link_build(&job, words, words_size, link) != 0) {
        molt_link_refuse(words, link);
    }
}

// Make a record's link and write it behind the others.
static int link_record(molt_relink_t *r, const molt_record_t *record) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_link_size_t size;
    molt_mpy_t mpy;
    const molt_reader_t reader = molt_memory_reader(r->map(r->ctx, record->mpy_addr), record->mpy_size);
    const char *name = (const char *)r->map(r->ctx, record->header_addr + MOLT_RECORD_NAME_OFF);
    int err = molt_store_check(r->store, record, work);
    if (err) {
        return 0;  // damaged after it was committed: an import says so
    }
    molt_link_t link = {
        .addr = r->links_addr,
        .record_addr = record->header_addr,
        .mpy_crc = record->mpy_crc,
        .abi_crc = r->abi_crc,
    };
    memcpy(link.build, r->build, sizeof link.build);
    err = molt_link_measure(&size, &mpy, &reader, r->target, name, record->name_size);
    bool is_linkable = err == 0 && size.is_linkable;
    uint32_t *words = is_linkable ? r->alloc(r->ctx, size.work_size) : work;
    if (words == NULL) {
        return MOLT_ERR_NOSPC;
    }
    if (is_linkable) {
        make(r, record, words, size.work_size, &link);
    } else {
        molt_link_refuse(words, &link);
    }
    // This is the first start that counts on the record.
    err = molt_store_confirm(r->store, record);
    err = err ? err : molt_link_write(r->store->flash, link.addr, links_limit(r), words, &link);
    if (is_linkable) {
        r->release(r->ctx, words, size.work_size);
    }
    if (!err) {
        enter(r, &link);
        r->made_count++;
    }
    return err;
}

bool molt_relink_find(const molt_store_t *store, uint32_t links_addr, const molt_record_t *record, molt_link_t *link) {
    uint32_t at = store->region.addr;
    while (at < links_addr) {
        if (molt_link_peek(store->flash, at, link) != 0) {
            return false;
        }
        if (link->record_addr == record->header_addr) {
            return true;
        }
        at += MOLT_LINK_HEADER_SIZE + link->data_size;
    }
    return false;
}

int molt_relink_wanted(const molt_store_t *store, uint32_t links_addr, const molt_mpy_target_t *target,
    const uint8_t *(*map)(void *ctx, uint32_t addr), void *ctx, uint32_t *size) {
    uint32_t at = 0;
    int found;
    molt_record_t record;
    *size = 0;
    while ((found = molt_store_next(store, &at, &record)) == 1) {
        molt_link_t link;
        molt_link_size_t each;
        molt_mpy_t mpy;
        if (!record.is_live || molt_relink_find(store, links_addr, &record, &link)) {
            continue;
        }
        const molt_reader_t reader = molt_memory_reader(map(ctx, record.mpy_addr), record.mpy_size);
        const char *name = (const char *)map(ctx, record.header_addr + MOLT_RECORD_NAME_OFF);
        int err = molt_link_measure(&each, &mpy, &reader, target, name, record.name_size);
        *size += !err && each.is_linkable ? each.link_size : MOLT_LINK_HEADER_SIZE;
    }
    return found;
}

uint32_t molt_relink_room(const molt_store_t *store, uint32_t links_addr, uint32_t size) {
    uint32_t sector_size = store->flash->geometry.sector_size;
    uint32_t slack = store->floor_addr - links_addr;
    return size > slack ? ceil_div(size - slack, sector_size) * sector_size : 0;
}

// Link every live record that has no link. Returns the first error; those behind it are tried all the same.
static int link_missing(molt_relink_t *r) {
    uint32_t at = 0;
    molt_record_t record;
    int first = 0;
    int found;
    while ((found = molt_store_next(r->store, &at, &record)) == 1) {
        molt_link_t link;
        if (!record.is_live || molt_relink_find(r->store, r->links_addr, &record, &link)) {
            continue;
        }
        int err = link_record(r, &record);
        first = first ? first : err;
        r->feed();
    }
    return first ? first : found;
}

int molt_relink(molt_relink_t *r) {
    uint32_t sector_size = r->store->flash->geometry.sector_size;
    r->kept_count = r->made_count = 0;
    begin_relink(r);
    bool is_whole = replay(r);
    int err = is_whole ? link_missing(r) : 0;
    if (!is_whole || (err == MOLT_ERR_NOSPC && r->store->dead_size) || err == MOLT_ERR_CORRUPT) {
        // From the bottom again, without what is gone.
        begin_relink(r);
        r->kept_count = 0;
        err = link_missing(r);
    }
    uint32_t links_end = ceil_div(r->links_addr, sector_size) * sector_size;
    uint32_t lowest = r->store->region.addr + STORE_WORK_SECTORS * sector_size;
    r->store->floor_addr = links_end > lowest ? links_end : lowest;
    return err;
}
