// What an image is and what is wrong with one, in words.

#include "image/image.h"

const char *molt_image_defect_text(molt_image_defect_t defect) {
    switch (defect) {
        case MOLT_IMAGE_FINE:
            return "nothing is wrong";
        case MOLT_IMAGE_EMPTY:
            return "the file is empty; copy it again";
        case MOLT_IMAGE_TOO_SHORT:
            return "the file ends before the image does; it is cut short, copy it again";
        case MOLT_IMAGE_ERASED:
            return "the file begins with 0xFF bytes; it is erased flash, or a dump in which the image stands "
                   "further on";
        case MOLT_IMAGE_COMPRESSED:
            return "the file is compressed with gzip; decompress it first";
        case MOLT_IMAGE_BAD_MAGIC:
            return "the file is no firmware image; one begins with the byte 0xE9 or 0xEA";
        case MOLT_IMAGE_UNKNOWN_CHIP:
            return "the image is for a chip of the ESP32 family that molt does not know";
        case MOLT_IMAGE_BAD_SEGMENT_COUNT:
            return "the number of segments in the header cannot be right; the file is damaged or no firmware image";
        case MOLT_IMAGE_BAD_MODE:
            return "the header states a flash mode, size or frequency that no chip has; set it with esptool's flash "
                   "options, or get the file again";
        case MOLT_IMAGE_BAD_SEGMENT_SIZE:
            return "a segment reaches past the end of the file; it is cut short or damaged, copy it again";
        case MOLT_IMAGE_BAD_ADDRESS:
            return "a segment belongs to an address where the chip has no memory for it; the file is damaged, or made "
                   "to be started by another boot loader";
        case MOLT_IMAGE_BAD_ENTRY:
            return "the entry point lies in no segment that holds code; the file is damaged";
        case MOLT_IMAGE_BAD_CHECKSUM:
            return "the checksum of the segments is wrong; the file is damaged, copy it again";
        case MOLT_IMAGE_BAD_SIZE_WORD:
            return "MicroPython's size word is smaller than the image's first part; the file is damaged, copy it again";
        case MOLT_IMAGE_TRUNCATED:
            return "the file is shorter than its own size word says; it is cut short, copy it again";
        case MOLT_IMAGE_NO_MAPPED_PART:
            return "the code refers to flash behind the end of the file; it is cut short, or the first of two files "
                   "that have to be joined";
        case MOLT_IMAGE_BAD_MD5:
            return "the MD5 at the end of the image is wrong; the file is damaged, copy it again";
        case MOLT_IMAGE_BAD_CRC:
            return "the CRC of the image is wrong; the file is damaged, copy it again";
        case MOLT_IMAGE_BAD_SHA256:
            return "the SHA-256 at the end of the image is wrong; the file is damaged, copy it again";
        case MOLT_IMAGE_BAD_INNER:
            return "the boot loader is there, but what it has to start is no image; the file is damaged, copy it again";
        case MOLT_IMAGE_DEFECT_COUNT:
            break;
    }
    return "the file is no firmware image that molt knows";
}

const char *molt_image_kind_text(molt_image_kind_t kind) {
    switch (kind) {
        case MOLT_IMAGE_KIND_UNKNOWN:
            break;
        case MOLT_IMAGE_KIND_ESP8266:
            return "ESP8266 image";
        case MOLT_IMAGE_KIND_MICROPYTHON:
            return "MicroPython firmware for ESP8266";
        case MOLT_IMAGE_KIND_ARDUINO:
            return "Arduino firmware for ESP8266 (eboot and sketch)";
        case MOLT_IMAGE_KIND_ESP8266_V2:
            return "ESP8266 image of the SDK's second-stage boot loader";
        case MOLT_IMAGE_KIND_ESP32:
            return "ESP32-family image";
    }
    return "unknown";
}

const char *molt_chip_text(molt_chip_t chip) {
    switch (chip) {
        case MOLT_CHIP_UNKNOWN:
            break;
        case MOLT_CHIP_ESP8266:
            return "ESP8266";
        case MOLT_CHIP_ESP32:
            return "ESP32";
        case MOLT_CHIP_ESP32S2:
            return "ESP32-S2";
        case MOLT_CHIP_ESP32S3:
            return "ESP32-S3";
        case MOLT_CHIP_ESP32C2:
            return "ESP32-C2";
        case MOLT_CHIP_ESP32C3:
            return "ESP32-C3";
        case MOLT_CHIP_ESP32C5:
            return "ESP32-C5";
        case MOLT_CHIP_ESP32C6:
            return "ESP32-C6";
        case MOLT_CHIP_ESP32C61:
            return "ESP32-C61";
        case MOLT_CHIP_ESP32H2:
            return "ESP32-H2";
        case MOLT_CHIP_ESP32P4:
            return "ESP32-P4";
        case MOLT_CHIP_ESP32H4:
            return "ESP32-H4";
        case MOLT_CHIP_ESP32H21:
            return "ESP32-H21";
    }
    return "unknown";
}
