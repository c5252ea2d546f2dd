// In what form a device is sent the firmware: a delta file, packed, or as it is. `info` is what GET /info says.
#ifndef MOLT_CMD_FORM_H
#define MOLT_CMD_FORM_H

#include "push.h"

// The smallest form that the device takes, has room and memory for, and has not refused. Delta files that are none for it are passed over,
// in push->delta_next. NULL: there is none.
const payload_form_t *form_choose(push_t *push, const json_t *info);

// Why there is none, as a sentence without full stop.
void form_say_none(const push_t *push, const json_t *info, char *text, size_t size);

// Whether there may be another form for a device that has not the memory to check this one.
bool form_has_next(const push_t *push);

// The device has refused this one, a delta file or the packed image: form_choose() does not take it again.
void form_pass_over(push_t *push);

// Whether what is sent is a delta file.
bool form_is_delta(const push_t *push);

// What a device is sent to fall back on if it has nothing of its own for that. It may have no bytes.
const payload_form_t *form_fallback(const push_t *push);

// Whether a device that says `runs` runs the image of this version. Of a long one an image's description has the beginning.
bool form_is_version(const char *runs, const char *version);

// What a device says is a number of bytes or seconds; whatever it says, sums of some of them fit.
int64_t form_number(const json_t *object, const char *key);

#endif
