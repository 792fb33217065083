/* The trained network that a command line names: "DB TRIAL" or "CHECKPOINT". */
#ifndef CLI_TRAINED_H
#define CLI_TRAINED_H

#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct trained {
    char *checkpoint;            /* path of the file; owned */
    int64_t trial;               /* 0: a file was named */
    char arch_hash[HASH_TEXT];   /* of the trial; "" without one */
    char *spec_path, *spec_text; /* of a sweep that names the trial, as last run; NULL: none; owned */
};

/* positional[0] is the database or the checkpoint, positional[1] the trial or NULL. ST_USAGE when the trial
 * is no trial, is not done, or is missing behind a database; ST_FAILED when its checkpoint is gone. Call
 * trained_release also after a failure. */
enum status trained_find(const char *const *positional, struct trained *out, struct err *e);
void trained_release(struct trained *t);

#endif
