// Calls into the mask ROM. It lies outside the reach of call0 (512 KB), so each function has a stepping stone here:
// six bytes of code and a literal, instead of a literal and a longer call at each place that calls.
// Source of the addresses: the ROM address table that Espressif ships with its SDK (eagle.rom.addr.v6.ld).

    .macro stone name, address
    .section .text.\name, "ax"
    .align 4
    .literal .L\name, \address
    .global \name
    .type \name, @function
\name:
    .endm

    .macro rom_call name, address
    stone \name, \address
    l32r a8, .L\name
    jx a8
    .size \name, . - \name
    .endm

    // The callbacks of molt_flash_t, by the ROM's functions. Those want no `ctx`, and return 1 or 2 for a failure, where the core wants
    // MOLT_ERR_IO: it decides by errors. Frame: 16 bytes, FLASH_FRAME of tools/size.
    .macro flash_call name, address, shift
    stone \name, \address
    .if \shift == 16
    extui a3, a3, 16, 16
    .elseif \shift
    srli a3, a3, \shift
    .endif
    l32r a8, .L\name
    j call_flash
    .size \name, . - \name
    .endm

    .section .text.call_flash, "ax"
    .align 4
    .global call_flash
    .type call_flash, @function
call_flash:
    addi a1, a1, -16
    s32i.n a0, a1, 0
    mov.n a2, a3
    mov.n a3, a4
    mov.n a4, a5
    callx0 a8
    l32i.n a0, a1, 0
    addi a1, a1, 16
    beqz.n a2, 1f
    movi.n a2, -5
1:
    ret.n
    .size call_flash, . - call_flash

    .literal_position
    // SPIRead, SPIWrite, SPIEraseSector (by its number), SPIEraseBlock.
    flash_call flash_read, 0x40004b1c, 0
    flash_call flash_prog, 0x40004a4c, 0
    flash_call flash_erase_sector, 0x40004a00, 12
    flash_call flash_erase_block, 0x400049b4, 16
    rom_call SPIUnlock, 0x40004878
    rom_call SPI_read_status, 0x400043c8
    rom_call ets_delay_us, 0x40002ecc
    rom_call ets_wdt_disable, 0x400030f0
    rom_call ets_wdt_enable, 0x40002fa0
    rom_call uart_tx_one_char, 0x40003b30
    rom_call ets_printf, 0x400024cc
    rom_call software_reset, 0x4000264c
    // The ROM has SHA-1, with the layout of molt_sha1_t and the arguments of base/sha1.h.
    rom_call molt_sha1_init, 0x4000b584
    rom_call molt_sha1_update, 0x4000b5a8
    rom_call molt_sha1_finish, 0x4000b648
    rom_call memcmp, 0x4000dea8
    rom_call memcpy, 0x4000df48
    rom_call memmove, 0x4000e04c
    rom_call memset, 0x4000e190
    rom_call __udivsi3, 0x4000e21c
    rom_call __umodsi3, 0x4000e268
