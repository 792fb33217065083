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
    enum bypass bypass;
    double sr, pct3x3;
    int batch;
    bool direct; /* without Winograd */
};

static const struct probe probes[] = {
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.15, 0.40, 64, false},
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.35, 0.55, 64, false},
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.60, 0.60, 64, false},
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.90, 0.45, 32, false},
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.45, 0.02, 64, false},
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.50, 0.20, 64, false},
    {"small32", {3, 32, 32}, 128, 128, BYPASS_NONE, 0.40, 0.95, 64, false},
    {"small32", {3, 32, 32}, 96, 128, BYPASS_NONE, 0.55, 0.80, 64, false},
    {"small32", {3, 32, 32}, 96, 96, BYPASS_SIMPLE, 0.70, 0.30, 64, false},
    {"small32", {3, 32, 32}, 96, 96, BYPASS_NONE, 0.30, 0.70, 128, false},
    {"small32", {3, 32, 32}, 64, 64, BYPASS_NONE, 0.125, 0.50, 128, false},
    {"small32", {3, 32, 32}, 64, 64, BYPASS_NONE, 1.00, 0.50, 64, false},
    {"small32", {3, 32, 32}, 64, 64, BYPASS_NONE, 0.50, 0.01, 64, false},
    {"small32", {3, 32, 32}, 64, 32, BYPASS_COMPLEX, 0.25, 0.90, 128, false},
    {"small32", {3, 32, 32}, 48, 24, BYPASS_NONE, 0.60, 0.35, 64, true},
    {"small32", {1, 28, 28}, 32, 32, BYPASS_NONE, 0.25, 0.50, 128, false},
    {"small32", {1, 28, 28}, 32, 32, BYPASS_SIMPLE, 0.75, 0.75, 64, false},
    {"small32", {1, 28, 28}, 16, 16, BYPASS_NONE, 0.50, 0.50, 256, false},
    {"small32", {1, 28, 28}, 16, 8, BYPASS_NONE, 0.25, 0.25, 64, false},
    {"small32", {3, 16, 16}, 32, 64, BYPASS_NONE, 0.50, 0.50, 32, false},
    {"small32", {3, 16, 16}, 128, 64, BYPASS_NONE, 0.25, 0.50, 64, false},
    {"small32", {3, 64, 64}, 32, 32, BYPASS_NONE, 0.50, 0.50, 32, false},
    {"small32", {3, 64, 64}, 64, 64, BYPASS_NONE, 0.25, 0.60, 16, false},
    {"squeezenet-1.1", {3, 112, 112}, 64, 64, BYPASS_NONE, 0.25, 0.50, 16, false},
    {"squeezenet-1.0", {3, 96, 96}, 128, 128, BYPASS_NONE, 0.125, 0.50, 16, false},
};
enum { PROBE_COUNT = sizeof probes / sizeof *probes, REPEAT = 3, MENDINGS = 2 };
#define DISTURBED 1.06

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

/* Whether a probe took longer than the others let expect, by more than the model is usually off. */
static bool disturbed(const struct speed *s, const struct speed_sample *sample)
{
    const double expected = predict_update_s(s, &sample->work, sample->threads),
                 eval = predict_eval_s(s, &sample->work, sample->threads,
                                       (double)sample->work.images_per_update);
    return sample->update_s > DISTURBED * expected || sample->eval_s > DISTURBED * eval;
}

/* Measures the disturbed ones once more; the better time counts. */
static enum status mend(const struct speed *s, int threads, struct speed_sample *samples, struct err *e)
{
    enum status status = ST_OK;
    for (int i = 0; i < PROBE_COUNT && status == ST_OK; i++) {
        struct speed_sample again;
        if (!disturbed(s, &samples[i]))
            continue;
        status = measure(&probes[i], threads, &again, e);
        if (status == ST_OK) {
            samples[i].update_s = fmin(samples[i].update_s, again.update_s);
            samples[i].eval_s = fmin(samples[i].eval_s, again.eval_s);
        }
    }
    return status;
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
    for (int round = 0; round <= MENDINGS && s == ST_OK; round++) {
        if (round > 0)
            s = mend(out, threads, samples, e);
        if (s == ST_OK)
            s = speed_fit(out, samples, PROBE_COUNT, e);
    }
    if (s == ST_OK)
        *scatter = speed_scatter(out, samples, PROBE_COUNT);
    mem_free(samples);
    return s;
}
