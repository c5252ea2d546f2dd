// A delta carried out, in the boot loader's extension: resumed at each start where the last one was cut off.
//
// Nothing here is in the plan's journal but that all of it is done: the operations have a log of their own (delta/delta_log.h).
#ifndef MOLT_DELTA_RUN_H
#define MOLT_DELTA_RUN_H

#include "delta/delta.h"
#include "delta/delta_log.h"
#include "molt/source.h"
#include "upgrade/plan.h"

// Owned by the caller; nothing of it needs to be set but `tell`.
typedef struct molt_delta_run {
    molt_delta_t delta;
    molt_delta_log_t log;
    molt_reader_t patch;
    uint8_t *window;
    uint32_t window_size;
    uint8_t *buf;
    int answer;  // standby mode: what the reader of the image returns
    // Set by the caller. Operations that are done, of how many; 0 of 0 while it is checked. Called every few 100 ms. May be NULL.
    void (*tell)(uint32_t done, uint32_t total);
    // Likewise, in standby mode: wait `seconds` and feed the watchdog meanwhile. Called where starts before this one got no further.
    void (*wait)(const struct molt_delta_run *run, uint32_t seconds);
} molt_delta_run_t;

// At each start. Where nothing was done yet the patch is checked, whole.
//   run    stays in use with `image`, as do all pointers
//   patch  reads the file
//   buf    sector_size bytes, 4-aligned
//   image  the new image's first sector, from the stash; the rest is in its place when all is done, and MOLT_ERR_CORRUPT from this reader
// Returns how far it has come, a number that grows, from 1 to 0x3fff; MOLT_ERR_CORRUPT (nothing was done yet and, however often it is
// read, patch, stash or old image is not what was checked); MOLT_ERR_IO (any other error: try again). Power cut: nothing is written.
int molt_delta_run_open(molt_delta_run_t *run, const molt_flash_t *flash, const molt_plan_t *plan, const molt_reader_t *patch,
    uint8_t *window, uint32_t window_size, uint8_t *buf, molt_reader_t *image);

// Do all that is left, after molt_delta_run_open(). Returns 0, MOLT_ERR_IO or an error of flash; to be opened and tried again, then.
// Power cut: likewise.
int molt_delta_run_finish(molt_delta_run_t *run);

// What the extension does in standby mode, whose loader has no room for the calls above: all of it, before it returns with a reader. The
// loader sees the result by that reader alone. The extension notes a start that does operations in the plan's log of starts, as the loader
// does one that does steps. The loader would write over that note, so such a start ends with a reset.
//   plan_addr  of the plan's sector
//   plan       opened from there; its sector in memory is the loader's, which asks it whether step 0 is done
//   image      as above. Or all that it returns is MOLT_ERR_CORRUPT (nothing was done, and patch, stash or old image is not what was
//              checked: if step 0 is not done the old firmware goes back), or MOLT_ERR_IO (to be tried again)
// The rest as for molt_delta_run_open(). Power cut: again at the next start.
// Returns whether the chip is to be reset now; where it cannot be, the loader does it, as the image is MOLT_ERR_IO then.
bool molt_delta_run_standby(molt_delta_run_t *run, const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan,
    const molt_reader_t *patch, uint8_t *window, uint32_t window_size, uint8_t *buf, molt_reader_t *image);

#endif
