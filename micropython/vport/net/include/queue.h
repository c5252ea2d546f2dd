// As much of BSD's queue.h as the port uses.
#ifndef VNET_QUEUE_H
#define VNET_QUEUE_H

#define STAILQ_ENTRY(type) \
    struct { \
        struct type *stqe_next; \
    }
#define STAILQ_NEXT(element, field) ((element)->field.stqe_next)

#endif  // VNET_QUEUE_H
