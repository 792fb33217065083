#include "sweep/protocol.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_MAGIC = 0x46535744 };

/* What stands on the pipe: this, then `size` bytes of the union member (text: its bytes with terminator). */
struct frame {
    uint32_t magic;
    uint32_t kind;
    uint32_t size;
    uint32_t resent;
    int32_t status;
    int32_t epochs_done;
    int64_t step;
};

_Static_assert(sizeof(struct frame) + sizeof(((struct record *)0)->as) <= PIPE_BUF,
               "a record must reach the pipe in one piece");
_Static_assert(RECORD_BUFFER >= 2 * PIPE_BUF, "the buffer must hold a torn record and more");

struct record record_of(enum record_kind kind)
{
    struct record r;
    memset(&r, 0, sizeof r); /* padding too: the bytes go over the pipe */
    r.kind = kind;
    return r;
}

struct record record_with_text(enum record_kind kind, const char *text)
{
    struct record r = record_of(kind);
    snprintf(r.as.text, sizeof r.as.text, "%s", text);
    return r;
}

static bool carries_text(uint32_t kind)
{
    return kind == RECORD_NOTICE || kind == RECORD_DIVERGED || kind == RECORD_FAILED;
}

/* Payload bytes of a kind without text. */
static size_t payload_size(uint32_t kind)
{
    switch (kind) {
    case RECORD_PROGRESS:
        return sizeof(struct progress);
    case RECORD_EPOCH:
        return sizeof(struct epoch_metrics);
    case RECORD_DONE:
        return sizeof(struct eval_metrics);
    default:
        return 0;
    }
}

enum status record_send(int fd, const struct record *r, struct err *e)
{
    unsigned char bytes[PIPE_BUF];
    size_t size = carries_text(r->kind) ? strnlen(r->as.text, RECORD_TEXT - 1) + 1 : payload_size(r->kind);
    struct frame frame = {RECORD_MAGIC,       r->kind,        (uint32_t)size, r->resent,
                          (int32_t)r->status, r->epochs_done, r->step};
    memcpy(bytes, &frame, sizeof frame);
    memcpy(bytes + sizeof frame, &r->as, size);
    size_t total = sizeof frame + size;
    for (size_t sent = 0; sent < total;) {
        ssize_t n = write(fd, bytes + sent, total - sent);
        if (n < 0 && errno != EINTR)
            return err_errno(e, "cannot send a record to the supervisor");
        sent += n > 0 ? (size_t)n : 0;
    }
    return ST_OK;
}

void record_reader_init(struct record_reader *r)
{
    r->used = 0;
}

static enum record_result broken(struct err *e, const char *what)
{
    err_set(e, ST_CORRUPT, "the worker's pipe holds something that is no record: %s", what);
    return RECORD_BROKEN;
}

/* Checks what a frame says before its payload is waited for. */
static const char *frame_fault(const struct frame *f)
{
    if (f->magic != RECORD_MAGIC)
        return "wrong mark";
    if (f->kind < RECORD_STARTED || f->kind >= RECORD_KIND_COUNT)
        return "unknown kind";
    if (carries_text(f->kind) ? f->size < 1 || f->size > RECORD_TEXT : f->size != payload_size(f->kind))
        return "wrong size";
    if (f->status < ST_OK || f->status > ST_INTERRUPTED)
        return "unknown status";
    return NULL;
}

/* Takes one record out of the buffer. */
static enum record_result take(struct record_reader *r, struct record *out, struct err *e)
{
    struct frame frame;
    if (r->used < sizeof frame)
        return RECORD_EMPTY;
    memcpy(&frame, r->bytes, sizeof frame);
    const char *fault = frame_fault(&frame);
    if (fault)
        return broken(e, fault);
    size_t total = sizeof frame + frame.size;
    if (r->used < total)
        return RECORD_EMPTY;
    *out = record_of((enum record_kind)frame.kind);
    out->resent = frame.resent != 0;
    out->status = (enum status)frame.status;
    out->epochs_done = frame.epochs_done;
    out->step = frame.step;
    memcpy(&out->as, r->bytes + sizeof frame, frame.size);
    if (carries_text(frame.kind) && out->as.text[frame.size - 1] != '\0')
        return broken(e, "text without an end");
    r->used -= total;
    memmove(r->bytes, r->bytes + total, r->used);
    return RECORD_READ;
}

enum record_result record_next(struct record_reader *r, int fd, struct record *out, struct err *e)
{
    for (;;) {
        enum record_result result = take(r, out, e);
        if (result != RECORD_EMPTY)
            return result;
        ssize_t n = read(fd, r->bytes + r->used, sizeof r->bytes - r->used);
        if (n == 0)
            return RECORD_END;
        if (n < 0 && errno == EAGAIN)
            return RECORD_EMPTY;
        if (n < 0 && errno != EINTR) {
            err_errno(e, "cannot read the worker's records");
            return RECORD_BROKEN;
        }
        r->used += n > 0 ? (size_t)n : 0;
    }
}
