/* A worker in this process, with data and a trial of its own: what it sends and saves can be compared, and
 * saves and links made to fail by wrapping them at link time. */
#ifndef TESTS_SWEEP_WORKER_FIXTURE_H
#define TESTS_SWEEP_WORKER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sweep/protocol.h"
#include "sweep/worker.h"

enum {
    SIDE = 12,
    CLASSES = 3,
    TRAIN = 64,
    VAL = 24,
    TEST = 30,
    EPOCHS = 3,
    BATCH = 8,
    STEPS = 8,
    RECORDS = 64
};

struct fixture {
    char folder[64], checkpoint[128], previous[128];
    struct trial trial;
    struct dataset data;
    struct worker_task task;
    /* What the process answers. */
    int stop_after; /* asks to stop at this question, 0 = never */
    int asked;
    bool expendable, tested_expendable;
    int threads;   /* wanted */
    int grow_each; /* asks for another number of threads after so many questions, 0 = never */
    int questions, changes;
    /* What came over the pipe. */
    struct record records[RECORDS];
    int count;
};

/* How trainer_save behaves. */
struct saves {
    int calls;
    int no_space; /* this many calls fail */
};
extern struct saves saves;
extern bool no_links; /* as on a file system without them */

/* *state is the fixture; its trial may be changed before it runs. */
int worker_setup(void **state);
int worker_teardown(void **state);
#define WORKER_TEST(name) cmocka_unit_test_setup_teardown(name, worker_setup, worker_teardown)

/* Runs the worker and collects what it sends, but for progress, which depends on the clock. */
enum status run_worker(struct fixture *f);
const struct record *last_record(const struct fixture *f);
int count_kind(const struct fixture *f, enum record_kind kind);
const char *first_notice(const struct fixture *f); /* "" = none */

/* Metrics of a whole training, without times. */
struct outcome {
    struct epoch_metrics epochs[EPOCHS];
    struct eval_metrics test;
};

/* The last record of each epoch counts, as in the database. */
struct outcome outcome_of(const struct fixture *f);
void assert_same_outcome(const struct outcome *a, const struct outcome *b);
void remove_checkpoints(const struct fixture *f);
/* What an uninterrupted training gives; removes its files. */
struct outcome uninterrupted(struct fixture *f);

#endif
