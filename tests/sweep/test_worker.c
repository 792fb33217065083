/* A worker in this process: what it sends and saves when it runs through, is stopped, loses its checkpoint,
 * meets a full disk, or diverges. Saves are watched and made to fail by wrapping trainer_save at link time.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
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

/* How trainer_save behaves: the only way to fill a disk without being root. */
static struct {
    int calls;
    int no_space; /* this many calls fail */
} saves;

/* The linker prescribes the names. NOLINTBEGIN(bugprone-reserved-identifier) */
enum status __real_trainer_save(const struct trainer *t, const char *path, const char *description,
                                struct err *e);
enum status __wrap_trainer_save(const struct trainer *t, const char *path, const char *description,
                                struct err *e);

enum status __wrap_trainer_save(const struct trainer *t, const char *path, const char *description,
                                struct err *e)
{
    saves.calls++;
    if (saves.calls <= saves.no_space) {
        errno = ENOSPC;
        return err_errno(e, "cannot write %s", path);
    }
    return __real_trainer_save(t, path, description, e);
}

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);

static bool no_links; /* as on a file system without them */

int __wrap_link(const char *from, const char *to)
{
    if (no_links) {
        errno = EPERM;
        return -1;
    }
    return __real_link(from, to);
}

/* NOLINTEND(bugprone-reserved-identifier) */

static bool stop_requested(void *context)
{
    struct fixture *f = context;
    f->asked++;
    return f->stop_after > 0 && f->asked >= f->stop_after;
}

static void expendable(void *context, bool on)
{
    struct fixture *f = context;
    f->tested_expendable = f->tested_expendable || on;
    f->expendable = on;
}

static int threads(void *context)
{
    struct fixture *f = context;
    f->questions++;
    if (f->grow_each > 0 && f->questions % f->grow_each == 0) {
        f->threads = f->threads % 3 + 1;
    }
    return f->threads;
}

static void use_threads(void *context, int n)
{
    struct fixture *f = context;
    assert_int_equal(n, f->threads);
    f->changes++;
}

/* Images whose class shows as a bright third. */
static void make_split(struct image_set *set, size_t count, uint64_t seed)
{
    struct rng r = rng_stream(seed, RNG_TEST, 0, 0);
    set->count = count;
    set->pixels = mem_alloc(count, SIDE * SIDE);
    set->labels = mem_alloc(count, sizeof *set->labels);
    for (size_t i = 0; i < count; i++) {
        set->labels[i] = (uint16_t)(i % CLASSES);
        for (int p = 0; p < SIDE * SIDE; p++) {
            bool bright = p / SIDE / (SIDE / CLASSES) == set->labels[i];
            set->pixels[i * SIDE * SIDE + (size_t)p] = (uint8_t)((bright ? 150 : 50) + rng_below(&r, 60));
        }
    }
}

static char *class_names[CLASSES] = {(char *)"zero", (char *)"\"one\"", (char *)"zwei ü"};

static void make_data(struct dataset *d)
{
    d->image = (struct shape){1, SIDE, SIDE};
    d->classes = CLASSES;
    d->class_names = class_names;
    d->mean[0] = 0.25f;
    d->stddev[0] = 0.5f;
    d->fingerprint = 0xabcdef;
    for (int v = 0; v < 256; v++) {
        d->normalised[0][v] = ((float)v / 255 - d->mean[0]) / d->stddev[0];
    }
    make_split(&d->sets[SPLIT_TRAIN], TRAIN, 1);
    make_split(&d->sets[SPLIT_VAL], VAL, 2);
    make_split(&d->sets[SPLIT_TEST], TEST, 3);
}

static void make_trial(struct trial *t)
{
    struct err e = ERR_INIT;
    struct design *d = &t->point.design;
    assert_int_equal(design_preset("small32", d, &e), ST_OK);
    d->macro.input = (struct shape){1, SIDE, SIDE};
    d->macro.classes = CLASSES;
    d->macro.conv1_filters = 8;
    d->meta = (struct metaparams){16, 4, 2, 1.0, 0.5};
    t->point.recipe = recipe_default();
    t->point.recipe.epochs = EPOCHS;
    t->point.recipe.batch = BATCH;
    t->point.recipe.lr = 0.03;
    t->point.recipe.dropout = 0.1;
    t->point.recipe.flip = true;
    t->point.recipe.crop_pad = 2;
    t->seed = 9;
    snprintf(t->arch_hash, sizeof t->arch_hash, "aaaaaaaaaaaaaaaa");
    snprintf(t->recipe_hash, sizeof t->recipe_hash, "bbbbbbbbbbbbbbbb");
}

static int setup(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof *f);
    /* In memory where that exists: every save waits for the disk. */
    snprintf(f->folder, sizeof f->folder, "%s/firesweep-worker-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(f->folder)) {
        return -1;
    }
    snprintf(f->checkpoint, sizeof f->checkpoint, "%s/c.safetensors", f->folder);
    snprintf(f->previous, sizeof f->previous, "%s/c.previous.safetensors", f->folder);
    make_trial(&f->trial);
    make_data(&f->data);
    f->task = (struct worker_task){
        .sweep = "sweep",
        .name = "block SR=0.5 seed 9",
        .axes = "{\"SR\":0.5}",
        .trial = &f->trial,
        .data = &f->data,
        .checkpoint = f->checkpoint,
        .checkpoint_s = 1e9,
        .save_retry_s = 0,
        .host = {f, stop_requested, expendable, threads, use_threads},
    };
    f->threads = 1;
    saves.calls = saves.no_space = 0;
    log_set_level(LOG_ERROR);
    signal(SIGPIPE, SIG_IGN);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < SPLIT_COUNT; i++) {
        mem_free(f->data.sets[i].pixels);
        mem_free(f->data.sets[i].labels);
    }
    int status = nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    mem_free(f);
    return status;
}

/* Runs the worker and collects what it sends, but for progress, which depends on the clock. */
static enum status run(struct fixture *f)
{
    int ends[2];
    struct record_reader reader;
    struct err e = ERR_INIT;
    assert_int_equal(pipe(ends), 0);
    f->task.records = ends[1];
    f->asked = 0;
    enum status status = worker_run(&f->task);
    close(ends[1]);
    record_reader_init(&reader);
    f->count = 0;
    while (f->count < RECORDS && record_next(&reader, ends[0], &f->records[f->count], &e) == RECORD_READ) {
        f->count += f->records[f->count].kind != RECORD_PROGRESS;
    }
    close(ends[0]);
    assert_false(f->expendable);
    return status;
}

static const struct record *last(const struct fixture *f)
{
    assert_true(f->count > 0);
    return &f->records[f->count - 1];
}

static int count_kind(const struct fixture *f, enum record_kind kind)
{
    int n = 0;
    for (int i = 0; i < f->count; i++) {
        n += f->records[i].kind == kind;
    }
    return n;
}

static const char *first_notice(const struct fixture *f)
{
    for (int i = 0; i < f->count; i++) {
        if (f->records[i].kind == RECORD_NOTICE) {
            return f->records[i].as.text;
        }
    }
    return "";
}

/* Metrics of a whole training, without times. */
struct outcome {
    struct epoch_metrics epochs[EPOCHS];
    struct eval_metrics test;
};

/* The last record of each epoch counts, as in the database. */
static struct outcome outcome_of(const struct fixture *f)
{
    struct outcome o;
    memset(&o, 0, sizeof o);
    for (int i = 0; i < f->count; i++) {
        if (f->records[i].kind == RECORD_EPOCH) {
            struct epoch_metrics m = f->records[i].as.epoch;
            m.train_s = m.eval_s = 0;
            assert_in_range(m.epoch, 1, EPOCHS);
            o.epochs[m.epoch - 1] = m;
        }
    }
    assert_int_equal(last(f)->kind, RECORD_DONE);
    o.test = last(f)->as.test;
    return o;
}

static void assert_same_metrics(const struct eval_metrics *a, const struct eval_metrics *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(&a->loss, &b->loss, sizeof a->loss);
    assert_memory_equal(&a->top1, &b->top1, sizeof a->top1);
    assert_memory_equal(&a->top5, &b->top5, sizeof a->top5);
}

static void assert_same_outcome(const struct outcome *a, const struct outcome *b)
{
    for (int i = 0; i < EPOCHS; i++) {
        assert_int_equal(a->epochs[i].epoch, b->epochs[i].epoch);
        assert_memory_equal(&a->epochs[i].lr, &b->epochs[i].lr, sizeof(double));
        assert_memory_equal(&a->epochs[i].train_loss, &b->epochs[i].train_loss, sizeof(double));
        assert_memory_equal(&a->epochs[i].train_top1, &b->epochs[i].train_top1, sizeof(double));
        assert_same_metrics(&a->epochs[i].val, &b->epochs[i].val);
    }
    assert_same_metrics(&a->test, &b->test);
}

static void remove_checkpoints(const struct fixture *f)
{
    remove(f->checkpoint);
    remove(f->previous);
}

/* What an uninterrupted training gives; removes its files. */
static struct outcome uninterrupted(struct fixture *f)
{
    assert_int_equal(run(f), ST_OK);
    struct outcome o = outcome_of(f);
    remove_checkpoints(f);
    saves.calls = 0;
    return o;
}

static void test_runs_through(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(f->count, 1 + EPOCHS + 1);
    assert_int_equal(f->records[0].kind, RECORD_STARTED);
    assert_int_equal(f->records[0].epochs_done, 0);
    for (int i = 1; i <= EPOCHS; i++) {
        assert_int_equal(f->records[i].kind, RECORD_EPOCH);
        assert_int_equal(f->records[i].as.epoch.epoch, i);
        assert_false(f->records[i].resent);
        assert_int_equal(f->records[i].as.epoch.val.count, VAL);
    }
    assert_int_equal(last(f)->kind, RECORD_DONE);
    assert_int_equal(last(f)->as.test.count, TEST);
    assert_true(f->tested_expendable);
    assert_true(file_exists(f->checkpoint));
    assert_true(file_exists(f->previous));
    assert_int_equal(saves.calls, EPOCHS);
    assert_true(f->records[EPOCHS].as.epoch.val.top1 > 0.6); /* what it saw was images with labels */
}

/* Where the files of an epoch and of the best one are. */
static void kept_paths(const struct fixture *f, char best[128], char epochs[EPOCHS][128])
{
    snprintf(best, 128, "%s/c.best.safetensors", f->folder);
    for (int i = 0; i < EPOCHS; i++) {
        snprintf(epochs[i], 128, "%s/c.epoch-%d.safetensors", f->folder, i + 1);
    }
}

/* Epochs whose state a file holds; 0 when there is none. */
static int epochs_in(const struct fixture *f, const char *path)
{
    struct arch arch;
    struct trainer *t = NULL;
    struct err e = ERR_INIT;
    const struct trainer_config config = {
        .arch = &arch, .recipe = &f->trial.point.recipe, .seed = f->trial.seed, .threads = 1};
    assert_int_equal(arch_build(&f->trial.point.design, &arch, &e), ST_OK);
    assert_int_equal(trainer_create(&config, &t, &e), ST_OK);
    bool good = trainer_load(t, path, &e) == ST_OK;
    int epochs = good ? trainer_epochs_done(t) : 0;
    trainer_free(t);
    return epochs;
}

static int best_epoch(const struct outcome *o)
{
    int best = 0;
    for (int i = 1; i < EPOCHS; i++) {
        best = o->epochs[i].val.top1 > o->epochs[best].val.top1 ? i : best;
    }
    return best + 1;
}

static void test_keeps_epochs_and_the_best(void **state)
{
    struct fixture *f = *state;
    char best[128], epochs[EPOCHS][128];
    kept_paths(f, best, epochs);
    assert_int_equal(run(f), ST_OK);
    assert_false(file_exists(best) || file_exists(epochs[0])); /* unless asked */
    remove_checkpoints(f);
    f->task.keep = KEEP_ALL;
    assert_int_equal(run(f), ST_OK);
    struct outcome o = outcome_of(f);
    for (int i = 0; i < EPOCHS; i++) {
        assert_int_equal(epochs_in(f, epochs[i]), i + 1);
        remove(epochs[i]);
    }
    assert_int_equal(epochs_in(f, best), best_epoch(&o));
    remove(best);
    remove_checkpoints(f);
    f->task.keep = KEEP_BEST;
    assert_int_equal(run(f), ST_OK);
    assert_false(file_exists(epochs[EPOCHS - 1]));
    assert_int_equal(epochs_in(f, best), best_epoch(&o));
    assert_int_equal(epochs_in(f, f->checkpoint), EPOCHS);
}

/* An attempt that ended between a save and the second name of the file: the next one catches up. */
static void test_kept_epoch_is_caught_up(void **state)
{
    struct fixture *f = *state;
    char best[128], epochs[EPOCHS][128];
    kept_paths(f, best, epochs);
    f->task.keep = KEEP_ALL;
    f->stop_after = STEPS + 1; /* asked after the first epoch's save: its state is the last */
    assert_int_equal(run(f), ST_INTERRUPTED);
    assert_int_equal(epochs_in(f, f->checkpoint), 1);
    remove(epochs[0]);
    remove(best);
    f->stop_after = 1;
    assert_int_equal(run(f), ST_INTERRUPTED);
    assert_int_equal(epochs_in(f, epochs[0]), 1);
    assert_int_equal(epochs_in(f, best), 1);
}

/* Where files cannot have two names, a second file is written. */
static void test_kept_without_links(void **state)
{
    struct fixture *f = *state;
    char best[128], epochs[EPOCHS][128];
    kept_paths(f, best, epochs);
    f->task.keep = KEEP_BEST;
    no_links = true;
    assert_int_equal(run(f), ST_OK);
    no_links = false;
    struct outcome o = outcome_of(f);
    assert_true(saves.calls > EPOCHS);
    assert_int_equal(epochs_in(f, best), best_epoch(&o));
}

static void test_second_run_only_reads_the_test_set(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run(f), ST_OK);
    struct outcome first = outcome_of(f);
    saves.calls = 0;
    assert_int_equal(run(f), ST_OK);
    struct outcome second = outcome_of(f);
    assert_same_outcome(&first, &second);
    assert_int_equal(saves.calls, 0);
    assert_int_equal(f->records[0].epochs_done, EPOCHS);
    assert_true(f->records[1].resent);
}

static void test_stopped_anywhere_continues_exactly(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    /* Early, at an epoch's end, in its evaluation, later, and after the last update. */
    static const int stops[] = {2, STEPS, STEPS + 1, 2 * STEPS + 3, EPOCHS * STEPS};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        int stop = stops[i];
        int parts = 0;
        enum status status;
        f->stop_after = stop;
        do {
            /* Each part may get `stop` updates far, so the first values need many parts. */
            status = run(f);
            assert_true(status == ST_OK || status == ST_INTERRUPTED);
            if (status == ST_INTERRUPTED) {
                assert_int_equal(last(f)->kind, RECORD_STOPPED);
                assert_true(file_exists(f->checkpoint));
            }
            f->stop_after += stop;
            f->threads = 1 + parts++ % 2;
        } while (status == ST_INTERRUPTED);
        assert_true(parts > 1);
        struct outcome o = outcome_of(f);
        assert_same_outcome(&whole, &o);
        remove_checkpoints(f);
    }
}

static void test_saves_within_an_epoch_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    f->task.checkpoint_s = 0; /* after every update */
    assert_int_equal(run(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
    assert_int_equal(saves.calls, EPOCHS * (STEPS + 1));
}

static void test_threads_change_on_the_way(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    assert_int_equal(f->changes, 1);
    f->grow_each = 5;
    assert_int_equal(run(f), ST_OK);
    assert_true(f->changes >= 3);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* Flips one bit in the middle of a file. */
static void damage(const char *path)
{
    FILE *io = fopen(path, "r+");
    assert_non_null(io);
    assert_int_equal(fseek(io, 0, SEEK_END), 0);
    long middle = ftell(io) / 2;
    assert_int_equal(fseek(io, middle, SEEK_SET), 0);
    int byte = fgetc(io);
    assert_int_equal(fseek(io, middle, SEEK_SET), 0);
    assert_true(fputc(byte ^ 4, io) != EOF);
    assert_int_equal(fclose(io), 0);
}

/* Leaves the checkpoints of a training that was stopped in its third epoch. */
static void stop_in_third_epoch(struct fixture *f)
{
    f->task.checkpoint_s = 0; /* asked after each update, after each save, and at an epoch's end */
    f->stop_after = 2 * (2 * STEPS + 1) + 3;
    assert_int_equal(run(f), ST_INTERRUPTED);
    assert_int_equal(count_kind(f, RECORD_EPOCH), 2);
    f->stop_after = 0;
    f->task.checkpoint_s = 1e9;
}

static void test_damaged_checkpoint_falls_back(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    stop_in_third_epoch(f);
    damage(f->checkpoint);
    assert_int_equal(run(f), ST_OK);
    assert_non_null(strstr(first_notice(f), f->checkpoint));
    assert_int_equal(count_kind(f, RECORD_NOTICE), 1);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
    /* It did not start over: epochs came from the previous file. */
    assert_true(f->records[1].kind == RECORD_STARTED && f->records[1].epochs_done >= 1);
}

static void test_missing_checkpoint_falls_back(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    stop_in_third_epoch(f);
    assert_int_equal(remove(f->checkpoint), 0); /* killed between the two renames of a save */
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(count_kind(f, RECORD_NOTICE), 0);
    assert_true(f->records[0].kind == RECORD_STARTED && f->records[0].epochs_done >= 1);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_no_good_checkpoint_starts_over(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    stop_in_third_epoch(f);
    write_file(f->checkpoint, "");
    write_file(f->previous, "this is no checkpoint");
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(count_kind(f, RECORD_NOTICE), 2);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_checkpoint_of_another_seed_is_not_used(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    f->trial.seed = 10;
    assert_int_equal(run(f), ST_OK);
    remove(f->previous);
    f->trial.seed = 9;
    assert_int_equal(run(f), ST_OK);
    assert_non_null(strstr(first_notice(f), "seed"));
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_full_disk_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    saves.no_space = 3;
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(saves.calls, EPOCHS + 3);
    assert_int_equal(count_kind(f, RECORD_NOTICE),
                     2); /* once when it fills, once when there is space again */
    assert_non_null(strstr(first_notice(f), "no space"));
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_stopped_on_a_full_disk(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    saves.no_space = INT_MAX;
    f->stop_after = STEPS + 3; /* while it waits after the first epoch */
    assert_int_equal(run(f), ST_INTERRUPTED);
    assert_int_equal(last(f)->kind, RECORD_STOPPED);
    assert_int_equal(count_kind(f, RECORD_EPOCH), 0); /* nothing is safe, so nothing was reported */
    assert_false(file_exists(f->checkpoint));
    saves.no_space = 0;
    f->stop_after = 0;
    assert_int_equal(run(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_failing_save_is_a_failure(void **state)
{
    struct fixture *f = *state;
    char missing[160];
    snprintf(missing, sizeof missing, "%s/missing/c.safetensors", f->folder);
    f->task.checkpoint = missing;
    assert_int_equal(run(f), ST_FAILED);
    assert_int_equal(last(f)->kind, RECORD_FAILED);
    assert_int_equal(last(f)->status, ST_FAILED);
    assert_non_null(strstr(last(f)->as.text, missing));
    assert_int_equal(count_kind(f, RECORD_EPOCH), 0);
}

static void test_gone_supervisor_ends_the_worker(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    f->task.records = ends[1];
    assert_int_equal(worker_run(&f->task), ST_INTERRUPTED);
    close(ends[1]);
    assert_true(file_exists(f->checkpoint));
    assert_int_equal(run(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_divergence_is_a_result(void **state)
{
    struct fixture *f = *state;
    f->trial.point.recipe.lr = 1000;
    f->trial.point.recipe.warmup = 0;
    f->trial.point.recipe.weight_decay = 1; /* each update makes the weights a thousand times larger */
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(last(f)->kind, RECORD_DIVERGED);
    int64_t step = last(f)->step;
    assert_in_range(step, 2, EPOCHS * STEPS);
    assert_true(strlen(last(f)->as.text) > 0);

    /* The step counts from the start of the training, wherever the attempt began. */
    remove_checkpoints(f);
    f->stop_after = (int)step - 1;
    assert_int_equal(run(f), ST_INTERRUPTED);
    f->stop_after = 0;
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(last(f)->kind, RECORD_DIVERGED);
    assert_int_equal(last(f)->step, step);
}

static void test_impossible_trial_fails_with_usage(void **state)
{
    struct fixture *f = *state;
    f->trial.point.design.meta.sr = 2;
    assert_int_equal(run(f), ST_USAGE);
    assert_int_equal(last(f)->kind, RECORD_FAILED);
    assert_int_equal(last(f)->status, ST_USAGE);
    assert_non_null(strstr(last(f)->as.text, "SR"));
}

static void test_without_validation_and_test_images(void **state)
{
    struct fixture *f = *state;
    size_t val = f->data.sets[SPLIT_VAL].count, test = f->data.sets[SPLIT_TEST].count;
    f->data.sets[SPLIT_VAL].count = f->data.sets[SPLIT_TEST].count = 0;
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(last(f)->kind, RECORD_DONE);
    assert_int_equal(last(f)->as.test.count, 0);
    f->data.sets[SPLIT_VAL].count = val;
    f->data.sets[SPLIT_TEST].count = test;
}

/* Every allocation in turn fails, and all after it: an error, no crash, nothing left allocated. */
static void test_want_of_memory_is_an_error(void **state)
{
    struct fixture *f = *state;
    f->trial.point.recipe.epochs = 1;
    size_t n = 1, before = mem_live();
    enum status status;
    do {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        f->task.records = ends[1];
        mem_fail_after(n);
        status = worker_run(&f->task);
        mem_fail_after(0);
        close(ends[0]);
        close(ends[1]);
        assert_true(status == ST_OK || status == ST_NOMEM);
        assert_int_equal(mem_live(), before);
        remove_checkpoints(f);
        n++;
    } while (status != ST_OK);
    assert_true(n > 20);
}

static void test_checkpoint_describes_itself(void **state)
{
    struct fixture *f = *state;
    struct arch arch;
    struct err e = ERR_INIT;
    char *text = NULL;
    assert_int_equal(run(f), ST_OK);
    assert_int_equal(checkpoint_describe(f->checkpoint, &arch, &text, &e), ST_OK);
    struct json_object *d = json_tokener_parse(text), *names, *mean, *axes;
    assert_non_null(d);
    assert_string_equal(json_object_get_string(json_object_object_get(d, "tool")), "firesweep");
    assert_string_equal(json_object_get_string(json_object_object_get(d, "sweep")), "sweep");
    assert_string_equal(json_object_get_string(json_object_object_get(d, "trial")), "block SR=0.5 seed 9");
    assert_int_equal(json_object_get_int(json_object_object_get(d, "seed")), 9);
    assert_string_equal(json_object_get_string(json_object_object_get(d, "data_fingerprint")),
                        "0000000000abcdef");
    assert_true(json_object_object_get_ex(d, "class_names", &names));
    assert_int_equal(json_object_array_length(names), CLASSES);
    assert_string_equal(json_object_get_string(json_object_array_get_idx(names, 1)), "\"one\"");
    assert_string_equal(json_object_get_string(json_object_array_get_idx(names, 2)), "zwei ü");
    assert_true(json_object_object_get_ex(d, "mean", &mean));
    assert_int_equal(json_object_array_length(mean), 1);
    assert_true(json_object_get_double(json_object_array_get_idx(mean, 0)) == 0.25);
    assert_true(json_object_object_get_ex(d, "axes", &axes));
    assert_true(json_object_get_double(json_object_object_get(axes, "SR")) == 0.5);
    json_object_put(d);
    mem_free(text);
}

static void test_names(void **state)
{
    (void)state;
    char *name = trial_name_format("fig3a", "{\"SR\":0.125,\"bypass\":\"simple\"}", 3);
    assert_string_equal(name, "fig3a SR=0.125 bypass=simple seed 3");
    mem_free(name);
    name = trial_name_format("base", NULL, UINT64_MAX);
    assert_string_equal(name, "base seed 18446744073709551615");
    mem_free(name);
    char *previous = checkpoint_previous_path("a.b/c.safetensors");
    assert_string_equal(previous, "a.b/c.previous.safetensors");
    mem_free(previous);
    previous = checkpoint_previous_path("plain");
    assert_string_equal(previous, "plain.previous.safetensors");
    mem_free(previous);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_runs_through),
        TEST(test_keeps_epochs_and_the_best),
        TEST(test_kept_epoch_is_caught_up),
        TEST(test_kept_without_links),
        TEST(test_second_run_only_reads_the_test_set),
        TEST(test_stopped_anywhere_continues_exactly),
        TEST(test_saves_within_an_epoch_change_nothing),
        TEST(test_threads_change_on_the_way),
        TEST(test_damaged_checkpoint_falls_back),
        TEST(test_missing_checkpoint_falls_back),
        TEST(test_no_good_checkpoint_starts_over),
        TEST(test_checkpoint_of_another_seed_is_not_used),
        TEST(test_full_disk_is_waited_for),
        TEST(test_stopped_on_a_full_disk),
        TEST(test_failing_save_is_a_failure),
        TEST(test_gone_supervisor_ends_the_worker),
        TEST(test_divergence_is_a_result),
        TEST(test_impossible_trial_fails_with_usage),
        TEST(test_without_validation_and_test_images),
        TEST(test_want_of_memory_is_an_error),
        TEST(test_checkpoint_describes_itself),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
