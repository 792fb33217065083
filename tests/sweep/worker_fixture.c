#include "worker_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"

struct saves saves;
bool no_links;

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
    if (f->grow_each > 0 && f->questions % f->grow_each == 0)
        f->threads = f->threads % 3 + 1;
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
    for (int v = 0; v < 256; v++)
        d->normalised[0][v] = ((float)v / 255 - d->mean[0]) / d->stddev[0];
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

int worker_setup(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof *f);
    /* In memory where that exists: every save waits for the disk. */
    snprintf(f->folder, sizeof f->folder, "%s/firesweep-worker-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(f->folder))
        return -1;
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

int worker_teardown(void **state)
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

enum status run_worker(struct fixture *f)
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
    while (f->count < RECORDS && record_next(&reader, ends[0], &f->records[f->count], &e) == RECORD_READ)
        f->count += f->records[f->count].kind != RECORD_PROGRESS;
    close(ends[0]);
    assert_false(f->expendable);
    return status;
}

const struct record *last_record(const struct fixture *f)
{
    assert_true(f->count > 0);
    return &f->records[f->count - 1];
}

int count_kind(const struct fixture *f, enum record_kind kind)
{
    int n = 0;
    for (int i = 0; i < f->count; i++)
        n += f->records[i].kind == kind;
    return n;
}

const char *first_notice(const struct fixture *f)
{
    for (int i = 0; i < f->count; i++)
        if (f->records[i].kind == RECORD_NOTICE)
            return f->records[i].as.text;
    return "";
}

struct outcome outcome_of(const struct fixture *f)
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
    assert_int_equal(last_record(f)->kind, RECORD_DONE);
    o.test = last_record(f)->as.test;
    return o;
}

static void assert_same_metrics(const struct eval_metrics *a, const struct eval_metrics *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(&a->loss, &b->loss, sizeof a->loss);
    assert_memory_equal(&a->top1, &b->top1, sizeof a->top1);
    assert_memory_equal(&a->top5, &b->top5, sizeof a->top5);
}

void assert_same_outcome(const struct outcome *a, const struct outcome *b)
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

void remove_checkpoints(const struct fixture *f)
{
    remove(f->checkpoint);
    remove(f->previous);
}

struct outcome uninterrupted(struct fixture *f)
{
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome o = outcome_of(f);
    remove_checkpoints(f);
    saves.calls = 0;
    return o;
}
