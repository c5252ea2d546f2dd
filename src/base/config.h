// Compile-time options. Each only removes code; 0 or 1, checked with #if under -Wundef.
#ifndef MOLT_CONFIG_H
#define MOLT_CONFIG_H

// Take sector, block and page sizes as the constants 4096, 65536 and 256 instead of reading them from
// molt_geometry_t. Set for boot loaders, whose size counts.
#ifndef MOLT_FIXED_GEOMETRY
#define MOLT_FIXED_GEOMETRY 0
#endif

// Take the image's place as 0 instead of reading it from the plan. Set for the ESP8266's boot loaders; saves about 400 bytes of
// 3,300 there, with the above.
#ifndef MOLT_FIXED_PLACE
#define MOLT_FIXED_PLACE 0
#endif

// Leave out what only a plan in the boot sector needs: putting the old first sector back, the report. Set for the
// resident boot loader; saves about 300 bytes of 4,400 there.
#ifndef MOLT_RESIDENT_ONLY
#define MOLT_RESIDENT_ONLY 0
#endif

// Leave out what only a plan in the boot sector and the resident boot loader need. Set for the standby loader, whose room is
// smallest.
#ifndef MOLT_STANDBY_ONLY
#define MOLT_STANDBY_ONLY 0
#endif

// The sectors of the largest image that a delta is taken for, at most 1024; its memory has 5 bytes for each. 256 on an ESP8266, which
// runs code from 1 MB.
#ifndef MOLT_DELTA_SECTORS_MAX
#define MOLT_DELTA_SECTORS_MAX 1024
#endif

// Delta files (delta/delta.h). 0 for a boot loader that has no extension for them.
#ifndef MOLT_DELTA
#define MOLT_DELTA 1
#endif

// Jobs on chips in standby mode (molt/standby.h). 0 for a firmware of an ESP8266, whose image has some 2 KB less then.
#ifndef MOLT_STANDBY
#define MOLT_STANDBY 1
#endif

// Trials in standby mode (upgrade/trial.h). 0 for a standby loader that has no room for them.
#ifndef MOLT_TRIAL
#define MOLT_TRIAL 1
#endif

// Take a stored plan for sound when its CRC is right. Set for the boot loader: the firmware that wrote the plan has
// checked it. Saves about 250 bytes of 3,300 there.
#ifndef MOLT_PLAN_TRUSTED
#define MOLT_PLAN_TRUSTED 0
#endif

#endif
