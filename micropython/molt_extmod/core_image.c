// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/base/md5.c"
#include "src/base/sha256.c"
#include "src/image/image.c"
#include "src/image/image_verify.c"
#include "src/image/image_text.c"
