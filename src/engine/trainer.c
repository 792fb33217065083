#include "engine/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/optimizer.h"
#include "engine/trainer_internal.h"

const char *engine_numerics(void)
{
    return "fp32-3";
}

int64_t trainer_steps_per_epoch(const struct trainer *t)
{
    const int64_t per_step = (int64_t)t->recipe.batch * t->recipe.accumulate;
    return ((int64_t)t->train.count + per_step - 1) / per_step;
}

enum status trainer_make_plans(struct trainer *t, struct err *e)
{
    const int64_t per_lane =
        ((int64_t)t->recipe.batch * t->recipe.accumulate + t->recipe.lanes - 1) / t->recipe.lanes;
    const int most = per_lane < TILE_IMAGES_MAX ? (int)per_lane : TILE_IMAGES_MAX;
    const bool winograd = t->recipe.winograd;
    enum status s =
        network_init(&t->train_net, &t->arch,
                     (struct network_options){.dropout = t->recipe.dropout > 0, .winograd = winograd}, e);
    if (s == ST_OK)
        s = network_init(&t->eval_net, &t->arch, (struct network_options){.winograd = winograd}, e);
    if (s == ST_OK)
        s = plan_init(&t->train_plan, &t->train_net, plan_tile_images(&t->train_net, true, most), true, e);
    if (s == ST_OK)
        s = plan_init(&t->eval_plan, &t->eval_net, plan_tile_images(&t->eval_net, false, TILE_IMAGES_MAX),
                      false, e);
    return s;
}

/* All of a trainer's memory, which predict.c foretells; a trainer that only evaluates (no training samples)
 * needs no gradients. */
static bool allocate(struct trainer *t)
{
    const bool training = t->train.count > 0;
    const size_t params = t->train_net.param_floats + TENSOR_SLACK;
    size_t block = t->eval_plan.floats;
    if (training && t->train_plan.floats > block)
        block = t->train_plan.floats;
    t->lane_floats = (params + 15) / 16 * 16;
    t->params = mem_aligned(params * sizeof(float));
    t->blocks = mem_calloc((size_t)t->threads, sizeof *t->blocks);
    if (!t->params || !t->blocks)
        return false;
    for (int i = 0; i < t->threads; i++)
        if (!(t->blocks[i] = mem_aligned(block * sizeof(float))))
            return false;
    t->derived = mem_aligned((t->train_net.derived_floats + TENSOR_SLACK) * sizeof(float));
    if (!t->derived)
        return false;
    if (!training)
        return true;
    t->lanes = mem_aligned((size_t)t->recipe.lanes * t->lane_floats * sizeof(float));
    t->chunk_squares = mem_calloc(trainer_chunks(t), sizeof *t->chunk_squares);
    t->order = mem_alloc(t->train.count, sizeof *t->order);
    t->history = mem_calloc((size_t)t->recipe.epochs, sizeof *t->history);
    for (int i = 0; i < optimizer_slots(&t->recipe); i++)
        if (!(t->state[i] = mem_aligned(params * sizeof(float))))
            return false;
    return t->lanes && t->chunk_squares && t->order && t->history;
}

enum status trainer_create(const struct trainer_config *c, struct trainer **out, struct err *e)
{
    *out = NULL;
    enum status s = recipe_check(c->recipe, e);
    if (s != ST_OK)
        return s;
    if (c->threads < 1)
        return err_set(e, ST_USAGE, "threads: %d, at least 1", c->threads);
    struct trainer *t = mem_calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ST_NOMEM, "out of memory");
    t->arch = *c->arch;
    t->recipe = *c->recipe;
    t->seed = c->seed;
    t->threads = c->threads;
    t->train = c->train;
    t->val = c->val;
    t->order_epoch = -1;
    s = kernels_select(&t->kernels, e);
    if (s == ST_OK)
        s = trainer_make_plans(t, e);
    if (s == ST_OK && !allocate(t))
        s = err_set(e, ST_NOMEM, "out of memory for a network of %zu parameters", t->train_net.param_floats);
    if (s != ST_OK) {
        trainer_free(t);
        return s;
    }
    if (t->train.count > 0) {
        trainer_init_weights(t);
        trainer_weights_changed(t);
    }
    *out = t;
    return ST_OK;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    for (int i = 0; t->blocks && i < t->threads; i++)
        mem_free(t->blocks[i]);
    for (int i = 0; i < STATE_SLOTS; i++)
        mem_free(t->state[i]);
    mem_free(t->blocks);
    mem_free(t->params);
    mem_free(t->derived);
    mem_free(t->lanes);
    mem_free(t->chunk_squares);
    mem_free(t->order);
    mem_free(t->history);
    mem_free(t);
}

bool trainer_finished(const struct trainer *t)
{
    return t->at.epoch >= t->recipe.epochs;
}

int trainer_epochs_done(const struct trainer *t)
{
    return t->at.epoch;
}

int64_t trainer_steps_done(const struct trainer *t)
{
    return t->at.step;
}

const struct epoch_metrics *trainer_history(const struct trainer *t)
{
    return t->history;
}

static void shuffle(struct trainer *t)
{
    if (t->order_epoch == t->at.epoch)
        return;
    struct rng r = rng_stream(t->seed, RNG_SHUFFLE, (uint64_t)t->at.epoch, 0);
    rng_permutation(&r, t->order, t->train.count);
    t->order_epoch = t->at.epoch;
}

/* Whether the last update had anything for the first layer. Where all that an image could change has died,
 * nothing comes back to it; looking there costs no image. */
static bool first_layer_learns(const struct trainer *t)
{
    const struct op *op = t->train_net.ops;
    while (op->kind != OP_CONV)
        op++;
    const struct branch *b = &op->branch[0];
    const size_t n = (size_t)b->k_count * (size_t)panel_channels(b->cout);
    for (size_t i = 0; i < n; i++)
        if (t->lanes[b->weights + i] != 0)
            return true;
    return false;
}

/* Whether the outputs are the same, bit for bit, for all of the first training images. */
static bool outputs_are_constant(struct trainer *t)
{
    enum { LOOK = 128 };
    const size_t row = (size_t)t->arch.classes * sizeof(float);
    struct samples some = t->train;
    struct eval_metrics unused;
    some.count = some.count < LOOK ? some.count : LOOK;
    float *logits = mem_alloc(some.count, row);
    bool same = logits && some.count > 1 && trainer_evaluate(t, &some, &unused, logits, NULL) == ST_OK;
    for (size_t i = 1; same && i < some.count; i++)
        same = memcmp(logits, logits + i * (size_t)t->arch.classes, row) == 0;
    mem_free(logits);
    return same;
}

/* A network in which all that an image could change has died stays about ln(classes), whatever comes: an
 * epoch of that after the warm-up is enough. One that has not begun to learn yet may be as near, for many
 * epochs; but what it says depends on the image, so it is left alone. `updated`: there was an update since
 * the trainer was made or loaded. */
static bool is_stuck(struct trainer *t, bool updated)
{
    static const double near = 0.02; /* biases of the last layer still move with the last batches' labels */
    const int64_t steps = trainer_steps_per_epoch(t);
    const double warm = t->recipe.warmup * (double)(steps * t->recipe.epochs);
    const double mean = t->at.loss_sum / (double)t->at.seen;
    return (double)(t->at.epoch * steps) >= warm && t->at.epoch > 0 &&
           fabs(mean - log(t->arch.classes)) < near && !(updated && first_layer_learns(t)) &&
           outputs_are_constant(t);
}

/* A loss a thousand times that of guessing never comes back, though it may stay finite. */
static const char *step_failure(const struct trainer *t, const struct step_result *r)
{
    if (!isfinite(r->loss_sum))
        return "the loss is not finite";
    if (!isfinite(r->gradient_norm))
        return "the gradient is not finite";
    if (r->loss_sum / (double)r->seen > 1000 * log(t->arch.classes))
        return "the loss is above 1000 ln(classes)";
    return NULL;
}

static void report(const struct trainer *t, double images_per_s,
                   bool (*on_step)(void *, const struct progress *), void *context, bool *stop)
{
    struct progress p;
    memset(&p, 0, sizeof p); /* padding too: its bytes are sent to other processes */
    p.epoch = t->at.epoch + 1;
    p.step = t->at.step;
    p.steps = trainer_steps_per_epoch(t);
    p.images_per_s = images_per_s;
    p.train_loss = t->at.loss_sum / (double)t->at.seen;
    *stop = on_step && on_step(context, &p);
}

/* Evaluates and closes the epoch's books. */
static enum status finish_epoch(struct trainer *t, double lr, struct err *e)
{
    struct epoch_metrics m = {.epoch = t->at.epoch + 1,
                              .lr = lr,
                              .train_loss = t->at.loss_sum / (double)t->at.seen,
                              .train_top1 = (double)t->at.correct / (double)t->at.seen,
                              .train_s = t->at.train_s};
    const double start = clock_seconds();
    if (t->val.count > 0) {
        enum status s = trainer_evaluate(t, &t->val, &m.val, NULL, e);
        if (s != ST_OK)
            return s;
    }
    m.eval_s = clock_seconds() - start;
    t->history[t->at.epoch] = m;
    t->at = (struct position){.epoch = t->at.epoch + 1};
    return ST_OK;
}

enum epoch_end trainer_run_epoch(struct trainer *t, bool (*on_step)(void *context, const struct progress *p),
                                 void *context, char why[128])
{
    const int64_t steps = trainer_steps_per_epoch(t),
                  per_step = (int64_t)t->recipe.batch * t->recipe.accumulate;
    struct step_result r = {
        .lr = recipe_lr(&t->recipe, (t->at.epoch + 1) * steps - 1, steps * t->recipe.epochs)};
    const bool updates = t->at.step < steps; /* one that was stopped behind its last one has none left */
    shuffle(t);
    while (t->at.step < steps) {
        const double start = clock_seconds();
        const int64_t first = t->at.step * per_step, left = (int64_t)t->train.count - first;
        r = trainer_step(t, first, left < per_step ? left : per_step);
        if (r.load_failed) {
            snprintf(why, 128, "a training image does not load in step %lld of epoch %d",
                     (long long)t->at.step + 1, t->at.epoch + 1);
            return EPOCH_FAILED;
        }
        const char *failure = step_failure(t, &r);
        if (failure) {
            snprintf(why, 128, "%s in step %lld of epoch %d", failure, (long long)t->at.step + 1,
                     t->at.epoch + 1);
            return EPOCH_DIVERGED;
        }
        const double took = clock_seconds() - start;
        t->at.step++;
        t->at.loss_sum += r.loss_sum;
        t->at.correct += r.correct;
        t->at.seen += r.seen;
        t->at.train_s += took;
        bool stop;
        report(t, (double)r.seen / took, on_step, context, &stop);
        if (stop)
            return EPOCH_STOPPED;
    }
    if (is_stuck(t, updates)) {
        snprintf(why, 128, "the loss is stuck at ln(%d) = %.4f in epoch %d: all images give the same outputs",
                 t->arch.classes, log(t->arch.classes), t->at.epoch + 1);
        return EPOCH_DIVERGED;
    }
    struct err e = ERR_INIT;
    if (finish_epoch(t, r.lr, &e) != ST_OK) {
        snprintf(why, 128, "%.120s", e.text);
        return EPOCH_FAILED;
    }
    return EPOCH_DONE;
}
