#include "engine/predict.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "engine/optimizer.h"
#include "engine/trainer_internal.h"

/* What one pass over one image does; gradients only in training. */
struct counter {
    const struct network *network;
    bool training;
    double *work;
};

static double pixels(const struct shape *s)
{
    return (double)s->h * s->w;
}

static double values(const struct shape *s)
{
    return pixels(s) * s->c;
}

/* Products of `k` values with `channels` outputs at each of `at` pixels. */
static void count_products(const struct counter *c, double k, int channels, double at)
{
    c->work[WORK_PRODUCTS] += k * panel_channels(channels) * at;
    c->work[WORK_ROWS] += k * at;
    c->work[WORK_OUTPUTS] += panel_channels(channels) * at;
}

static void count_winograd(const struct counter *c, const struct op *op, const struct branch *b)
{
    const struct shape *map = &c->network->tensors[op->out].shape;
    const int down = (map->h + WINOGRAD_OUT - 1) / WINOGRAD_OUT,
              across = (map->w + WINOGRAD_OUT - 1) / WINOGRAD_OUT;
    const double tiles = (double)down * across;
    const double forward = WINOGRAD_PLANES * tiles * b->cin * panel_channels(b->cout),
                 backward = WINOGRAD_PLANES * tiles * b->cout * panel_channels(b->cin);
    const int passes = c->training ? 2 + op->wants_dx : 1;
    c->work[WORK_WINOGRAD] += forward * (c->training ? 2 : 1);
    c->work[WORK_WINOGRAD] += c->training && op->wants_dx ? backward : 0;
    c->work[WORK_TRANSFORMS] += WINOGRAD_PLANES * tiles * (b->cin + b->cout) * passes;
}

static void count_columns(const struct counter *c, const struct op *op, const struct branch *b)
{
    enum { TAPS = 9 };
    const double at = pixels(&c->network->tensors[op->out].shape);
    const int passes = c->training ? 2 : 1; /* the gradient to the data is direct */
    for (int pass = 0; pass < passes; pass++)
        count_products(c, b->cin, TAPS * b->cout, at);
    c->work[WORK_COLUMNS] += (double)TAPS * b->cout * at * passes;
}

static void count_direct(const struct counter *c, const struct op *op, const struct branch *b)
{
    const double at = pixels(&c->network->tensors[op->out].shape);
    count_products(c, b->k_count, b->cout, at);
    if (c->training)
        count_products(c, b->k_count, b->cout, at);
}

static void count_conv(const struct counter *c, const struct op *op)
{
    for (int i = 0; i < op->branch_count; i++) {
        const struct branch *b = &op->branch[i];
        if (b->winograd)
            count_winograd(c, op, b);
        else if (b->columns)
            count_columns(c, op, b);
        else
            count_direct(c, op, b);
    }
    if (c->training && op->wants_dx && op->transposed_k > 0) {
        const struct shape *in = &c->network->tensors[op->in].shape;
        count_products(c, op->transposed_k, in->c, pixels(in));
    }
}

/* Work of one image whose tile has plan->images of them. */
static void count_image(const struct network *n, const struct plan *p, bool training, double work[WORK_COUNT])
{
    const struct counter c = {n, training, work};
    double calls = 0;
    for (int i = 0; i < n->op_count; i++) {
        const struct op *op = &n->ops[i];
        const double in = values(&n->tensors[op->in].shape);
        const int round = plan_stage(p, i)->images, rounds = (p->images + round - 1) / round;
        calls += rounds;
        if (op->kind == OP_CONV)
            count_conv(&c, op);
        else
            work[op->kind == OP_MAXPOOL ? WORK_POOLED : WORK_ELEMENTS] += in;
    }
    work[WORK_TILE_PARAMS] = (double)(n->param_floats + n->derived_floats) / p->images;
    work[WORK_TILE_CALLS] = calls / p->images;
}

static void count_update(const struct trainer *t, double work[WORK_COUNT])
{
    const double params = (double)t->train_net.param_floats;
    work[WORK_PARAMS] = params * (t->recipe.lanes + 1 + optimizer_slots(&t->recipe));
    work[WORK_DERIVED] = (double)t->train_net.derived_floats;
    work[WORK_UPDATES] = 1;
}

/* As trainer.c's allocate() and checkpoint.c: parameters, optimizer state and gradients, what is derived, and
 * a copy of what a checkpoint holds. */
static void count_memory(struct workload *w, const struct trainer *t)
{
    const double floats = sizeof(float), params = (double)(t->train_net.param_floats + TENSOR_SLACK);
    const double block =
        (double)(t->train_plan.floats > t->eval_plan.floats ? t->train_plan.floats : t->eval_plan.floats);
    const int sets = 1 + optimizer_slots(&t->recipe);
    w->trainer_bytes = floats * (params * (sets + t->recipe.lanes) + (double)t->train_net.derived_floats) +
                       sizeof *t + sizeof(double) * (double)trainer_chunks(t) +
                       (double)sizeof(struct epoch_metrics) * t->recipe.epochs;
    w->thread_bytes = floats * block;
    w->checkpoint_bytes = floats * params * sets;
}

enum status workload_init(struct workload *w, const struct arch *a, const struct recipe *r, struct err *e)
{
    memset(w, 0, sizeof *w);
    struct trainer *t = mem_calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ST_NOMEM, "out of memory");
    t->arch = *a;
    t->recipe = *r;
    enum status s = trainer_make_plans(t, e);
    if (s == ST_OK) {
        w->lanes = r->lanes;
        w->images_per_update = (int64_t)r->batch * r->accumulate;
        count_image(&t->train_net, &t->train_plan, true, w->train);
        count_image(&t->eval_net, &t->eval_plan, false, w->infer);
        count_update(t, w->train);
        count_memory(w, t);
    }
    mem_free(t);
    return s;
}

double workload_memory(const struct workload *w, int threads, double train_images)
{
    return w->trainer_bytes + w->checkpoint_bytes + w->thread_bytes * threads +
           train_images * (double)sizeof(uint32_t);
}

/* Predictions: amounts of work that threads * seconds must pay for, then their sum of products. */

/* The lanes that the busiest thread takes, as a share of all. */
static double busiest_share(int lanes, int threads)
{
    const int most = (lanes + threads - 1) / threads;
    return (double)most / lanes;
}

static void update_work(const struct workload *w, int threads, double images, double updates,
                        double out[WORK_COUNT])
{
    for (int k = 0; k < WORK_COUNT; k++)
        out[k] = w->train[k] *
                 (k < WORK_PER_UPDATE ? images * busiest_share(w->lanes, threads) : updates / threads);
    /* Starting threads and waiting for the last one does not get shorter. */
    out[WORK_UPDATES] = updates;
}

static void eval_work(const struct workload *w, int threads, double images, double out[WORK_COUNT])
{
    for (int k = 0; k < WORK_COUNT; k++)
        out[k] = w->infer[k] * images / threads;
    out[WORK_UPDATES] = images > 0;
}

static double total(const double *work, const double *seconds)
{
    double sum = 0;
    for (int k = 0; k < WORK_COUNT; k++)
        sum += work[k] * seconds[k];
    return sum;
}

static double training_s(const struct speed *s, const struct workload *w, int threads, double images,
                         double updates)
{
    double work[WORK_COUNT];
    update_work(w, threads, images, updates, work);
    return total(work, s->train);
}

double predict_update_s(const struct speed *s, const struct workload *w, int threads)
{
    return training_s(s, w, threads, (double)w->images_per_update, 1);
}

double predict_eval_s(const struct speed *s, const struct workload *w, int threads, double images)
{
    double work[WORK_COUNT];
    eval_work(w, threads, images, work);
    return total(work, s->infer);
}

double predict_epoch_s(const struct speed *s, const struct workload *w, int threads, double train_images,
                       double val_images)
{
    const double updates = ceil(train_images / (double)w->images_per_update);
    return training_s(s, w, threads, train_images, updates) + predict_eval_s(s, w, threads, val_images);
}

/* Fitting: non-negative least squares by coordinate descent on the normal equations. */

struct normal {
    double a[WORK_COUNT][WORK_COUNT], b[WORK_COUNT]; /* A^T A, A^T 1 */
};

/* Every equation says "predicted / measured = 1", so that small networks count as much as large ones. */
static void add_equation(struct normal *n, const double work[WORK_COUNT], double seconds, double weight)
{
    for (int i = 0; i < WORK_COUNT; i++) {
        n->b[i] += weight * work[i] / seconds;
        for (int j = 0; j < WORK_COUNT; j++)
            n->a[i][j] += weight * work[i] / seconds * (work[j] / seconds);
    }
}

/* Unknowns are scaled to equal weight; a touch of ridge keeps kinds of work that always come together from
 * being told apart by noise. */
static void solve(const struct normal *n, double x[WORK_COUNT])
{
    enum { SWEEPS = 5000 };
    const double ridge = 1e-6;
    double scale[WORK_COUNT], y[WORK_COUNT] = {0};
    for (int i = 0; i < WORK_COUNT; i++)
        scale[i] = n->a[i][i] > 0 ? 1 / sqrt(n->a[i][i]) : 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int i = 0; i < WORK_COUNT; i++) {
            double rest = n->b[i] * scale[i];
            for (int j = 0; j < WORK_COUNT; j++)
                rest -= j == i ? 0 : n->a[i][j] * scale[i] * scale[j] * y[j];
            y[i] = rest > 0 ? rest / (1 + ridge) : 0;
        }
    for (int i = 0; i < WORK_COUNT; i++)
        x[i] = y[i] * scale[i];
}

/* Work and seconds of a sample's training or evaluation. */
static double sample_work(const struct speed_sample *s, bool training, double work[WORK_COUNT])
{
    const double images = (double)s->work.images_per_update;
    if (training)
        update_work(&s->work, s->threads, images, 1, work);
    else
        eval_work(&s->work, s->threads, images, work);
    return training ? s->update_s : s->eval_s;
}

/* Other processes may have disturbed a measurement: what lies further off than usual counts less, as in
 * Huber's robust regression, by weights that follow from the solution before. */
static void fit(double seconds[WORK_COUNT], const struct speed_sample *samples, int count, bool training,
                struct normal *n)
{
    enum { ROUNDS = 6 };
    const double usual = 0.04;
    for (int round = 0; round < ROUNDS; round++) {
        memset(n, 0, sizeof *n);
        for (int i = 0; i < count; i++) {
            double work[WORK_COUNT];
            const double measured = sample_work(&samples[i], training, work),
                         off = round > 0 ? fabs(total(work, seconds) / measured - 1) : 0;
            add_equation(n, work, measured, off > usual ? usual / off : 1);
        }
        solve(n, seconds);
    }
}

enum status speed_fit(struct speed *out, const struct speed_sample *samples, int count, struct err *e)
{
    struct normal *n = mem_alloc(1, sizeof *n);
    if (!n)
        return err_set(e, ST_NOMEM, "out of memory");
    fit(out->train, samples, count, true, n);
    fit(out->infer, samples, count, false, n);
    mem_free(n);
    return ST_OK;
}

double speed_scatter(const struct speed *s, const struct speed_sample *samples, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += fabs(predict_update_s(s, &samples[i].work, samples[i].threads) / samples[i].update_s - 1);
    return count > 0 ? sum / count : 0;
}
