// What the processor has: registers in no windows. MicroPython's loader of native code asks from 1.28 on.
#ifndef VSDK_CORE_ISA_H
#define VSDK_CORE_ISA_H

#define XCHAL_HAVE_WINDOWED 0

#endif  // VSDK_CORE_ISA_H
