// The template's flash chip. See flash.c.
#ifndef MOLT_TEMPLATE_FLASH_H
#define MOLT_TEMPLATE_FLASH_H

#include "molt/flash.h"

extern const molt_flash_t molt_template_flash;

#endif
