// A diagnosis: what board a dump is of, which ways of upgrading it has, what is in the way, what to do next.
#ifndef MOLT_CMD_DOCTOR_H
#define MOLT_CMD_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "dumpfs.h"
#include "files.h"
#include "say.h"
#include "survey.h"

#define DOCTOR_IMAGES_MAX 8

typedef enum doctor_way {
    DOCTOR_WAY_RAW,       // an image file as it is
    DOCTOR_WAY_GZIP,      // one that is compressed
    DOCTOR_WAY_RESIDENT,  // no power cut is fatal
    DOCTOR_WAY_MAP,       // another flash map first
    DOCTOR_WAY_STANDBY,   // an ESP32: the only way, in which no power cut is fatal
    DOCTOR_WAY_SLOTS,     // or, where its table has OTA slots, this one
    DOCTOR_WAY_COUNT,
} doctor_way_t;

// A file on the filesystem that looks like a firmware.
typedef struct doctor_image {
    char path[FILES_PATH_MAX];
    uint32_t size;
    bool is_possible;
    bool is_in_place;
    char text[640];  // what it is, or why it cannot be put in
} doctor_image_t;

typedef struct doctor {
    dumpfs_t *dump;
    survey_t survey;
    bool has_map;
    bool can_upgrade;    // an ESP32: it is in standby mode, or can be; an ESP8266: always
    bool needs_install;  // an ESP32: standby mode is not installed, or damaged, and can be put in
    bool has_files;      // the filesystem can be used
    uint32_t free_size;  // bytes free in it
    uint32_t need_size;  // bytes that an image of the present firmware's size takes there, molt.head included; 0: not known
    uint32_t need_gzip_size;
    doctor_image_t images[DOCTOR_IMAGES_MAX];
    uint32_t image_count;
    struct {
        bool is_open;
        char text[240];  // "": this board does not know that way
    } ways[DOCTOR_WAY_COUNT];
    say_notes_t obstacles;
    char next[FILES_PATH_MAX + 400];  // a command line
} doctor_t;

// Examine the dump at args->positional[0], which is open. `doctor` is large: from calloc().
// Returns 0, or 1 after having said what is wrong.
int doctor_examine(doctor_t *doctor, dumpfs_t *dump, const args_t *args);

const char *doctor_way_name(doctor_way_t way);

// What starts the firmware.
void doctor_boot_text(const doctor_t *doctor, char *text, uint32_t text_size);

// "MicroPython firmware for ESP8266, 614400 bytes (600 KB)", or what is there instead.
void doctor_firmware_text(const doctor_t *doctor, char *text, uint32_t text_size);

// "littlefs at 0x100000, 3052 KB, of which 2 MB are free", or what there is instead.
void doctor_filesystem_text(const doctor_t *doctor, char *text, uint32_t text_size);

#endif
