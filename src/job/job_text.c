// What went wrong with an upgrade, in words.

#include "job/job_parts.h"
#include "molt/error.h"

// What the trouble alone says.
static const char *const texts[] = {
    [MOLT_JOB_TROUBLE_CHIP] = "the image is for another chip; take one that is built for this one",
    [MOLT_JOB_TROUBLE_NO_HEAD] =
        "the image needs Espressif's second-stage boot loader in front of it; the mask ROM cannot start it",
    [MOLT_JOB_TROUBLE_EXTENTS] =
        "the file's blocks do not hold the file's bytes: it is being written, or the filesystem is damaged; copy the file again",
    [MOLT_JOB_TROUBLE_SAVED] = "the present first sector could not be saved on the filesystem",
    [MOLT_JOB_TROUBLE_PENDING] = "an upgrade is already prepared; reset to carry it out, or cancel it",
    [MOLT_JOB_TROUBLE_TRIAL] = "the firmware is on trial; confirm it first, or let the trial end",
    [MOLT_JOB_TROUBLE_FLASH] = "the flash chip does not do what it is told; try again, and if that does not help it is worn out",
    [MOLT_JOB_TROUBLE_LOADER] =
        "the resident boot loader cannot load this image: it brings a boot loader of its own or needs the "
        "memory of molt's; uninstall resident mode first",
    [MOLT_JOB_TROUBLE_FALLBACK] = "something to fall back on needs resident mode; install it first",
    [MOLT_JOB_TROUBLE_NO_TRIALS] =
        "there is no room for trials between boot loader and partition table: upgrade without a fallback",
    [MOLT_JOB_TROUBLE_STANDBY] = "the standby loader or its row in the partition table is damaged; install it again",
    [MOLT_JOB_TROUBLE_CANCELLED] = "an upgrade was taken back; reset first, so that the firmware's first byte is put back",
    [MOLT_JOB_TROUBLE_NO_HASH] =
        "the image has no SHA-256 at its end, by which the boot loader knows that it is whole; build it with one",
    [MOLT_JOB_TROUBLE_REVISION] = "the image is for other revisions of this chip; take one that is built for this one",
    [MOLT_JOB_TROUBLE_NO_GZIP] = "the boot loader of this chip takes no gzip files; decompress it first",
    [MOLT_JOB_TROUBLE_NO_WINDOW] = "there is not enough memory to unpack the gzip file",
    [MOLT_JOB_TROUBLE_WINDOW] = "unpacking needs more memory than there is; `molt compress` makes a file that needs less",
    [MOLT_JOB_TROUBLE_BOMB] = "the gzip file unpacks to more than code can run from",
    [MOLT_JOB_TROUBLE_DELTA] = "the delta file is damaged or cut short; copy it again",
    [MOLT_JOB_TROUBLE_NO_DELTA] = "the boot loader of this chip takes no delta files; take the image itself",
    [MOLT_JOB_TROUBLE_DELTA_KIND] =
        "the delta file is of a version or size that this molt does not know; make it with the `molt delta` "
        "that belongs to this molt, or take the image itself",
    [MOLT_JOB_TROUBLE_DELTA_OTHER] =
        "the delta file is made for another firmware than the one on this device; make one from that, or take "
        "the image itself",
    [MOLT_JOB_TROUBLE_DELTA_ERASE] =
        "a delta file keeps what it needs on the filesystem, which therefore cannot be erased; take the image itself",
    [MOLT_JOB_TROUBLE_DELTA_BACK] =
        "the delta file to fall back on does not lead from the new firmware to the one on this device; make it "
        "with `molt delta NEW OLD` of the same two files, or take the image itself",
    [MOLT_JOB_TROUBLE_DELTA_TRIAL] =
        "this chip's loader has no room for a trial of a delta file, or for falling back by one; leave the "
        "fallback out, or take the image itself",
    [MOLT_JOB_TROUBLE_SLOT_FALLBACK] =
        "with OTA slots the firmware that runs now is what a trial falls back on: take no other file for it",
    [MOLT_JOB_TROUBLE_SLOT_ERASE] =
        "with OTA slots there is no boot loader of molt's that would erase the filesystem: leave out erase_all",
    [MOLT_JOB_TROUBLE_EXTENSIONS] =
        "of the file and the one to fall back on one is a gzip file and one a delta file, and an upgrade has "
        "room for the code to read one kind; unpack the gzip file",
};

const char *molt_job_text(const molt_job_t *job, int err) {
    if (job->trouble < sizeof texts / sizeof texts[0] && texts[job->trouble]) {
        return texts[job->trouble];
    }
    switch ((int)job->trouble) {
        case MOLT_JOB_TROUBLE_FILE:
            return err == MOLT_ERR_CORRUPT ? "the filesystem is damaged where the file is; copy the file again"
                                           : "the file cannot be read; copy it again";
        case MOLT_JOB_TROUBLE_IMAGE:
            return molt_image_defect_text(job->image.defect);
        case MOLT_JOB_TROUBLE_REFUSED:
            return molt_refusal_text(job->refusal.reason);
        case MOLT_JOB_TROUBLE_GZIP:
            return err == MOLT_ERR_NOTSUP
                       ? "something follows the gzip data, or it is of a kind that nobody makes; a file of one "
                         "ordinary gzip member is needed"
                       : "the gzip file is damaged or cut short; copy it again";
        case MOLT_JOB_TROUBLE_RESIDENT:
            return err == MOLT_ERR_NOTSUP
                       ? "the resident boot loader is one of another version of molt; upgrade with the firmware "
                         "that it came with"
                       : "the resident boot loader is damaged; install resident mode again, which repairs it";
        default:
            break;
    }
    return err == MOLT_ERR_INVAL ? "a step of the upgrade was left out, or a number of its configuration is out of its range"
           : err                 ? "unknown error"
                                 : "no error";
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
