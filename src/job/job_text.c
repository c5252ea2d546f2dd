// What went wrong with an upgrade, in words.

#include "job/job_parts.h"
#include "molt/error.h"

static const char *gzip_text(molt_job_trouble_t trouble, int err) {
    switch ((int)trouble) {
        case MOLT_JOB_TROUBLE_GZIP:
            return err == MOLT_ERR_NOTSUP
                       ? "something follows the gzip data, or it is of a kind that nobody makes; a file of one "
                         "ordinary gzip member is needed"
                       : "the gzip file is damaged or cut short; copy it again";
        case MOLT_JOB_TROUBLE_NO_GZIP:
            return "the boot loader of this chip takes no gzip files; decompress it first";
        case MOLT_JOB_TROUBLE_NO_WINDOW:
            return "there is not enough memory to unpack the gzip file";
        case MOLT_JOB_TROUBLE_WINDOW:
            return "unpacking needs more memory than there is; `molt compress` makes a file that needs less";
        default:
            return "the gzip file unpacks to more than code can run from";
    }
}

static const char *delta_text(molt_job_trouble_t trouble) {
    switch ((int)trouble) {
        case MOLT_JOB_TROUBLE_DELTA:
            return "the delta file is damaged or cut short; copy it again";
        case MOLT_JOB_TROUBLE_NO_DELTA:
            return "the boot loader of this chip takes no delta files; take the image itself";
        case MOLT_JOB_TROUBLE_DELTA_KIND:
            return "the delta file is of a version or size that this molt does not know; make it with the `molt delta` that belongs to "
                   "this molt, or take the image itself";
        case MOLT_JOB_TROUBLE_DELTA_OTHER:
            return "the delta file is made for another firmware than the one on this device; make one from that, or take the image itself";
        case MOLT_JOB_TROUBLE_DELTA_TRIAL:
            return "this chip's loader has no room for a trial of a delta file, or for falling back by one; leave the fallback out, or take "
                   "the image itself";
        case MOLT_JOB_TROUBLE_DELTA_ERASE:
            return "a delta file keeps what it needs on the filesystem, which therefore cannot be erased; take the image itself";
        case MOLT_JOB_TROUBLE_EXTENSIONS:
            return "of the file and the one to fall back on one is a gzip file and one a delta file, and an upgrade has room for the code to "
                   "read one kind; unpack the gzip file";
        default:
            return "the delta file to fall back on does not lead from the new firmware to the one on this device; make it with `molt "
                   "delta NEW OLD` of the same two files, or take the image itself";
    }
}

static const char *resident_text(molt_job_trouble_t trouble, int err) {
    switch ((int)trouble) {
        case MOLT_JOB_TROUBLE_RESIDENT:
            return err == MOLT_ERR_NOTSUP
                       ? "the resident boot loader is one of another version of molt; upgrade with the firmware "
                         "that it came with"
                       : "the resident boot loader is damaged; install resident mode again, which repairs it";
        case MOLT_JOB_TROUBLE_FALLBACK:
            return "something to fall back on needs resident mode; install it first";
        default:
            return "the resident boot loader cannot load this image: it brings a boot loader of its own or needs the "
                   "memory of molt's; uninstall resident mode first";
    }
}

static const char *standby_text(molt_job_trouble_t trouble) {
    switch ((int)trouble) {
        case MOLT_JOB_TROUBLE_STANDBY:
            return "the standby loader or its row in the partition table is damaged; install it again";
        case MOLT_JOB_TROUBLE_CANCELLED:
            return "an upgrade was taken back; reset first, so that the firmware's first byte is put back";
        case MOLT_JOB_TROUBLE_NO_HASH:
            return "the image has no SHA-256 at its end, by which the boot loader knows that it is whole; build it with one";
        case MOLT_JOB_TROUBLE_REVISION:
            return "the image is for other revisions of this chip; take one that is built for this one";
        case MOLT_JOB_TROUBLE_SLOT_FALLBACK:
            return "with OTA slots the firmware that runs now is what a trial falls back on: take no other file for it";
        case MOLT_JOB_TROUBLE_SLOT_ERASE:
            return "with OTA slots there is no boot loader of molt's that would erase the filesystem: leave out erase_all";
        default:
            return "there is no room for trials between boot loader and partition table: upgrade without a fallback";
    }
}

const char *molt_job_text(const molt_job_t *job, int err) {
    switch (job->trouble) {
        case MOLT_JOB_TROUBLE_NONE:
            break;
        case MOLT_JOB_TROUBLE_FILE:
            return err == MOLT_ERR_CORRUPT ? "the filesystem is damaged where the file is; copy the file again"
                                           : "the file cannot be read; copy it again";
        case MOLT_JOB_TROUBLE_IMAGE:
            return molt_image_defect_text(job->image.defect);
        case MOLT_JOB_TROUBLE_CHIP:
            return "the image is for another chip; take one that is built for this one";
        case MOLT_JOB_TROUBLE_NO_HEAD:
            return "the image needs Espressif's second-stage boot loader in front of it; the mask ROM cannot start it";
        case MOLT_JOB_TROUBLE_REFUSED:
            return molt_refusal_text(job->refusal.reason);
        case MOLT_JOB_TROUBLE_EXTENTS:
            return "the file's blocks do not hold the file's bytes: it is being written, or the filesystem is damaged; copy the file again";
        case MOLT_JOB_TROUBLE_SAVED:
            return "the present first sector could not be saved on the filesystem";
        case MOLT_JOB_TROUBLE_PENDING:
            return "an upgrade is already prepared; reset to carry it out, or cancel it";
        case MOLT_JOB_TROUBLE_TRIAL:
            return "the firmware is on trial; confirm it first, or let the trial end";
        case MOLT_JOB_TROUBLE_RESIDENT:
        case MOLT_JOB_TROUBLE_FALLBACK:
        case MOLT_JOB_TROUBLE_LOADER:
            return resident_text(job->trouble, err);
        case MOLT_JOB_TROUBLE_STANDBY:
        case MOLT_JOB_TROUBLE_CANCELLED:
        case MOLT_JOB_TROUBLE_NO_HASH:
        case MOLT_JOB_TROUBLE_REVISION:
        case MOLT_JOB_TROUBLE_NO_TRIALS:
        case MOLT_JOB_TROUBLE_SLOT_FALLBACK:
        case MOLT_JOB_TROUBLE_SLOT_ERASE:
            return standby_text(job->trouble);
        case MOLT_JOB_TROUBLE_GZIP:
        case MOLT_JOB_TROUBLE_NO_GZIP:
        case MOLT_JOB_TROUBLE_NO_WINDOW:
        case MOLT_JOB_TROUBLE_WINDOW:
        case MOLT_JOB_TROUBLE_BOMB:
            return gzip_text(job->trouble, err);
        case MOLT_JOB_TROUBLE_DELTA:
        case MOLT_JOB_TROUBLE_NO_DELTA:
        case MOLT_JOB_TROUBLE_DELTA_KIND:
        case MOLT_JOB_TROUBLE_DELTA_OTHER:
        case MOLT_JOB_TROUBLE_DELTA_TRIAL:
        case MOLT_JOB_TROUBLE_DELTA_ERASE:
        case MOLT_JOB_TROUBLE_DELTA_BACK:
        case MOLT_JOB_TROUBLE_EXTENSIONS:
            return delta_text(job->trouble);
        case MOLT_JOB_TROUBLE_FLASH:
            return "the flash chip does not do what it is told; try again, and if that does not help it is worn out";
    }
    return err == MOLT_ERR_INVAL ? "a step of the upgrade was left out" : err ? "unknown error" : "no error";
}

bool molt_job_numbers(const molt_job_t *job, uint32_t *need, uint32_t *limit) {
    if (job->trouble == MOLT_JOB_TROUBLE_IMAGE) {
        *need = job->image.defect_off;
        *limit = job->image.size;
    } else {
        *need = job->refusal.need;
        *limit = job->refusal.limit;
    }
    return job->trouble == MOLT_JOB_TROUBLE_IMAGE || job->trouble == MOLT_JOB_TROUBLE_REFUSED;
}
