// The radio: see net.h. Nothing is kept here: who does not ask in time loses frames, as the host's socket holds only some.
#include "net.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../air/messages.h"
#include "host.h"
#include "rom.h"
#include "rom_functions.h"

enum { MESSAGE_MAX = 2048 };

// The host's descriptor of the link to the access point; negative: there is none.
static int descriptor(void) {
    static int fd = -2;  // not looked up yet
    if (fd == -2) {
        const char *text = host_option("net");
        fd = text == NULL ? -1 : atoi(text);
    }
    return fd;
}

bool net_is_there(void) {
    return descriptor() >= 0;
}

// Whether it has gone at once; there may be no access point any more.
static bool put(const void *message, size_t size) {
    return send(descriptor(), message, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

void net_reset(void) {
    uint8_t leave = NET_LEAVE;
    if (net_is_there()) {
        put(&leave, sizeof leave);
    }
}

void net_wait(uint32_t us) {
    struct pollfd asked[2] = { { .fd = HOST_STDIN, .events = POLLIN }, { .fd = descriptor(), .events = POLLIN } };
    poll(asked, 2, (int)(us / 1000));
}

void rom_vboard_net_is_there(void) {
    rom_return(net_is_there());
}

// What does not go at once is lost.
void rom_vboard_net_send(void) {
    uint8_t message[MESSAGE_MAX];
    uint32_t size = rom_arg(1);
    if (!net_is_there() || size > sizeof message) {
        rom_return(0);
        return;
    }
    rom_load("vboard_net_send", rom_arg(0), message, size);
    rom_return(put(message, size));
}

void rom_vboard_net_receive(void) {
    uint8_t message[MESSAGE_MAX];
    ssize_t got = net_is_there() ? recv(descriptor(), message, sizeof message, MSG_DONTWAIT) : 0;
    uint32_t taken = got <= 0 ? 0 : (uint32_t)got < rom_arg(1) ? (uint32_t)got : rom_arg(1);
    rom_store("vboard_net_receive", rom_arg(0), message, taken);
    rom_return(taken);
}
