// The journal: which steps of a plan are finished. One bit a step, cleared when the step is done; no erase.
#ifndef MOLT_JOURNAL_H
#define MOLT_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"

typedef struct molt_journal {
    uint32_t addr;   // of the first word in flash
    uint32_t size;   // bytes, a multiple of 4, within one page
    uint8_t *words;  // RAM copy, owned by the caller, 4-aligned
} molt_journal_t;

bool molt_journal_is_done(const molt_journal_t *journal, uint32_t step);

// Record that `step` is finished, and program all that is recorded once more: a mark that a power cut tore can read
// otherwise at each start; after this every mark that was read as made is made.
//   step  below the plan's step_count
// Returns 0, or the flash driver's error; the RAM copy counts the step as done all the same, so that the
// present run goes on: repeating a step is harmless.
// Power cut: the step reads back as done or not done; no other step is affected.
// Cost: one program of `size` bytes.
int molt_journal_mark(const molt_flash_t *flash, molt_journal_t *journal, uint32_t step);

#endif
