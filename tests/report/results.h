/* Databases of results for the tests of figures: the store's schema, filled with plain SQL. */
#ifndef TEST_RESULTS_H
#define TEST_RESULTS_H

#include <stdint.h>

struct results; /* a database that is being filled */

/* Makes a folder and a database in it. Every function fails the running test when something goes wrong. */
struct results *results_create(void);
const char *results_folder(const struct results *r);
const char *results_path(const struct results *r);
/* Closes it and removes the folder with all files. */
void results_remove(struct results *r);

void results_sweep(struct results *r, const char *name, const char *spec_text);
/* A block of the last sweep. */
int64_t results_block(struct results *r, const char *name);
/* A variant of this many bytes; params = bytes / 4. */
int64_t results_variant(struct results *r, int64_t model_bytes);
/* A recipe beside the one, of id 1, that results_trial uses. */
int64_t results_recipe(struct results *r, int epochs);
/* A trial in the last block. state: as in the schema; top1: test and validation, a share; negative: NULL. */
int64_t results_trial(struct results *r, int64_t variant, int seed, const char *axes, const char *state,
                      double top1);
/* An epoch of the last trial; val_top1 negative: NULL. */
void results_epoch(struct results *r, int epoch, double val_top1, double train_top1);
/* Any other change. */
void results_sql(struct results *r, const char *sql);

/* A file's text; mem_free. */
char *results_read(const char *path);

#endif
