// The radio, as a mailbox: messages to and from the access point that vboard/air is, one at a time and whole.
//
// A chip has no such thing; its radio is the SDK's, and closed. What a message means is between the SDK and the access
// point (messages.h). Nothing is kept here: who does not ask in time loses frames, as the host's socket holds only some.
#include "net.h"

#include "../../air/messages.h"
#include "host.h"
#include "rom.h"

// QEMU moves data by pages of the guest's memory, and a message has to go in one piece.
enum { MESSAGE_MAX = 2048 };
static uint8_t message[MESSAGE_MAX] __attribute__((aligned(MESSAGE_MAX)));

int net_descriptor(void) {
    static int fd = -2;  // not looked up yet
    if (fd == -2) {
        const char *text = host_option("net");
        fd = text == NULL ? -1 : 0;
        for (; text != NULL && *text >= '0' && *text <= '9'; text++) {
            fd = fd * 10 + (*text - '0');
        }
    }
    return fd;
}

void net_reset(void) {
    if (net_descriptor() >= 0) {
        uint8_t leave = NET_LEAVE;
        vboard_net_send(&leave, sizeof leave);
    }
}

bool vboard_net_is_there(void) {
    return net_descriptor() >= 0;
}

bool vboard_net_send(const void *from, uint32_t size) {
    int fd = net_descriptor();
    if (fd < 0 || size > sizeof message) {
        return false;
    }
    memcpy(message, from, size);
    return host_try_write(fd, message, size) == (int)size;
}

uint32_t vboard_net_receive(void *to, uint32_t size) {
    int fd = net_descriptor();
    int got = fd < 0 ? 0 : host_read(fd, message, sizeof message);
    if (got <= 0) {
        return 0;
    }
    uint32_t taken = (uint32_t)got < size ? (uint32_t)got : size;
    memcpy(to, message, taken);
    return taken;
}
