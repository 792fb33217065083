/* The file that remembers how fast this machine is: speeds by processor, instruction set, threads and the
 * engine's arithmetic, so that one home folder can serve several machines.
 *
 * JSON: {"version": CALIBRATION_VERSION, "speeds": [{"cpu", "isa", "threads", "numerics", "train": [seconds
 * per unit of each kind of work], "infer": [...]}]}. */
#ifndef ENGINE_CALIBRATION_H
#define ENGINE_CALIBRATION_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/predict.h"

enum { CALIBRATION_VERSION = 1 };

/* What a speed belongs to. */
struct calibration_key {
    char cpu[128]; /* the processor's model, as cpu_detect names it */
    char isa[16];
    char numerics[32];
    int threads; /* all cores that this process may use */
};

/* The key of this process here and now. */
void calibration_key_init(struct calibration_key *key);

/* "$XDG_CACHE_HOME/firesweep/calibration.json", or below "$HOME/.cache" when that is not set or not absolute;
 * NULL when neither says a place, or no memory. mem_free. */
char *calibration_path(void);

/* The speed kept for a key. False when there is none; a missing, damaged or foreign file counts as empty. */
bool calibration_read(const char *path, const struct calibration_key *key, struct speed *out);

/* Keeps a speed, in place of the key's earlier one, creating the folder if need be. What else the file
 * holds stays, unless it is damaged. Errors name the path; the file is then as it was. */
enum status calibration_write(const char *path, const struct calibration_key *key, const struct speed *speed,
                              struct err *e);

/* calibration_read from calibration_path with calibration_key_init: what a command needs. */
bool calibration_here(struct speed *out);

#endif
