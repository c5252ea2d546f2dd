// Peripheral registers of the ESP8266, as far as MicroPython's port names them.
//
// On the virtual board they are plain memory: a write is kept, nothing moves.
#ifndef VSDK_EAGLE_SOC_H
#define VSDK_EAGLE_SOC_H

#include "c_types.h"

#define READ_PERI_REG(addr) (*(volatile uint32_t *)(addr))
#define WRITE_PERI_REG(addr, val) (READ_PERI_REG(addr) = (uint32_t)(val))
#define SET_PERI_REG_MASK(addr, mask) WRITE_PERI_REG(addr, READ_PERI_REG(addr) | (mask))
#define CLEAR_PERI_REG_MASK(addr, mask) WRITE_PERI_REG(addr, READ_PERI_REG(addr) & ~(mask))

#define APB_CLK_FREQ 80000000

// GPIO
#define PERIPHS_GPIO_BASEADDR 0x60000300
#define GPIO_OUT_ADDRESS 0x00
#define GPIO_OUT_W1TS_ADDRESS 0x04
#define GPIO_OUT_W1TC_ADDRESS 0x08
#define GPIO_ENABLE_ADDRESS 0x0c
#define GPIO_IN_ADDRESS 0x18
#define GPIO_STATUS_ADDRESS 0x1c
#define GPIO_STATUS_W1TC_ADDRESS 0x24
#define GPIO_PIN0_ADDRESS 0x28
#define GPIO_REG_READ(reg) READ_PERI_REG(PERIPHS_GPIO_BASEADDR + (reg))
#define GPIO_REG_WRITE(reg, val) WRITE_PERI_REG(PERIPHS_GPIO_BASEADDR + (reg), val)

// Timer FRC1
#define PERIPHS_TIMER_BASEDDR 0x60000600
#define FRC1_LOAD_ADDRESS 0x00
#define FRC1_CTRL_ADDRESS 0x08
#define FRC1_INT_ADDRESS 0x0c
#define FRC1_INT_CLR_MASK 0x01
#define RTC_REG_WRITE(reg, val) WRITE_PERI_REG(PERIPHS_TIMER_BASEDDR + (reg), val)
#define RTC_CLR_REG_MASK(reg, mask) CLEAR_PERI_REG_MASK(PERIPHS_TIMER_BASEDDR + (reg), mask)

// RTC domain: GPIO16 and the RTC memory, 64 words for the SDK and 128 for the user
#define PERIPHS_RTC_BASEADDR 0x60000700
#define RTC_GPIO_OUT (PERIPHS_RTC_BASEADDR + 0x68)
#define RTC_GPIO_ENABLE (PERIPHS_RTC_BASEADDR + 0x74)
#define RTC_GPIO_IN_DATA (PERIPHS_RTC_BASEADDR + 0x8c)
#define RTC_GPIO_CONF (PERIPHS_RTC_BASEADDR + 0x90)
#define PAD_XPD_DCDC_CONF (PERIPHS_RTC_BASEADDR + 0xa0)
#define RTC_MEMORY_BASEADDR 0x60001100

// Pin multiplexer
#define PERIPHS_IO_MUX 0x60000800
#define PERIPHS_IO_MUX_MTDI_U (PERIPHS_IO_MUX + 0x04)
#define PERIPHS_IO_MUX_MTCK_U (PERIPHS_IO_MUX + 0x08)
#define PERIPHS_IO_MUX_MTMS_U (PERIPHS_IO_MUX + 0x0c)
#define PERIPHS_IO_MUX_MTDO_U (PERIPHS_IO_MUX + 0x10)
#define PERIPHS_IO_MUX_U0RXD_U (PERIPHS_IO_MUX + 0x14)
#define PERIPHS_IO_MUX_U0TXD_U (PERIPHS_IO_MUX + 0x18)
#define PERIPHS_IO_MUX_SD_CLK_U (PERIPHS_IO_MUX + 0x1c)
#define PERIPHS_IO_MUX_SD_DATA0_U (PERIPHS_IO_MUX + 0x20)
#define PERIPHS_IO_MUX_SD_DATA1_U (PERIPHS_IO_MUX + 0x24)
#define PERIPHS_IO_MUX_SD_DATA2_U (PERIPHS_IO_MUX + 0x28)
#define PERIPHS_IO_MUX_SD_DATA3_U (PERIPHS_IO_MUX + 0x2c)
#define PERIPHS_IO_MUX_SD_CMD_U (PERIPHS_IO_MUX + 0x30)
#define PERIPHS_IO_MUX_GPIO0_U (PERIPHS_IO_MUX + 0x34)
#define PERIPHS_IO_MUX_GPIO2_U (PERIPHS_IO_MUX + 0x38)
#define PERIPHS_IO_MUX_GPIO4_U (PERIPHS_IO_MUX + 0x3c)
#define PERIPHS_IO_MUX_GPIO5_U (PERIPHS_IO_MUX + 0x40)
#define PERIPHS_IO_MUX_PULLUP BIT7
#define FUNC_GPIO0 0
#define FUNC_GPIO1 3
#define FUNC_GPIO2 0
#define FUNC_GPIO3 3
#define FUNC_GPIO4 0
#define FUNC_GPIO5 0
#define FUNC_GPIO9 3
#define FUNC_GPIO10 3
#define FUNC_GPIO12 3
#define FUNC_GPIO13 3
#define FUNC_GPIO14 3
#define FUNC_GPIO15 3

#define PIN_PULLUP_DIS(pin) CLEAR_PERI_REG_MASK(pin, PERIPHS_IO_MUX_PULLUP)
#define PIN_PULLUP_EN(pin) SET_PERI_REG_MASK(pin, PERIPHS_IO_MUX_PULLUP)
// The three bits of the function number lie at 4, 5 and 8.
#define PIN_FUNC_SELECT(pin, func) WRITE_PERI_REG(pin, (READ_PERI_REG(pin) & ~0x130u) | ((func)&4) << 6 | ((func)&3) << 4)

#endif  // VSDK_EAGLE_SOC_H
