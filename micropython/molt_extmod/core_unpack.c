// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/decode/inflate.c"
#include "src/decode/unpack.c"
#include "src/decode/unpack_measure.c"
