// What the images of ESP chips begin with.
#ifndef MOLT_BASE_APP_IMAGE_H
#define MOLT_BASE_APP_IMAGE_H

// The first byte of what a mask ROM or a second-stage boot loader starts. Source: esptool, "Firmware Image Format".
#define MOLT_APP_MAGIC 0xe9u

#endif
