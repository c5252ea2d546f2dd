// The journal: one bit a step in flash, cleared when the step is done.

#include "upgrade/journal.h"

bool molt_journal_is_done(const molt_journal_t *journal, uint32_t step) {
    return (journal->words[step / 8] >> step % 8 & 1) == 0;
}

int molt_journal_mark(const molt_flash_t *flash, molt_journal_t *journal, uint32_t step) {
    journal->words[step / 8] &= (uint8_t) ~(1u << step % 8);
    // All of it again: programming clears no bit that is clear already.
    return flash->prog(flash->ctx, journal->addr, journal->words, journal->size);
}
