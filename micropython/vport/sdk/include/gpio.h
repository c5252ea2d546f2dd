// GPIO registers and their fields.
#ifndef VSDK_GPIO_H
#define VSDK_GPIO_H

#include "ets_sys.h"

#define GPIO_ID_PIN(n) (n)
#define GPIO_PIN_ADDR(n) (GPIO_PIN0_ADDRESS + (n)*4)
#define GPIO_INPUT_GET(n) (GPIO_REG_READ(GPIO_IN_ADDRESS) >> (n)&1)

#define GPIO_PIN_INT_TYPE_MASK 0x380
#define GPIO_PIN_INT_TYPE_GET(pin) (((pin)&GPIO_PIN_INT_TYPE_MASK) >> 7)
#define GPIO_PIN_INT_TYPE_SET(type) ((type) << 7 & GPIO_PIN_INT_TYPE_MASK)
#define GPIO_PIN_PAD_DRIVER_SET(drive) ((drive) << 2)
#define GPIO_PAD_DRIVER_ENABLE 1
#define GPIO_PIN_INTR_POSEDGE 1
#define GPIO_PIN_INTR_NEGEDGE 2

void gpio_output_set(uint32 set, uint32 clear, uint32 enable, uint32 disable);

#endif  // VSDK_GPIO_H
