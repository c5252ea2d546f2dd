// The template's chip as a target.
#ifndef MOLT_TEMPLATE_H
#define MOLT_TEMPLATE_H

#include "molt/target.h"

extern const molt_target_t molt_template;

#endif
