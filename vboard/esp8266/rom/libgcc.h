// The functions of libgcc that the chip has in its mask ROM, and the compiler's own library therefore lacks.
//
// Floating-point values go by their bits, as integers: on the lx106 both are passed in the same registers, and
// so the C of this ROM stays free of floating point. (float.c can be compiled, and compared, on any host.)
#ifndef VBOARD_ROM_LIBGCC_H
#define VBOARD_ROM_LIBGCC_H

#include <stdint.h>

_Noreturn void divide_by_zero(void);  // start.S: an illegal instruction, as libgcc has it

uint64_t __umulsidi3(uint32_t a, uint32_t b);
int64_t __muldi3(int64_t a, int64_t b);
uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b);
int32_t __divsi3(int32_t a, int32_t b);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);

uint32_t __addsf3(uint32_t a, uint32_t b);
uint32_t __subsf3(uint32_t a, uint32_t b);
uint32_t __mulsf3(uint32_t a, uint32_t b);
uint32_t __fixunssfsi(uint32_t a);
uint32_t __floatsisf(int32_t a);
uint32_t __floatunsisf(uint32_t a);
uint64_t __extendsfdf2(uint32_t a);
uint32_t __truncdfsf2(uint64_t a);
uint64_t __adddf3(uint64_t a, uint64_t b);
uint64_t __subdf3(uint64_t a, uint64_t b);
uint64_t __muldf3(uint64_t a, uint64_t b);
uint64_t __divdf3(uint64_t a, uint64_t b);
int32_t __fixdfsi(uint64_t a);
uint32_t __fixunsdfsi(uint64_t a);
uint64_t __floatsidf(int32_t a);
uint64_t __floatunsidf(uint32_t a);

#endif
