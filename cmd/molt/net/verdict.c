// What is made of what a device says of itself.

#include "verdict.h"

#include <string.h>

#include "form.h"

// Seconds by which the device's clock and this computer's may differ since the order.
#define CLOCK_SLACK 3

const char *verdict_result(const json_t *info) {
    const char *result = json_string_value(json_object_get(json_object_get(info, "status"), "result"));
    return result ? result : "";
}

const char *verdict_obstacle(const push_t *push, const json_t *info) {
    const char *result = verdict_result(info);
    if (!json_is_string(json_object_get(info, "version"))) {
        return "what answers there is not molt_web; check address and port";
    }
    if (!json_is_null(json_object_get(info, "pending"))) {
        return "an upgrade is prepared on it already: restart it to carry that out, or take it back with molt.cancel(), and push again";
    }
    if (strcmp(result, "trial") == 0) {
        return "its firmware is on trial: call molt.confirm() there to keep it, or restart it until the old one is back, and push again";
    }
    if (push->options->wants_trial && !json_is_true(json_object_get(info, "trial"))) {
        return "a trial needs resident mode (an ESP32: molt's loader, of a chip that has room for trials), which it has not: molt.install() "
               "there, once, or push without --trial";
    }
    return NULL;
}

const char *verdict_fault(const push_t *push, const char *result) {
    if (strcmp(result, "rolled back") == 0) {
        return "the new firmware was not confirmed in time, and the old one is back";
    }
    if (strcmp(result, "restored") == 0) {
        return "the file had changed when the boot loader read it, and the old firmware was kept";
    }
    if (*push->to && !form_is_version(push->now, push->to)) {
        return "it does not run the new firmware, and does not say why";
    }
    if (strcmp(result, "ok") != 0 && strcmp(result, "confirmed") != 0) {
        return "it does not say that it has upgraded; push again, and it is compared with the image";
    }
    if (push->options->wants_trial && strcmp(result, "confirmed") != 0) {
        return "it runs the new firmware, but not as one that was on trial and confirmed";
    }
    return NULL;
}

bool verdict_is_untouched(const push_t *push, const json_t *info) {
    const char *boot = json_string_value(json_object_get(info, "boot"));
    if (boot && *push->boot) {
        return strcmp(boot, push->boot) == 0;
    }
    int64_t since_s = (int64_t)((http_now_ms() - push->ordered_ms) / 1000);
    return form_number(info, "up") > since_s + CLOCK_SLACK;
}
