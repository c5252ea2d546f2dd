// The access point of a virtual board, and the network behind it: libslirp, in user space and without any right.
//
//   air FD NAME PASSWORD LOSS [PORT:DEVICE_PORT ...]
//
// FD is one end of a pair of SOCK_SEQPACKET sockets; the board has the other. It ends when the board does. The device
// gets 10.0.2.15 by DHCP; 10.0.2.2 is the host's loopback, 10.0.2.3 its name server. Connections to a forwarded PORT of
// the host's loopback reach the device's port; nobody else can make one.
//
// What is in the air can be changed while it runs, by lines at standard input:
//   loss N    N percent of the frames are lost, of both directions
//   stall MS  nothing passes for so long; then all that has waited
//   down, up  the access point is switched off, and on again
#include <errno.h>
#include <fcntl.h>
#include <libslirp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../exits.h"
#include "attempts.h"
#include "messages.h"

enum {
    MESSAGE_MAX = 2048,
    POLLS_MAX = 256,
    TIMERS_MAX = 8,
    // The socket keeps about eight full frames for a board that does not ask; a chip's radio has eight buffers or so.
    SOCKET_BYTES = 16384,
};

struct timer {
    SlirpTimerCb call;
    void *arg;
    int64_t due_ms;  // negative: not set
    int is_used;
};

static struct {
    Slirp *slirp;
    int fd;
    const char *name, *password;
    int is_up, is_joined;
    int loss;            // percent
    int64_t stalled_to;  // ms
    struct timer timers[TIMERS_MAX];
    struct pollfd polls[POLLS_MAX];
    int poll_count;
} air = { .is_up = 1 };

static int64_t now_ns(void *opaque) {
    (void)opaque;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t now_ms(void) {
    return now_ns(NULL) / 1000000;
}

static int is_lost(void) {
    return air.loss > 0 && rand() % 100 < air.loss;
}

// What does not fit is dropped, as in the air.
static void send_to_board(uint8_t kind, const void *data, size_t size) {
    uint8_t message[MESSAGE_MAX];
    if (size + 1 <= sizeof message) {
        message[0] = kind;
        memcpy(message + 1, data, size);
        (void)send(air.fd, message, size + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static void send_status(uint8_t status) {
    air.is_joined = status == NET_JOINED;
    send_to_board(NET_STATUS, &status, 1);
}

// ---- libslirp's side

static void send_frame(const uint8_t *frame, size_t size) {
    if (air.is_joined && !is_lost()) {
        send_to_board(NET_FRAME, frame, size);
    }
}

static void give_to_libslirp(const uint8_t *frame, size_t size) {
    slirp_input(air.slirp, frame, (int)size);
}

static ssize_t on_packet(const void *frame, size_t size, void *opaque) {
    (void)opaque;
    if (attempts_note_request(frame, size, now_ms())) {
        send_frame(frame, size);
    }
    return (ssize_t)size;
}

static void on_guest_error(const char *text, void *opaque) {
    (void)opaque;
    fprintf(stderr, "vboard: network: %s\n", text);
}

static void *timer_new(SlirpTimerCb call, void *arg, void *opaque) {
    (void)opaque;
    for (struct timer *t = air.timers; t < air.timers + TIMERS_MAX; t++) {
        if (!t->is_used) {
            *t = (struct timer){ call, arg, -1, 1 };
            return t;
        }
    }
    abort();
}

static void timer_free(void *timer, void *opaque) {
    (void)opaque;
    ((struct timer *)timer)->is_used = 0;
}

static void timer_mod(void *timer, int64_t due_ms, void *opaque) {
    (void)opaque;
    ((struct timer *)timer)->due_ms = due_ms;
}

static void on_connection(int fd, void *opaque) {
    (void)opaque;
    attempts_begin(fd);
}

static void on_connection_end(int fd, void *opaque) {
    (void)opaque;
    attempts_end(fd);
}

static void on_notify(void *opaque) {
    (void)opaque;
}

static int add_poll(int fd, int events, void *opaque) {
    (void)opaque;
    if (air.poll_count == POLLS_MAX) {
        return -1;
    }
    short wanted = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0)
                           | (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    air.polls[air.poll_count] = (struct pollfd){ fd, wanted, 0 };
    return air.poll_count++;
}

static int poll_result(int index, void *opaque) {
    (void)opaque;
    int got = index < 0 ? 0 : air.polls[index].revents;
    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) | (got & POLLPRI ? SLIRP_POLL_PRI : 0)
           | (got & POLLERR ? SLIRP_POLL_ERR : 0) | (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void run_timers(void) {
    int64_t now = now_ms();
    for (struct timer *t = air.timers; t < air.timers + TIMERS_MAX; t++) {
        if (t->is_used && t->due_ms >= 0 && t->due_ms <= now) {
            t->due_ms = -1;
            t->call(t->arg);
        }
    }
}

// ---- the board's side

// The name and the password, each with its 0.
static uint8_t answer_to_join(const char *text, size_t size) {
    size_t name_size = strnlen(text, size);
    if (!air.is_up || name_size == size || strcmp(text, air.name) != 0) {
        return NET_NOT_FOUND;
    }
    const char *password = text + name_size + 1;
    size_t left = size - name_size - 1;
    return strnlen(password, left) < left && strcmp(password, air.password) == 0 ? NET_JOINED : NET_WRONG_PASSWORD;
}

// One message from the board; 0 when there is no board any more.
static int take_message(void) {
    uint8_t message[MESSAGE_MAX];
    ssize_t size = recv(air.fd, message, sizeof message, MSG_DONTWAIT);
    if (size <= 0) {
        return size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (message[0] == NET_JOIN) {
        send_status(answer_to_join((char *)message + 1, (size_t)size - 1));
    } else if (message[0] == NET_SCAN && air.is_up) {
        send_to_board(NET_SCAN, air.name, strlen(air.name));
    } else if (message[0] == NET_LEAVE) {
        air.is_joined = 0;
    } else if (message[0] == NET_FRAME && air.is_joined && !is_lost()) {
        attempts_note_answer(message + 1, (size_t)size - 1);
        give_to_libslirp(message + 1, (size_t)size - 1);
    }
    return 1;
}

static void obey(const char *line) {
    int value;
    if (sscanf(line, "loss %d", &value) == 1) {
        air.loss = value;
    } else if (sscanf(line, "stall %d", &value) == 1) {
        air.stalled_to = now_ms() + value;
    } else if (strncmp(line, "down", 4) == 0) {
        air.is_up = 0;
        if (air.is_joined) {
            send_status(NET_NOT_FOUND);
        }
    } else if (strncmp(line, "up", 2) == 0) {
        air.is_up = 1;
    } else {
        fprintf(stderr, "vboard: network: %s: no such thing; loss N, stall MS, down, up\n", line);
    }
}

// Lines from standard input; 0 at its end.
static int take_commands(void) {
    char text[256];
    ssize_t size = read(STDIN_FILENO, text, sizeof text - 1);
    if (size <= 0) {
        return 0;
    }
    text[size] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        obey(line);
    }
    return 1;
}

static void run(void) {
    int has_commands = 1;
    for (int is_alive = 1; is_alive;) {
        uint32_t timeout = 100;
        int is_stalled = now_ms() < air.stalled_to;
        air.poll_count = 0;
        int commands = add_poll(has_commands ? STDIN_FILENO : -1, SLIRP_POLL_IN, NULL);
        int board = add_poll(is_stalled ? -1 : air.fd, SLIRP_POLL_IN, NULL);
        if (!is_stalled) {
            slirp_pollfds_fill(air.slirp, &timeout, add_poll, NULL);
        }
        int got = poll(air.polls, (nfds_t)air.poll_count, is_stalled ? 5 : (int)timeout);
        if (got > 0 && air.polls[commands].revents != 0) {
            has_commands = take_commands();
        }
        if (is_stalled) {
            continue;
        }
        slirp_pollfds_poll(air.slirp, got < 0, poll_result, NULL);
        run_timers();
        attempts_run(now_ms(), send_frame, give_to_libslirp);
        if (got > 0 && air.polls[board].revents != 0) {
            is_alive = take_message();
        }
    }
}

static int add_forward(const char *word, struct in_addr device) {
    int port, device_port;
    struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
    if (sscanf(word, "%d:%d", &port, &device_port) != 2 || port < 1 || port > 65535 || device_port < 1 || device_port > 65535) {
        fprintf(stderr, "vboard: --forward %s: two ports are wanted, the host's and the device's: 8080:80\n", word);
        return -1;
    }
    if (slirp_add_hostfwd(air.slirp, 0, loopback, port, device, device_port) != 0) {
        fprintf(stderr, "vboard: --forward %s: port %d of 127.0.0.1 cannot be had: %s\n", word, port, strerror(errno));
        return -1;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 5) {
        return EXIT_BROKEN;
    }
    // libslirp writes to whoever has closed the connection meanwhile, and looks at the error.
    signal(SIGPIPE, SIG_IGN);
    air.fd = atoi(argv[1]);
    air.name = argv[2];
    air.password = argv[3];
    air.loss = atoi(argv[4]);
    int bytes = SOCKET_BYTES;
    setsockopt(air.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    struct in_addr device = { htonl(0x0a00020f) };
    SlirpConfig config = {
        .version = 1,
        .in_enabled = true,
        .vnetwork = { htonl(0x0a000200) },
        .vnetmask = { htonl(0xffffff00) },
        .vhost = { htonl(0x0a000202) },
        .vdhcp_start = device,
        .vnameserver = { htonl(0x0a000203) },
    };
    static const SlirpCb callbacks = {
        .send_packet = on_packet,
        .guest_error = on_guest_error,
        .clock_get_ns = now_ns,
        .timer_new = timer_new,
        .timer_free = timer_free,
        .timer_mod = timer_mod,
        .register_poll_fd = on_connection,
        .unregister_poll_fd = on_connection_end,
        .notify = on_notify,
    };
    air.slirp = slirp_new(&config, &callbacks, NULL);
    for (int i = 5; i < argc; i++) {
        if (add_forward(argv[i], device) != 0) {
            return EXIT_BROKEN;
        }
    }
    // The word that the ports are open.
    if (write(STDOUT_FILENO, "\n", 1) == 1) {
        close(STDOUT_FILENO);
    }
    run();
    slirp_cleanup(air.slirp);
    return 0;
}
