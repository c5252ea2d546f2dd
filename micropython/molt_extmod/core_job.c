// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/job/head_file.c"
#include "src/job/job.c"
#include "src/job/job_text.c"
