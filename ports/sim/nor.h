// A NOR flash chip in RAM, as the host's molt_flash_t: programming only clears bits, erasing is by sector or block,
// every operation is counted and timed, and the power can be cut in any of them.
//
// Fault model. Operations (programs and erases) are numbered from 0. A power cut in operation n leaves the range
// that n was about in a state that the tear says, and everything else as it was; nothing happens after it. A chip
// does no worse than this as long as its supply falls monotonically: cells outside the addressed page or sector are
// not touched.
#ifndef MOLT_SIM_NOR_H
#define MOLT_SIM_NOR_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"

// Returned by every callback once the power is cut.
#define SIM_ERR_CUT (-1000)

typedef enum sim_tear {
    SIM_TEAR_BEFORE,  // cut just before: nothing was done
    SIM_TEAR_AFTER,   // cut just after: all was done, but nobody knows
    SIM_TEAR_PREFIX,  // the first half of the range is done
    SIM_TEAR_SUFFIX,  // the second half of the range is done
    SIM_TEAR_RANDOM,  // every bit that was to change did or did not, by a coin
    SIM_TEAR_STRAY,   // all is done but for one bit
    SIM_TEAR_ZERO,    // an erase: all bits are 0, as chips do that pre-program before they erase
    SIM_TEAR_COUNT,
} sim_tear_t;

// Typical or maximum times in microseconds, from the data sheets.
typedef struct sim_timing {
    const char *name;
    uint32_t erase_sector_us;
    uint32_t erase_block_us;
    uint32_t prog_page_us;   // a page of 256 bytes; fewer bytes take less, down to prog_byte_us
    uint32_t prog_byte_us;
    uint32_t read_bits_per_us;
} sim_timing_t;

extern const sim_timing_t sim_timings[];  // sim_timings[0] is W25Q32 typical; ends with a NULL name

typedef struct sim_counts {
    uint64_t erase_sector_count;
    uint64_t erase_block_count;
    uint64_t prog_count;
    uint64_t prog_size;  // bytes
    uint64_t read_size;  // bytes
} sim_counts_t;

typedef struct sim_undo sim_undo_t;

typedef struct sim_nor {
    molt_flash_t flash;   // hand out &nor->flash
    uint8_t *bytes;
    uint32_t *wear;       // erases of each sector
    sim_counts_t counts;
    // Power cut: in the operation with this number; -1 for none.
    int64_t cut_op;
    sim_tear_t cut_tear;
    uint32_t seed;        // of the random tears
    bool is_cut;          // it has fired
    uint64_t op_count;    // programs and erases since sim_nor_power_on()
    // Failing driver: the callback with this number (reads count too) returns MOLT_ERR_IO; -1 for none.
    int64_t fail_call;
    bool has_failed;
    uint64_t call_count;
    // Told of each operation before it is done; NULL for nobody. kind: 'p' program of `data`, 's' sector erase,
    // 'b' block erase (data is NULL). It may use the chip itself, between sim_nor_push() and sim_nor_pop().
    void (*watch)(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size);
    void *watch_ctx;
    sim_undo_t *undo;     // NULL unless inside sim_nor_push()
} sim_nor_t;

// Make a chip; all erased. 0 or MOLT_ERR_NOSPC.
int sim_nor_init(sim_nor_t *nor, const molt_geometry_t *geometry);
void sim_nor_free(sim_nor_t *nor);

// Power up again: the cut and the numbering of operations start anew, the bytes stay.
void sim_nor_power_on(sim_nor_t *nor);

// Remember the bytes as they are; sim_nor_pop() brings them back. Nests. Cost: what is changed in between.
void sim_nor_push(sim_nor_t *nor);
void sim_nor_pop(sim_nor_t *nor);

// Microseconds that `counts` take on a chip.
uint64_t sim_time_us(const sim_counts_t *counts, const sim_timing_t *timing);

// before, after, prefix, ...; NULL or -1 where there is none such.
const char *sim_tear_name(sim_tear_t tear);
int sim_tear_parse(const char *name);

#endif
