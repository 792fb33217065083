/* A small sweep, built by hand, for the tests of the store: two blocks that share a point, two seeds.
 *
 *     trial  0     1     2    3    4     5        (point, seed)
 *     SR     0.125 0.125 0.5  0.5  0.5   0.5
 *     pct3x3 0.5   0.5   0.5  0.5  0.99  0.99
 *     seed   1     2     1    2    1     2
 *     block "sr": 0 1 2 3, block "pct": 2 3 4 5 */
#ifndef TESTS_SWEEP_STORE_FIXTURE_H
#define TESTS_SWEEP_STORE_FIXTURE_H

#include <sqlite3.h>

#include "../base/scratch.h"
#include "sweep/store.h"

enum { FIXTURE_TRIALS = 6, FIXTURE_MEMBERS = 8 };

struct fixture {
    struct spec spec;
    struct block blocks[2];
    struct space space;
    struct trial trials[FIXTURE_TRIALS];
    struct membership members[FIXTURE_MEMBERS];
    struct dataset data;
    int64_t ids[FIXTURE_TRIALS];
};

void fixture_init(struct fixture *f);
/* Fills everything of a trial that follows from its point. */
void fixture_realise(struct trial *trial);
/* Opens the database for writing and records the sweep. */
struct store *fixture_open(struct fixture *f, const char *path);

/* Epoch metrics with a different number in every field, all following from `epoch` and `scale`. */
struct epoch_metrics fixture_epoch(int epoch, double scale);
/* An attempt of a trial that ends well after one epoch with these accuracies. */
void fixture_finish(struct store *s, int64_t trial, double val_top1, double test_top1);

/* What the database says to a plain SQLite connection. The text is valid until the next call; NULL gives
 * "NULL". */
int64_t plain_int(const char *path, const char *sql);
double plain_real(const char *path, const char *sql);
const char *plain_text(const char *path, const char *sql);
void plain_exec(const char *path, const char *sql);

/* All rows of all tables as text; malloc'ed. */
char *plain_dump(const char *path);
/* The format with a number in it, valid until the next call: for one %lld. */
const char *with(const char *format, int64_t number);
void assert_near(double value, double expected, double tolerance);

/* Opens a database, for reading only or not, and closes it. */
enum status open_and_close(const char *path, bool readonly, struct err *e);

/* Setup and teardown of a test: an empty folder (scratch.h), faults possible (faulty_vfs.h). */
int faulty_setup(void **state);
int faulty_teardown(void **state);

/* Setup and teardown of a test: a folder with a database, open, the fixture's sweep recorded. */
struct context {
    char *folder;
    scratch_path path;
    struct fixture f;
    struct store *s;
};
int store_setup(void **state);
int store_teardown(void **state);
#define store_test(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

/* A file's bytes, to see whether they change; malloc'ed. */
char *slurp(const char *path, size_t *n);
void assert_same_bytes(const char *path, const char *bytes, size_t n);
bool beside(const char *path, const char *suffix);

#define assert_ok(call)                                      \
    do {                                                     \
        enum status status_ = (call);                        \
        if (status_ != ST_OK)                                \
            fail_msg("status %d: %s", (int)status_, e.text); \
    } while (0)

#endif
