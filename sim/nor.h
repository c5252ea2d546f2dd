// A NOR flash chip in RAM, as the host's molt_flash_t: programming only clears bits, erasing is by sector or block,
// every operation is counted and timed, the power can be cut in any of them, and any read can be wrong once.
//
// Fault model.
//
// Power cuts. Operations (program commands and erases) are numbered from 0. A power cut in operation n leaves the range
// that n was about in a state that the tear says, and everything else as it was; nothing happens after it. An ordinary
// chip does no worse than this as long as its supply falls monotonically: cells outside the addressed page or sector are
// not touched. (One that rewrites whole pages does: SIM_TEAR_PAGE.)
//
// Weak cells. A cell whose program or erase was cut may have stopped between 0 and 1. It reads one way until the next
// power-on, and then perhaps the other: sim_nor_power_on() tosses a coin for each. Programming a 0 over it, or erasing
// it, makes it firm; programming a 1 does nothing.
//
// Misreads. One bit of the bytes that a read returns is wrong, once; flash itself holds what it held.
//
// Everything is seeded: the same calls with the same `seed` give the same bytes.
#ifndef MOLT_SIM_NOR_H
#define MOLT_SIM_NOR_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "timing.h"

// Returned by every callback once the power is cut.
#define SIM_ERR_CUT (-1000)

typedef enum sim_tear {
    SIM_TEAR_BEFORE,    // cut just before: nothing was done
    SIM_TEAR_AFTER,     // cut just after: all was done, but nobody knows
    SIM_TEAR_PREFIX,    // the first half of the range is done
    SIM_TEAR_SUFFIX,    // the second half of the range is done
    SIM_TEAR_RANDOM,    // every bit that was to change did or did not, by a coin
    SIM_TEAR_STRAY,     // all is done but for one bit
    SIM_TEAR_ZERO,      // an erase: all bits are 0, as chips do that pre-program before they erase
    SIM_TEAR_WEAK,      // every bit that was to change is weak; of an erase all bits
    SIM_TEAR_MARGINAL,  // all is done, but one bit is weak
    SIM_TEAR_COUNT,     // those of an ordinary chip end here
    // A chip that answers a program by rewriting the page from a buffer (PUYA P25Q stores a 1 over a 0, which needs an
    // erase): the whole page is between erased and what it was to hold. An erase: as SIM_TEAR_RANDOM.
    SIM_TEAR_PAGE = SIM_TEAR_COUNT,
    SIM_TEAR_NAME_COUNT,
} sim_tear_t;

typedef struct sim_undo sim_undo_t;

typedef struct sim_nor {
    molt_flash_t flash;  // hand out &nor->flash
    uint8_t *bytes;      // as they read now
    uint8_t *weak;       // a 1 for each bit that is weak
    bool *has_weak;      // of each sector
    uint32_t weak_sector_count;
    uint32_t *wear;  // erases of each sector
    sim_counts_t counts;
    uint32_t piece_size;  // bytes of a program command: a longer program is several operations; 0: a page is one
    uint32_t seed;        // of everything that is random
    uint32_t chance;      // what has happened so far, in a number: the coins come from it
    // Power cut: in the operation with this number; -1 for none.
    int64_t cut_op;
    sim_tear_t cut_tear;
    bool is_cut;        // it has fired
    uint64_t op_count;  // program commands and erases since sim_nor_power_on()
    // Misread: of the read with this number; -1 for none.
    int64_t misread;
    uint32_t misread_salt;  // another number, another bit of it
    bool has_misread;       // it has fired
    uint64_t read_count;    // reads since sim_nor_power_on()
    bool is_sheltered;      // reads are neither wrong nor counted: code is at it that has undefined behaviour where one is wrong
    // Failing driver: the callback with this number (reads count too) returns MOLT_ERR_IO; -1 for none.
    int64_t fail_call;
    bool has_failed;
    uint64_t call_count;
    // A cell that has gone bad: these bits of the byte there stay 1, whatever is programmed. Mask 0 for none.
    uint32_t stuck_addr;
    uint8_t stuck_mask;
    // Words of programs that asked for a 1 where a firm 0 is. An ordinary chip ignores that, others store it; so nobody
    // may ask, and tests hold this at 0.
    uint64_t overwrite_count;
    uint32_t overwrite_addr;  // of the last such word
    // Told of each operation before it is done; NULL for nobody. kind: 'p' program of `data`, 's' sector erase,
    // 'b' block erase (data is NULL). It may use the chip itself, between sim_nor_push() and sim_nor_pop().
    void (*watch)(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size);
    void *watch_ctx;
    sim_undo_t *undo;  // NULL unless inside sim_nor_push()
} sim_nor_t;

// Make a chip; all erased. 0 or MOLT_ERR_NOSPC.
int sim_nor_init(sim_nor_t *nor, const molt_geometry_t *geometry);
void sim_nor_free(sim_nor_t *nor);

// Power up again: cut, misread, failing call and all numbering start over, the bytes stay; each weak cell reads by a
// new coin.
void sim_nor_power_on(sim_nor_t *nor);

// No cell is weak any more: each keeps what it reads now. For a test that puts bytes in place by itself.
void sim_nor_make_firm(sim_nor_t *nor);

// Remember bytes and weak cells as they are; sim_nor_pop() brings them back. Nests. Cost: what is changed in between.
void sim_nor_push(sim_nor_t *nor);
void sim_nor_pop(sim_nor_t *nor);

// before, after, prefix, ...; NULL or -1 where there is none such.
const char *sim_tear_name(sim_tear_t tear);
int sim_tear_parse(const char *name);

#endif
