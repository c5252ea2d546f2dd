// The request that tests of plans begin with, and what they ask of a plan. No flash takes part.
#ifndef MOLT_TESTS_UNIT_PLANNED_H
#define MOLT_TESTS_UNIT_PLANNED_H

#include <stdbool.h>
#include <stdint.h>

#include "upgrade/plan.h"

#define KB 1024u
#define SECTOR 4096u
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

extern const molt_geometry_t chip;  // 4 MB
extern molt_refusal_t refusal;      // of the last plan that was begun

// The sector that plans are made in.
uint8_t *boot_sector(void);

// 256 KB: four blocks. Nothing is reserved.
molt_plan_request_t ordinary(void);

// A plan for the request, which has to be taken.
molt_plan_t begun(const molt_plan_request_t *request);

// The number of the step that does this, or 0; whether there is something to do for it.
uint32_t step_that(const molt_plan_t *plan, molt_step_kind_t kind, uint32_t addr);
bool is_todo(const molt_plan_t *plan, molt_step_kind_t kind, uint32_t addr);

void expect_refusal(const molt_plan_request_t *request, int err, molt_refusal_reason_t reason, uint32_t need, uint32_t limit);

#endif
