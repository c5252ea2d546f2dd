// molt's core as one unit, compiled here so that its code lies in this folder's objects (see micropython.mk). SHA-1 is the mask
// ROM's: core_port.c.

#include "base/crc32.c"
#include "base/crc32_shift.c"
#include "base/flash_io.c"
#include "base/md5.c"
#include "base/reader.c"
#include "base/sector.c"
#include "base/sha256.c"

#include "map/map.c"

#include "image/image.c"
#include "image/image_text.c"
#include "image/image_verify.c"

#include "decode/inflate.c"
#include "decode/unpack.c"
#include "decode/unpack_measure.c"

#include "upgrade/apply.c"
#include "upgrade/plan.c"
#include "upgrade/plan_build.c"
#include "upgrade/prepare.c"
#include "upgrade/report.c"

#if MOLT_DELTA
#include "delta/delta_check.c"
#include "delta/delta_decode.c"
#include "delta/delta_file.c"
#include "delta/delta_log.c"
#include "delta/delta_predict.c"
#include "delta/delta_stream.c"
#else
#include "without_delta/delta_none.h"
#endif

#include "resident/load.c"
#include "resident/resident.c"
#include "resident/resident_config.c"
#include "resident/state.c"

#include "job/head_file.c"
#include "job/job.c"
#include "job/job_delta.c"
#include "job/job_text.c"
