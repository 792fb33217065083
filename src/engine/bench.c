#include "engine/bench.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/pass_conv.h"
#include "engine/trainer_internal.h"

enum { WARM_UP = 2, REPEAT_MAX = 101 };

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

enum status bench_fma_flops(int threads, double *out, struct err *e)
{
    enum { ROUNDS = 10, LOOPS = 20000 };
    const struct kernels *k = NULL;
    enum status s = kernels_select(&k, e);
    *out = 0;
    for (int round = 0; s == ST_OK && round < ROUNDS; round++) {
        double operations = 0;
        const double start = clock_seconds();
#pragma omp parallel num_threads(threads) reduction(+ : operations)
        operations += k->fma_peak(LOOPS);
        const double flops = operations / (clock_seconds() - start);
        *out = flops > *out ? flops : *out;
    }
    return s;
}

static double best_copy_bytes(const char *from, char *to, size_t bytes, int threads)
{
    enum { ROUNDS = 5 };
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = clock_seconds();
#pragma omp parallel num_threads(threads)
        {
            const size_t share = bytes / (size_t)omp_get_num_threads(),
                         at = share * (size_t)omp_get_thread_num();
            memcpy(to + at, from + at, share);
        }
        const double rate = 2 * (double)bytes / (clock_seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

enum status bench_copy_bytes(int threads, double *out, struct err *e)
{
    const size_t bytes = (size_t)128 << 20;
    enum status s = ST_OK;
    char *from = mem_aligned(bytes), *to = mem_aligned(bytes);
    if (from && to) {
        /* Touched first, so that no page is still missing. */
        memset(from, 1, bytes);
        memset(to, 1, bytes);
        *out = best_copy_bytes(from, to, bytes, threads);
    } else {
        s = err_set(e, ST_NOMEM, "out of memory for the bandwidth measurement");
    }
    mem_free(from);
    mem_free(to);
    return s;
}

/* Random images: rows of one block of noise, so that loading costs a copy. */
struct noise {
    size_t row; /* floats */
    int rows, classes;
    float *floats;
};

static int load_noise(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out,
                      size_t pitch)
{
    const struct noise *n = context;
    (void)seed;
    (void)epoch;
    for (int r = 0; r < n->rows; r++)
        memcpy(out + (size_t)r * pitch, n->floats + (index * 7 + (size_t)r) % (size_t)n->rows * n->row,
               n->row * sizeof(float));
    return (int)(index % (size_t)n->classes);
}

static bool noise_init(struct noise *n, const struct arch *a)
{
    struct rng r = rng_stream(0, RNG_BENCH, 0, 0);
    *n = (struct noise){
        .row = (size_t)a->input.w * (size_t)a->input.c, .rows = a->input.h, .classes = a->classes};
    n->floats = mem_alloc(n->row * (size_t)n->rows, sizeof(float));
    for (size_t i = 0; n->floats && i < n->row * (size_t)n->rows; i++)
        n->floats[i] = (float)rng_normal(&r);
    return n->floats;
}

static enum status make_trainer(const struct arch *a, const struct recipe *r, int threads, struct noise *n,
                                struct trainer **out, struct err *e)
{
    *out = NULL;
    if (!noise_init(n, a))
        return err_set(e, ST_NOMEM, "out of memory");
    const struct trainer_config c = {
        .arch = a,
        .recipe = r,
        .seed = 1,
        .threads = threads,
        .train = {n, (size_t)r->batch * (size_t)r->accumulate, load_noise, NULL}};
    return trainer_create(&c, out, e);
}

static double time_training(struct trainer *t, int repeat, double *best)
{
    double times[REPEAT_MAX] = {0};
    for (size_t i = 0; i < t->train.count; i++)
        t->order[i] = (uint32_t)i;
    for (int i = 0; i < WARM_UP + repeat; i++) {
        const double start = clock_seconds();
        trainer_step(t, 0, (int64_t)t->train.count);
        times[i < WARM_UP ? 0 : i - WARM_UP] = clock_seconds() - start;
    }
    const double middle = median(times, repeat);
    *best = times[0]; /* sorted now */
    return middle;
}

static enum status time_inference(struct trainer *t, int repeat, double *out, double *best, struct err *e)
{
    double times[REPEAT_MAX] = {0};
    enum status s = ST_OK;
    for (int i = 0; s == ST_OK && i < WARM_UP + repeat; i++) {
        struct eval_metrics m;
        const double start = clock_seconds();
        s = trainer_evaluate(t, &t->train, &m, NULL, e);
        times[i < WARM_UP ? 0 : i - WARM_UP] = clock_seconds() - start;
    }
    *out = median(times, repeat);
    *best = times[0];
    return s;
}

enum status bench_network(const struct arch *a, const struct recipe *r, int threads, int repeat,
                          struct bench_network *out, struct err *e)
{
    struct noise n;
    struct trainer *t = NULL;
    enum status s = make_trainer(a, r, threads, &n, &t, e);
    if (t) {
        out->train_s = time_training(t, repeat, &out->train_best_s);
        s = time_inference(t, repeat, &out->infer_s, &out->infer_best_s, e);
    }
    trainer_free(t);
    mem_free(n.floats);
    return s;
}

enum part { PART_FORWARD, PART_DATA, PART_WEIGHTS };

static void run_part(const struct pass *p, const struct op *op, enum part part, float *gradients)
{
    const int images = plan_stage(p->plan, (int)(op - p->network->ops))->images;
    if (part == PART_FORWARD)
        pass_conv_forward(p, op, images);
    else if (part == PART_DATA)
        pass_conv_data_gradient(p, op, images, 0);
    else
        pass_conv_weight_gradient(p, op, images, gradients, false);
}

/* Seconds that all threads at once take for `loops` runs each, on blocks of their own. */
static double time_loops(struct trainer *t, const struct op *op, enum part part, int loops)
{
    const double start = clock_seconds();
#pragma omp parallel num_threads(t->threads)
    {
        const int thread = omp_get_thread_num();
        const struct pass p = {.network = &t->train_net,
                               .plan = &t->train_plan,
                               .kernels = t->kernels,
                               .params = t->params,
                               .derived = t->derived,
                               .block = t->blocks[thread]};
        float *gradients = t->lanes + (size_t)(thread % t->recipe.lanes) * t->lane_floats;
        for (int i = 0; i < loops; i++)
            run_part(&p, op, part, gradients);
    }
    return clock_seconds() - start;
}

/* Median seconds per image and thread, of as many runs as the clock can time. */
static double time_part(struct trainer *t, const struct op *op, enum part part, int repeat)
{
    const double least_s = 2e-3;
    double times[REPEAT_MAX] = {0};
    const int images = plan_stage(&t->train_plan, (int)(op - t->train_net.ops))->images;
    int loops = 1;
    while (time_loops(t, op, part, loops) < least_s)
        loops *= 2;
    for (int round = 0; round < repeat; round++)
        times[round] = time_loops(t, op, part, loops) / loops / images;
    return median(times, repeat);
}

static bool same_work(const struct bench_layer *a, const struct bench_layer *b)
{
    return memcmp(&a->in, &b->in, sizeof a->in) == 0 && memcmp(&a->out, &b->out, sizeof a->out) == 0 &&
           memcmp(a->kernels, b->kernels, sizeof a->kernels) == 0 && a->macs == b->macs;
}

static struct bench_layer describe(const struct network *n, const struct op *op)
{
    struct bench_layer l = {.in = n->tensors[op->in].shape, .out = n->tensors[op->out].shape};
    memcpy(l.name, n->arch.layers[op->branch[0].layer].name, sizeof l.name);
    for (int b = 0; b < op->branch_count; b++) {
        l.kernels[b] = op->branch[b].kernel;
        l.winograd = l.winograd || op->branch[b].winograd;
        l.macs += (int64_t)op->branch[b].k_count * op->branch[b].cout * l.out.h * l.out.w;
    }
    return l;
}

static bool seen_before(const struct bench_layer *layers, int count, const struct bench_layer *l)
{
    for (int i = 0; i < count; i++)
        if (same_work(&layers[i], l))
            return true;
    return false;
}

enum status bench_layers(const struct arch *a, const struct recipe *r, int threads, int repeat,
                         struct bench_layer layers[BENCH_LAYERS_MAX], int *count, struct err *e)
{
    struct noise n;
    struct trainer *t = NULL;
    enum status s = make_trainer(a, r, threads, &n, &t, e);
    *count = 0;
    for (int i = 0; t && i < t->train_net.op_count; i++) {
        const struct op *op = &t->train_net.ops[i];
        if (op->kind != OP_CONV)
            continue;
        struct bench_layer l = describe(&t->train_net, op);
        if (seen_before(layers, *count, &l) || *count == BENCH_LAYERS_MAX)
            continue;
        l.forward_s = time_part(t, op, PART_FORWARD, repeat);
        l.weight_gradient_s = time_part(t, op, PART_WEIGHTS, repeat);
        if (op->wants_dx)
            l.data_gradient_s = time_part(t, op, PART_DATA, repeat);
        layers[(*count)++] = l;
    }
    trainer_free(t);
    mem_free(n.floats);
    return s;
}
