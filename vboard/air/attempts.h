// Connections to a forwarded port that the device has not answered yet.
//
// libslirp takes such a connection at once, asks the device for it, asks again after 6 s and then each 12 s, for 75 s, and does not
// look whether the client is still there. In the world it is the client that asks: again after 1 s, 3 s, 7 s, ... [RFC 6298], and no
// more once it has gone. Here requests are repeated at the world's times, and libslirp is told when its client has gone.
#ifndef VBOARD_ATTEMPTS_H
#define VBOARD_ATTEMPTS_H

#include <stddef.h>
#include <stdint.h>

typedef void attempts_send_t(const uint8_t *frame, size_t size);

// libslirp has taken the connection fd, or lets it go. More than ATTEMPTS_MAX at a time are left to libslirp's own times.
void attempts_begin(int fd);
void attempts_end(int fd);

// A frame that libslirp sends to the device. 0: it is libslirp's own repetition, and is not to be sent.
int attempts_note_request(const uint8_t *frame, size_t size, int64_t now_ms);

// A frame that the device sends: it may be the answer.
void attempts_note_answer(const uint8_t *frame, size_t size);

// Repeat what is due, by to_device; where the client has gone, have libslirp take the device's refusal, by to_libslirp.
void attempts_run(int64_t now_ms, attempts_send_t *to_device, attempts_send_t *to_libslirp);

#endif  // VBOARD_ATTEMPTS_H
