// All of molt's door. A program that upgrades a device: docs/using-from-c.md.
#ifndef MOLT_MOLT_H
#define MOLT_MOLT_H

#include "molt/error.h"
#include "molt/flash.h"
#include "molt/job.h"
#include "molt/resident.h"
#include "molt/slots.h"
#include "molt/source.h"
#include "molt/standby.h"
#include "molt/status.h"
#include "molt/target.h"
#include "molt/version.h"

#endif
