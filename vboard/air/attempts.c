#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "attempts.h"

enum {
    ATTEMPTS_MAX = 256,
    FRAME_MAX = 128,  // of a request: headers with options, and no data
    FIRST_MS = 1000,  // [RFC 6298]
    // Headers in a frame, without an IP header's options. [RFC 894, RFC 791, RFC 9293]
    ETHERNET = 14,
    IP = 20,
    TCP = 20,
    SYN = 0x02,
    RST = 0x04,
    ACK = 0x10,
};

struct attempt {
    int is_used, fd;
    uint16_t port;  // the client's
    uint8_t frame[FRAME_MAX];
    size_t size;  // 0: the device was not asked yet
    int64_t wait_ms, due_ms;
};

static struct attempt attempts[ATTEMPTS_MAX];

void attempts_begin(int fd) {
    struct sockaddr_in client;
    socklen_t size = sizeof client;
    if (getpeername(fd, (struct sockaddr *)&client, &size) != 0 || client.sin_family != AF_INET) {
        return;  // a connection of the device's to somebody
    }
    for (struct attempt *a = attempts; a < attempts + ATTEMPTS_MAX; a++) {
        if (!a->is_used) {
            *a = (struct attempt){ .is_used = 1, .fd = fd, .port = ntohs(client.sin_port) };
            return;
        }
    }
}

void attempts_end(int fd) {
    for (struct attempt *a = attempts; a < attempts + ATTEMPTS_MAX; a++) {
        if (a->is_used && a->fd == fd) {
            a->is_used = 0;
        }
    }
}

static struct attempt *find(unsigned port) {
    for (struct attempt *a = attempts; a < attempts + ATTEMPTS_MAX; a++) {
        if (a->is_used && a->port == port) {
            return a;
        }
    }
    return NULL;
}

// The TCP header of a frame, or NULL.
static const uint8_t *tcp_of(const uint8_t *frame, size_t size) {
    int is_tcp = size >= ETHERNET + IP + TCP && frame[12] == 8 && frame[13] == 0 && frame[ETHERNET] == 0x45
                 && frame[ETHERNET + 9] == 6;
    return is_tcp ? frame + ETHERNET + IP : NULL;
}

int attempts_note_request(const uint8_t *frame, size_t size, int64_t now_ms) {
    const uint8_t *tcp = tcp_of(frame, size);
    if (tcp == NULL || (tcp[13] & (SYN | ACK)) != SYN || size > FRAME_MAX) {
        return 1;
    }
    struct attempt *a = find((unsigned)(tcp[0] << 8 | tcp[1]));
    if (a == NULL) {
        return 1;
    }
    if (a->size != 0) {
        return 0;
    }
    memcpy(a->frame, frame, size);
    a->size = size;
    a->wait_ms = FIRST_MS;
    a->due_ms = now_ms + FIRST_MS;
    return 1;
}

void attempts_note_answer(const uint8_t *frame, size_t size) {
    const uint8_t *tcp = tcp_of(frame, size);
    struct attempt *a = tcp == NULL ? NULL : find((unsigned)(tcp[2] << 8 | tcp[3]));
    if (a != NULL && (tcp[13] & (SYN | RST)) != 0) {
        a->is_used = 0;
    }
}

static uint32_t sum(uint32_t start, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i += 2) {
        start += (uint32_t)(data[i] << 8 | data[i + 1]);
    }
    return start;
}

static void put_checksum(uint8_t *to, uint32_t total) {
    total = (total & 0xffff) + (total >> 16);
    total = ~(total + (total >> 16));
    to[0] = (uint8_t)(total >> 8);
    to[1] = (uint8_t)total;
}

// What a device without that port answers to a request: RST.
static size_t make_refusal(uint8_t *frame, const uint8_t *request) {
    memset(frame, 0, ETHERNET + IP + TCP);
    memcpy(frame, request + 6, 6);
    memcpy(frame + 6, request, 6);
    frame[12] = 8;
    uint8_t *ip = frame + ETHERNET;
    ip[0] = 0x45;
    ip[3] = IP + TCP;
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, request + ETHERNET + 16, 4);
    memcpy(ip + 16, request + ETHERNET + 12, 4);
    put_checksum(ip + 10, sum(0, ip, IP));
    uint8_t *tcp = ip + IP;
    const uint8_t *asked = request + ETHERNET + IP;
    memcpy(tcp, asked + 2, 2);
    memcpy(tcp + 2, asked, 2);
    uint32_t next;
    memcpy(&next, asked + 4, 4);
    next = htonl(ntohl(next) + 1);
    memcpy(tcp + 8, &next, 4);
    tcp[12] = TCP / 4 << 4;
    tcp[13] = RST | ACK;
    put_checksum(tcp + 16, sum(6 + TCP, ip + 12, 8 + TCP));  // with addresses, protocol and size
    return ETHERNET + IP + TCP;
}

// A client that has closed its side is still there; one that has reset the connection is not.
static int has_gone(int fd) {
    struct pollfd client = { fd, 0, 0 };
    return poll(&client, 1, 0) == 1 && (client.revents & (POLLERR | POLLHUP)) != 0;
}

void attempts_run(int64_t now_ms, attempts_send_t *to_device, attempts_send_t *to_libslirp) {
    for (struct attempt *a = attempts; a < attempts + ATTEMPTS_MAX; a++) {
        if (!a->is_used || a->size == 0) {
            continue;
        }
        if (has_gone(a->fd)) {
            uint8_t refusal[FRAME_MAX];
            size_t size = make_refusal(refusal, a->frame);
            a->is_used = 0;
            to_libslirp(refusal, size);
        } else if (a->due_ms <= now_ms) {
            a->wait_ms *= 2;
            a->due_ms = now_ms + a->wait_ms;
            to_device(a->frame, a->size);
        }
    }
}
