// The first bytes of the extension: the literals of the C code lie before its functions, so its entry is not at the
// beginning by itself.

    .section .text.start, "ax"
    .global molt_extension_start
molt_extension_start:
    j molt_extension
