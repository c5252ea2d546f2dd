// What is made of what a device says of itself. `info` is what GET /info says. Sentences have no full stop.
#ifndef MOLT_CMD_VERDICT_H
#define MOLT_CMD_VERDICT_H

#include "push.h"

// What became of its last upgrade; "" where it does not say.
const char *verdict_result(const json_t *info);

// Why it cannot be upgraded as it is, or NULL.
const char *verdict_obstacle(const push_t *push, const json_t *info);

// What is wrong with it, which is back and has no upgrade before it any more; NULL: nothing, it runs the new firmware for good.
const char *verdict_fault(const push_t *push, const char *result);

// Whether it has not restarted since it was told to, whatever its firmware is called.
bool verdict_is_untouched(const push_t *push, const json_t *info);

#endif
