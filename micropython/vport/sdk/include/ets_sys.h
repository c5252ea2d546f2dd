// Interrupts. The virtual board has none: handlers may be attached and are never called.
#ifndef VSDK_ETS_SYS_H
#define VSDK_ETS_SYS_H

#include "eagle_soc.h"
#include "os_type.h"

void ets_intr_lock(void);
void ets_intr_unlock(void);

#define ETS_GPIO_INTR_ATTACH(handler, arg) ((void)(handler), (void)(arg))
#define ETS_GPIO_INTR_ENABLE() ((void)0)
#define ETS_GPIO_INTR_DISABLE() ((void)0)
#define ETS_FRC_TIMER1_INTR_ATTACH(handler, arg) ((void)(handler), (void)(arg))
#define ETS_FRC1_INTR_ENABLE() ((void)0)
#define ETS_FRC1_INTR_DISABLE() ((void)0)
#define TM1_EDGE_INT_ENABLE() ((void)0)
#define TM1_EDGE_INT_DISABLE() ((void)0)

#endif  // VSDK_ETS_SYS_H
