// The chip through ESP-IDF, which the component of ESP-IDF has, too.

#include "ports/idf/molt_idf.c"
