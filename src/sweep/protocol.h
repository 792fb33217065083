/* Records a worker sends to its supervisor over a pipe. Both ends are one program and one fork, so the
 * layouts are the structs themselves; every record is small enough for the kernel to write it in one piece,
 * so a worker that is killed leaves whole records and at most one torn one at the end. */
#ifndef SWEEP_PROTOCOL_H
#define SWEEP_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/trainer.h"

enum { RECORD_TEXT = 1024 }; /* with terminator; longer text is cut */

enum record_kind {
    RECORD_STARTED = 1, /* epochs_done: the trainer is ready, resumed when > 0 or when step > 0 */
    RECORD_PROGRESS,    /* progress */
    RECORD_EPOCH,       /* epoch: a finished epoch whose state is saved, or one resent from the checkpoint */
    RECORD_NOTICE,      /* text: for people */
    /* The last record of an attempt is one of: */
    RECORD_DONE,     /* test */
    RECORD_DIVERGED, /* step, text */
    RECORD_STOPPED,  /* asked to stop, state saved */
    RECORD_FAILED,   /* status, text */
    RECORD_KIND_COUNT
};

struct record {
    enum record_kind kind;
    bool resent;        /* RECORD_EPOCH */
    enum status status; /* RECORD_FAILED */
    int epochs_done;    /* RECORD_STARTED */
    int64_t step;       /* RECORD_DIVERGED: update of the whole training, 1-based */
    union {
        struct progress progress;
        struct epoch_metrics epoch;
        struct eval_metrics test;
        char text[RECORD_TEXT];
    } as;
};

/* A record of zeroes but for its kind. */
struct record record_of(enum record_kind kind);
/* One with text. */
struct record record_with_text(enum record_kind kind, const char *text);

/* Writes one record, waiting while the pipe is full. ST_FAILED when nobody reads any more (SIGPIPE must be
 * ignored). */
enum status record_send(int fd, const struct record *r, struct err *e);

enum { RECORD_BUFFER = 8192 };
struct record_reader {
    size_t used;
    unsigned char bytes[RECORD_BUFFER];
};
void record_reader_init(struct record_reader *r);

enum record_result {
    RECORD_READ,  /* *out holds the next record */
    RECORD_EMPTY, /* nothing more for now (a non-blocking pipe) */
    RECORD_END,   /* the worker is gone; a torn last record was dropped */
    RECORD_BROKEN /* bytes that are no record, or a read error: nothing more can be read; *e says what */
};
/* Reads from a pipe; returns buffered records before it reads more. */
enum record_result record_next(struct record_reader *r, int fd, struct record *out, struct err *e);

#endif
