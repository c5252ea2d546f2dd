// SPI1, the controller by which a program gives the flash chip commands.
#ifndef VBOARD_ESP32C3_SPI1_H
#define VBOARD_ESP32C3_SPI1_H

#include <stdint.h>

// A store to the command register: the command runs at once, and the register is 0 again.
void spi1_run(uint32_t command);

#endif
