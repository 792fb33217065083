#include "engine/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/pass.h"

enum { REPEAT_MIN = 5, REPEAT_MAX = 400, TILE_MAX = 64 };

struct runner {
    struct network network;
    struct plan plan;
    const struct kernels *kernels;
    float *params, *derived, *block;
};

static enum status compile(struct runner *r, const struct arch *a, bool winograd, struct err *e)
{
    const struct network_options options = {.winograd = winograd, .forward_only = true};
    enum status s = network_init(&r->network, a, options, e);
    return s == ST_OK ? plan_init(&r->plan, &r->network, 1, false, e) : s;
}

static size_t param_floats(const struct runner *r)
{
    return r->network.param_floats + TENSOR_SLACK;
}

static size_t derived_floats(const struct runner *r)
{
    return r->network.derived_floats + TENSOR_SLACK;
}

static struct inference_memory memory_of(const struct runner *r)
{
    return (struct inference_memory){(int64_t)((param_floats(r) + derived_floats(r)) * sizeof(float)),
                                     (int64_t)(r->plan.floats * sizeof(float))};
}

enum status inference_memory(const struct arch *a, bool winograd, struct inference_memory *out, struct err *e)
{
    struct runner *r = mem_calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ST_NOMEM, "out of memory");
    const enum status s = compile(r, a, winograd, e);
    if (s == ST_OK)
        *out = memory_of(r);
    mem_free(r);
    return s;
}

/* Weights that keep values of the usual size through the layers: nothing overflows, nothing vanishes. */
static void draw_weights(struct runner *r)
{
    for (int i = 0; i < r->network.op_count; i++)
        for (int k = 0; k < r->network.ops[i].branch_count; k++) {
            const struct branch *b = &r->network.ops[i].branch[k];
            struct rng random = rng_stream(1, RNG_BENCH, (uint64_t)b->layer, 0);
            const double bound = sqrt(6.0 / b->k_count);
            const size_t count = (size_t)panel_channels(b->cout) * (size_t)b->k_count;
            for (size_t w = 0; w < count; w++)
                r->params[b->weights + w] = (float)((2 * rng_uniform(&random) - 1) * bound);
        }
}

/* With the plan's block; weights that are there already stay. */
static enum status allocate(struct runner *r, struct err *e)
{
    const bool first = !r->params;
    if (first) {
        r->params = mem_aligned(param_floats(r) * sizeof(float));
        r->derived = mem_aligned(derived_floats(r) * sizeof(float));
    }
    mem_free(r->block);
    r->block = mem_aligned(r->plan.floats * sizeof(float));
    if (!r->params || !r->derived || !r->block)
        return err_set(e, ST_NOMEM, "out of memory for a network of %zu parameters", r->network.param_floats);
    if (first) {
        draw_weights(r);
        network_derive_all(&r->network, r->kernels, r->params, r->derived);
    }
    return ST_OK;
}

/* The image goes in anew each time, as a camera's would: later tensors take its place. */
static double run_once(const struct runner *r, int images)
{
    const struct pass p = {.network = &r->network,
                           .plan = &r->plan,
                           .kernels = r->kernels,
                           .params = r->params,
                           .derived = r->derived,
                           .block = r->block};
    const struct shape *shape = &r->network.arch.input;
    const double start = clock_seconds();
    for (int i = 0; i < images; i++) {
        size_t pitch;
        float *image = pass_image(&p, i, &pitch);
        for (int y = 0; y < shape->h; y++)
            for (int x = 0; x < shape->w * shape->c; x++)
                image[(size_t)y * pitch + (size_t)x] = (float)((x * 7 + y * 13) % 31) / 16.0F - 1;
    }
    pass_forward(&p, images, NULL);
    return clock_seconds() - start;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs until `seconds` have passed; the times, ascending, and their number. */
static int collect(const struct runner *r, int images, double seconds, double times[REPEAT_MAX])
{
    const double end = clock_seconds() + seconds;
    int n = 0;
    while (n < REPEAT_MAX && (n < REPEAT_MIN || clock_seconds() < end))
        times[n++] = run_once(r, images);
    qsort(times, (size_t)n, sizeof *times, compare_doubles);
    return n;
}

static double middle(const double *sorted, int n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double thread_cpu_seconds(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec
                                                           : (double)NAN;
}

static void measure_latency(const struct runner *r, double seconds, struct inference_speed *out)
{
    double times[REPEAT_MAX];
    collect(r, 1, seconds / 10, times); /* caches and clock speed settle */
    const int n = collect(r, 1, seconds / 2, times);
    out->repetitions = n;
    out->latency_ms = 1000 * middle(times, n);
    out->latency_p95_ms = 1000 * times[(95 * n + 99) / 100 - 1];
}

static enum status measure_rate(struct runner *r, double seconds, struct inference_speed *out, struct err *e)
{
    double times[REPEAT_MAX];
    out->tile = plan_tile_images(&r->network, false, TILE_MAX);
    enum status s = plan_init(&r->plan, &r->network, out->tile, false, e);
    if (s == ST_OK)
        s = allocate(r, e);
    if (s != ST_OK)
        return s;
    run_once(r, out->tile);
    const int n = collect(r, out->tile, 4 * seconds / 10, times);
    out->images_per_s = out->tile / middle(times, n);
    return ST_OK;
}

enum status inference_measure(const struct arch *a, bool winograd, double seconds,
                              struct inference_speed *out, struct err *e)
{
    struct runner *r = mem_calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ST_NOMEM, "out of memory");
    *out = (struct inference_speed){0};
    enum status s = kernels_select(&r->kernels, e);
    if (s == ST_OK)
        s = compile(r, a, winograd, e);
    if (s == ST_OK)
        s = allocate(r, e);
    if (s == ST_OK) {
        kernels_flush_denormals();
        out->memory = memory_of(r);
        const double start = clock_seconds(), cpu_start = thread_cpu_seconds();
        measure_latency(r, seconds, out);
        s = measure_rate(r, seconds, out, e);
        const double share = (thread_cpu_seconds() - cpu_start) / (clock_seconds() - start);
        out->cpu_share = share < 1 ? share : 1;
    }
    mem_free(r->params);
    mem_free(r->derived);
    mem_free(r->block);
    mem_free(r);
    return s;
}
