/* Trials read back from a database: what they are and what was recorded of them. */
#ifndef SWEEP_STORE_TRIALS_H
#define SWEEP_STORE_TRIALS_H

#include "base/arena.h"
#include "sweep/store.h"

struct stored_trial {
    struct arena arena; /* owns the texts and epochs */
    int64_t id;
    enum trial_state state;
    struct point point; /* with an explicit list of Fires */
    uint64_t seed;
    const char *arch_hash, *recipe_hash, *data_fingerprint;
    const char *numerics;   /* the arithmetic it was trained by */
    const char *isa;        /* kernels of its last attempt; "" without one */
    const char *checkpoint; /* NULL = none is kept */
    const char *sweep;      /* a sweep that names it, one with its data if there is one; NULL = none does */
    const char *name;       /* for people: block (of several sweeps SWEEP/BLOCK), axes, seed */
    int epochs_done;
    int64_t diverged_step; /* -1 if not */
    bool has_test;
    struct eval_metrics test;
    int epoch_count;
    struct epoch_metrics *epochs; /* recorded ones up to epochs_done, 1-based numbers; NULL in a row is NaN */
};

/* ST_USAGE when there is no trial with this id. Call stored_trial_release also after a failure. */
enum status stored_trial_read(struct store *s, int64_t id, struct stored_trial *out, struct err *e);
void stored_trial_release(struct stored_trial *t);

/* The spec of a sweep as it was last run: its path and its text; mem_free. */
enum status store_spec_text(struct store *s, const char *sweep, char **path, char **text, struct err *e);

/* What identifies each trial of a database and where it stands; quick for large sweeps. */
struct known_trial {
    int64_t id;
    enum trial_state state;
    int epochs_done;
    uint64_t seed;
    double timed_out_s; /* timed out: seconds of all its attempts; else 0 */
    bool ours;          /* a block of the sweep has named it, now or earlier */
    char arch_hash[HASH_TEXT], recipe_hash[HASH_TEXT], data_fingerprint[HASH_TEXT];
};
/* All of the database, by id; mem_free. `sweep` may be NULL or unknown: then none is ours. */
enum status store_known_trials(struct store *s, const char *sweep, struct known_trial **out, int *count,
                               struct err *e);

/* Names for people of many trials at once, as in struct stored_trial; arena memory. */
enum status store_trial_names(struct store *s, const int64_t *ids, int count, struct arena *arena,
                              const char **names, struct err *e);

/* The sweeps of a database: name, spec and data as last run. arena memory. */
struct known_sweep {
    const char *name, *spec_path, *spec_text, *data_fingerprint;
};
enum status store_known_sweeps(struct store *s, struct arena *arena, struct known_sweep **out, int *count,
                               struct err *e);

/* Ids of the trials in these states (1 << TRIAL_DONE | ...), by their data, then by id; mem_free. */
enum status store_trial_ids(struct store *s, unsigned states, int64_t **ids, int *count, struct err *e);

#endif
