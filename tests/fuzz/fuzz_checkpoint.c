/* Checkpoints: a trainer takes one whole or stays as it was; what a file says of itself is usable. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trainer.h"
#include "fuzz.h"
#include "memory_file.h"
#include "metamodel/cost.h"

enum { SIDE = 8, CLASSES = 3, SAMPLES = 8, PARAMS_MAX = 1 << 20, MACS_MAX = 1 << 20 };

static void require(bool promise)
{
    if (!promise)
        abort();
}

static int load(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out, size_t pitch)
{
    (void)context, (void)seed, (void)epoch;
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            out[y * pitch + x] = (float)(index + x + y);
    return (int)(index % CLASSES);
}

/* The trainer that the corpus was written by. */
static struct trainer *make(void)
{
    struct design d;
    struct arch a;
    struct recipe r = recipe_default();
    struct trainer *t = NULL;
    require(design_preset("small32", &d, NULL) == ST_OK);
    d.meta = (struct metaparams){.base_e = 1, .incr_e = 0, .freq = 1, .sr = 1, .pct3x3 = 0};
    d.macro.input = (struct shape){1, SIDE, SIDE};
    d.macro.classes = CLASSES;
    d.macro.conv1_filters = 1;
    r.epochs = 2;
    r.batch = SAMPLES;
    r.lanes = 1;
    require(arch_build(&d, &a, NULL) == ST_OK);
    const struct trainer_config c = {&a, &r, 1, 1, {NULL, SAMPLES, load, NULL}, {NULL, 0, load, NULL}};
    require(trainer_create(&c, &t, NULL) == ST_OK);
    return t;
}

static void check_error(enum status st, const struct err *e)
{
    require((st == ST_CORRUPT || st == ST_USAGE) && e->status == st && !strpbrk(e->text, "\n\r"));
    require(strncmp(e->text, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0);
}

static void describe(const char *path)
{
    struct arch arch;
    struct cost cost;
    char *description = NULL;
    struct trainer *t = NULL;
    struct err e = ERR_INIT;
    enum status st = checkpoint_describe(path, &arch, &description, &e);
    if (st != ST_OK) {
        require(!description);
        check_error(st, &e);
        return;
    }
    mem_free(description);
    arch_cost(&arch, &cost);
    /* More parameters than an input's bytes must be refused before any memory is asked for. */
    if (cost.macs > MACS_MAX && cost.params <= PARAMS_MAX)
        return; /* a run must be quick */
    st = trainer_open(path, 1, &t, &e);
    require((st == ST_OK) == (t != NULL));
    if (st != ST_OK)
        check_error(st, &e);
    trainer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct trainer *trainer;
    static size_t live;
    if (!trainer) {
        trainer = make();
        live = mem_live();
    }
    const char *path = memory_file(bytes, n);
    struct err e = ERR_INIT;
    enum status st = trainer_load(trainer, path, &e);
    if (st != ST_OK)
        check_error(st, &e);
    int epochs = trainer_epochs_done(trainer);
    require(epochs >= 0 && epochs <= 2 && trainer_finished(trainer) == (epochs == 2));
    for (int i = 0; i < epochs; i++)
        require(trainer_history(trainer)[i].epoch == i + 1);
    describe(path);
    require(mem_live() == live);
    return 0;
}
