// SPI0, the ESP8266's unit that talks to the flash chip, by its registers at 0x60000200. A command is over as soon as its
// register is written; what it takes on the wires is told to the clock.
// Source of registers and bits: ESP8266 Technical Reference, SPI registers; spi_register.h of Espressif's SDKs.
#ifndef MASKROM_SPI_H
#define MASKROM_SPI_H

#include <stdbool.h>
#include <stdint.h>

#include "nor.h"

#define SPI_REGISTERS_SIZE 0x100u

typedef struct spi {
    nor_t *nor;
    uint32_t registers[SPI_REGISTERS_SIZE / 4];
    bool has_unknown;  // a command that the model does not have
    uint32_t unknown;  // its bits
} spi_t;

void spi_reset(spi_t *spi);

uint32_t spi_load(const spi_t *spi, uint32_t off);

// Returns the nanoseconds that the wires are busy.
uint64_t spi_store(spi_t *spi, uint32_t off, uint32_t value, uint64_t now_ns);

#endif
