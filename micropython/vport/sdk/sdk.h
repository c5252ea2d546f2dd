// Inside of the virtual SDK.
#ifndef VSDK_SDK_H
#define VSDK_SDK_H

#include <stdint.h>

// Take what has arrived at the UART, as the receive interrupt does on a real chip.
void sdk_uart_poll(void);

// The network: noradio.c or net/link.c.
void sdk_net_start(void);
void sdk_net_poll(void);

extern const uint32_t vport_ballast[], vport_iram_ballast[], vport_data_ballast[];

// A random number.
uint32_t vport_random(void);

#endif  // VSDK_SDK_H
