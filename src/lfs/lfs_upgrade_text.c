// What went wrong with an upgrade, in words.

#include "lfs_upgrade.h"
#include "molt/error.h"

static const char *file_text(int err) {
    switch (err) {
        case MOLT_ERR_NOENT:
            return "there is no such file on the device's littlefs";
        case MOLT_ERR_ISDIR:
            return "this is a directory; name the image file in it";
        case LFS2_ERR_NOTDIR:
            return "a part of the path is a file, not a directory";
        case MOLT_ERR_NOTSUP:
            return "the file is so small that littlefs keeps it inside its directory; it cannot be a firmware";
        case MOLT_ERR_CORRUPT:
            return "the filesystem is damaged where the file is; copy the file again";
        default:
            return "the file cannot be read";
    }
}

const char *molt_upgrade_text(const molt_upgrade_t *upgrade, int err) {
    switch (upgrade->trouble) {
        case MOLT_UPGRADE_TROUBLE_NONE:
            break;
        case MOLT_UPGRADE_TROUBLE_FILE:
            return file_text(err);
        case MOLT_UPGRADE_TROUBLE_IMAGE:
            return molt_image_defect_text(upgrade->image.defect);
        case MOLT_UPGRADE_TROUBLE_CHIP:
            return "the image is for another chip, not for the ESP8266";
        case MOLT_UPGRADE_TROUBLE_NO_HEAD:
            return "the image needs Espressif's second-stage boot loader in front of it; the mask ROM cannot start it";
        case MOLT_UPGRADE_TROUBLE_REFUSED:
            return molt_refusal_text(upgrade->refusal.reason);
        case MOLT_UPGRADE_TROUBLE_EXTENTS:
            return "the file's blocks do not hold the file's bytes: it is being written, or the filesystem is damaged; "
                   "copy the file again";
        case MOLT_UPGRADE_TROUBLE_SAVED:
            return "the present first sector could not be saved on the filesystem";
        case MOLT_UPGRADE_TROUBLE_PENDING:
            return "an upgrade is prepared already; reset to carry it out, or cancel it";
        case MOLT_UPGRADE_TROUBLE_TRIAL:
            return "the firmware is on trial; confirm it first, or let the trial end";
        case MOLT_UPGRADE_TROUBLE_RESIDENT:
            return err == MOLT_ERR_NOTSUP ? "the resident boot loader is one of another version of molt; upgrade with the firmware "
                                            "that it came with"
                                          : "the resident boot loader is damaged; install resident mode again, which repairs it";
        case MOLT_UPGRADE_TROUBLE_FALLBACK:
            return "something to fall back on needs resident mode; install it first";
        case MOLT_UPGRADE_TROUBLE_LOADER:
            return "the resident boot loader cannot load this image: it brings a boot loader of its own or needs the "
                   "memory of molt's; uninstall resident mode first";
        case MOLT_UPGRADE_TROUBLE_GZIP:
            return err == MOLT_ERR_NOTSUP ? "something follows the gzip data, or it is of a kind that nobody makes; a file of one "
                                            "ordinary gzip member is needed"
                                          : "the gzip file is damaged or cut short; copy it again";
        case MOLT_UPGRADE_TROUBLE_NO_WINDOW:
            return "there is not enough memory to unpack the gzip file";
        case MOLT_UPGRADE_TROUBLE_WINDOW:
            return "unpacking needs more memory than there is; `molt compress` makes a file that needs less";
        case MOLT_UPGRADE_TROUBLE_BOMB:
            return "the gzip file unpacks to more than code can run from";
        case MOLT_UPGRADE_TROUBLE_FLASH:
            return "the flash chip does not do what it is told; try again, and if that does not help it is worn out";
    }
    return err ? "unknown error" : "no error";
}
