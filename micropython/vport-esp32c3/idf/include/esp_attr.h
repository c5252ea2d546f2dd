#ifndef VPORT_ESP_ATTR_H
#define VPORT_ESP_ATTR_H

#define IRAM_ATTR __attribute__((section(".iram.text"), noinline))
#define DRAM_ATTR __attribute__((section(".dram.data")))
#define RTC_NOINIT_ATTR __attribute__((section(".rtc_noinit")))

#endif
