// A firmware as the user gives it.

#include "given.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"
#include "describe.h"
#include "dump.h"
#include "dumpfs.h"
#include "files.h"
#include "gunzip.h"
#include "molt_esp8266.h"
#include "say.h"

#define FILE_SIZE_MAX (16u << 20)
#define SECTOR_SIZE 4096u

// Why no image can be taken from this dump, or NULL.
static const char *trouble_of(const dumpfs_t *dump) {
    const firmware_t *firmware = &dump->firmware;
    if (dump->board.is_esp32) {
        return "this is a dump of an ESP32's flash; give the image that its firmware was made from";
    }
    if (firmware->state == FIRMWARE_UPGRADING) {
        return "an upgrade is in progress in this dump; molt boot goes on with it";
    }
    if (firmware_loader_text(firmware)) {
        return firmware_loader_text(firmware);
    }
    if (firmware->state != FIRMWARE_WHOLE) {
        return molt_image_defect_text(firmware->image.defect);
    }
    return firmware->end ? NULL : "the firmware in this dump does not say where it ends; give the image that it was made from";
}

// The image in a dump, with its own first sector, instead of the dump.
static int take_from_dump(given_t *given) {
    dumpfs_t dump;
    int status = dumpfs_load(&dump, given->path);
    const char *trouble = status ? NULL : trouble_of(&dump);
    if (trouble) {
        status = say_fail("%s: %s", given->path, trouble);
    }
    if (!status) {
        given->is_resident = firmware_is_resident(&dump.firmware);
        given->head_addr = dump.firmware.head_addr;
        given->size = dump.firmware.end;
        memmove(given->bytes, given->bytes + given->head_addr, given->size < SECTOR_SIZE ? given->size : SECTOR_SIZE);
    }
    dumpfs_close(&dump);
    return status;
}

int given_load(given_t *given, const char *path) {
    *given = (given_t){ .path = path };
    if (files_load_host(path, FILE_SIZE_MAX, &given->bytes, &given->size)) {
        given->bytes = NULL;
        return 1;
    }
    if (given->size >= 4 && molt_delta_is_patch(given->bytes)) {
        return say_fail("%s: this is a delta file; give the firmware that it makes", path);
    }
    given->is_gzip = gunzip_is_gzip(given->bytes, given->size);
    given->is_dump = !given->is_gzip && sim_dump_is_size(given->size);
    const char *trouble = given->is_gzip ? gunzip(&given->bytes, &given->size) : NULL;
    if (trouble) {
        return say_fail("%s: %s", path, trouble);
    }
    if (given->is_gzip && sim_dump_is_size(given->size)) {
        return say_fail("%s: in this gzip file is the dump of a whole chip; unpack it first", path);
    }
    if (given->is_dump && take_from_dump(given)) {
        return 1;
    }
    if (describe_verify(given->bytes, given->size, &given->image) != 0) {
        return say_fail("%s: %s", path, molt_image_defect_text(given->image.defect));
    }
    if (given->image.chip == MOLT_CHIP_ESP8266 && given->size > molt_esp8266.mapped_size) {
        return say_fail("%s: an ESP8266 runs images of up to %u bytes, and this one has %u; build a smaller one", path,
            molt_esp8266.mapped_size, given->size);
    }
    return 0;
}

void given_free(given_t *given) {
    free(given->bytes);
    given->bytes = NULL;
}

void given_tell(const given_t *given) {
    if (!given->is_dump) {
        return;
    }
    printf("%s: a dump; taken is the firmware at its beginning, %s%s%s", given->path, say_bytes(given->size).text,
        *given->image.version ? ", " : "", given->image.version);
    if (given->is_resident) {
        printf(", with its own first sector from 0x%06x (resident mode)", given->head_addr);
    }
    printf("\n");
}
