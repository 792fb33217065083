/* The networks whose times say how fast this machine is. */
#include <math.h>

#include "base/mem.h"
#include "engine/bench.h"
#include "engine/predict.h"

/* Each differs from the others in several respects at once: width, squeeze ratio, share of 3x3 filters, size
 * of the maps, batch. All run with dropout, which costs little and is then known. */
struct probe {
    const char *preset;
    struct shape input;
    int base_e, incr_e;
    double sr, pct3x3;
    enum bypass bypass;
    int batch;
    bool direct; /* without Winograd */
};

static const struct probe probes[] = {
    {"small32", {3, 32, 32}, 128, 128, 0.15, 0.40, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 128, 128, 0.35, 0.55, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 128, 128, 0.60, 0.60, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 128, 128, 0.90, 0.45, BYPASS_NONE, 32, false},
    {"small32", {3, 32, 32}, 128, 128, 0.45, 0.02, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 128, 128, 0.50, 0.20, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 128, 128, 0.40, 0.95, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 96, 128, 0.55, 0.80, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 96, 96, 0.70, 0.30, BYPASS_SIMPLE, 64, false},
    {"small32", {3, 32, 32}, 96, 96, 0.30, 0.70, BYPASS_NONE, 128, false},
    {"small32", {3, 32, 32}, 64, 64, 0.125, 0.50, BYPASS_NONE, 128, false},
    {"small32", {3, 32, 32}, 64, 64, 1.00, 0.50, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 64, 64, 0.50, 0.01, BYPASS_NONE, 64, false},
    {"small32", {3, 32, 32}, 64, 32, 0.25, 0.90, BYPASS_COMPLEX, 128, false},
    {"small32", {3, 32, 32}, 48, 24, 0.60, 0.35, BYPASS_NONE, 64, true},
    {"small32", {1, 28, 28}, 32, 32, 0.25, 0.50, BYPASS_NONE, 128, false},
    {"small32", {1, 28, 28}, 32, 32, 0.75, 0.75, BYPASS_SIMPLE, 64, false},
    {"small32", {1, 28, 28}, 16, 16, 0.50, 0.50, BYPASS_NONE, 256, false},
    {"small32", {1, 28, 28}, 16, 8, 0.25, 0.25, BYPASS_NONE, 64, false},
    {"small32", {3, 16, 16}, 32, 64, 0.50, 0.50, BYPASS_NONE, 32, false},
    {"small32", {3, 16, 16}, 128, 64, 0.25, 0.50, BYPASS_NONE, 64, false},
    {"small32", {3, 64, 64}, 32, 32, 0.50, 0.50, BYPASS_NONE, 32, false},
    {"small32", {3, 64, 64}, 64, 64, 0.25, 0.60, BYPASS_NONE, 16, false},
    {"squeezenet-1.1", {3, 112, 112}, 64, 64, 0.25, 0.50, BYPASS_NONE, 16, false},
    {"squeezenet-1.0", {3, 96, 96}, 128, 128, 0.125, 0.50, BYPASS_NONE, 16, false},
};
enum { PROBE_COUNT = sizeof probes / sizeof *probes, REPEAT = 3 };

static enum status probe_arch(const struct probe *p, struct arch *out, struct err *e)
{
    struct design d;
    enum status s = design_preset(p->preset, &d, e);
    if (s != ST_OK)
        return s;
    d.meta = (struct metaparams){p->base_e, p->incr_e, d.meta.freq, p->sr, p->pct3x3};
    d.macro.input = p->input;
    d.macro.classes = 10;
    d.macro.bypass = p->bypass;
    return arch_build(&d, out, e);
}

static enum status measure(const struct probe *p, int threads, struct speed_sample *out, struct err *e)
{
    struct arch arch;
    struct recipe r = recipe_default();
    struct bench_network times;
    r.dropout = 0.5;
    r.batch = p->batch;
    r.winograd = !p->direct;
    enum status s = probe_arch(p, &arch, e);
    if (s == ST_OK)
        s = workload_init(&out->work, &arch, &r, e);
    if (s == ST_OK)
        s = bench_network(&arch, &r, threads, REPEAT, &times, e);
    if (s != ST_OK)
        return s;
    /* The best, because other processes only ever slow a measurement down. A clock too coarse for the
     * smallest of them must not give a time of zero. */
    out->threads = threads;
    out->update_s = fmax(times.train_best_s, 1e-9);
    out->eval_s = fmax(times.infer_best_s, 1e-9);
    return ST_OK;
}

enum status predict_calibrate(int threads, struct speed *out, double *scatter,
                              void (*progress)(int done, int count), struct err *e)
{
    enum status s = ST_OK;
    struct speed_sample *samples = mem_calloc(PROBE_COUNT, sizeof *samples);
    if (!samples)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < PROBE_COUNT && s == ST_OK; i++) {
        if (progress)
            progress(i, PROBE_COUNT);
        s = measure(&probes[i], threads, &samples[i], e);
    }
    if (s == ST_OK)
        s = speed_fit(out, samples, PROBE_COUNT, e);
    if (s == ST_OK)
        *scatter = speed_scatter(out, samples, PROBE_COUNT);
    mem_free(samples);
    return s;
}
