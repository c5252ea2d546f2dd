// Calls into the mask ROM. It lies outside the reach of call0 (512 KB), so each function has a stepping stone here:
// six bytes of code and a literal, instead of a literal and a longer call at each place that calls.
// Source of the addresses: the ROM address table that Espressif ships with its SDK (eagle.rom.addr.v6.ld).

    .macro rom_call name, address
    .section .text.\name, "ax"
    .align 4
    .literal .L\name, \address
    .global \name
    .type \name, @function
\name:
    l32r a8, .L\name
    jx a8
    .size \name, . - \name
    .endm

    .literal_position
    rom_call SPIRead, 0x40004b1c
    rom_call SPIWrite, 0x40004a4c
    rom_call SPIEraseSector, 0x40004a00
    rom_call SPIEraseBlock, 0x400049b4
    rom_call SPIUnlock, 0x40004878
    rom_call SPI_read_status, 0x400043c8
    rom_call ets_delay_us, 0x40002ecc
    rom_call ets_wdt_disable, 0x400030f0
    rom_call ets_wdt_enable, 0x40002fa0
    rom_call uart_tx_one_char, 0x40003b30
    rom_call ets_printf, 0x400024cc
    rom_call software_reset, 0x4000264c
    // The ROM has SHA-1, with the layout of molt_sha1_t and the arguments of molt/sha1.h.
    rom_call molt_sha1_init, 0x4000b584
    rom_call molt_sha1_update, 0x4000b5a8
    rom_call molt_sha1_finish, 0x4000b648
    rom_call memcmp, 0x4000dea8
    rom_call memcpy, 0x4000df48
    rom_call memmove, 0x4000e04c
    rom_call memset, 0x4000e190
    rom_call __udivsi3, 0x4000e21c
    rom_call __umodsi3, 0x4000e268
