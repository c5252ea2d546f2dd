// The first bytes of what is entered at its beginning: the literals of the C code lie before its functions, so a
// function is not there by itself. Assembled with START=the function's name.

    .section .text.start, "ax"
    .global molt_start
molt_start:
    j START
