// Of molt's core what the ESP32 family has beside core.c: standby mode, OTA slots, the chip's target, SHA-1.

#include "base/sha1.c"

#include "upgrade/marks.c"
#include "upgrade/trial.c"

#include "slots/otadata.c"
#include "slots/slots.c"
#include "slots/slots_text.c"

#include "standby/commit.c"
#include "standby/install.c"
#include "standby/loader_image.c"
#include "standby/standby_text.c"
#include "standby/survey.c"
#include "standby/trial.c"

#include "map/partition.c"

#include "job/job_slots.c"
#include "job/job_standby.c"
#include "job/status.c"

#include "ports/esp32/molt_esp32.c"
