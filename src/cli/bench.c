/* firesweep bench: the engine's speed beside the machine's limits. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/bench.h"
#include "engine/trainer.h"
#include "metamodel/cost.h"
#include "sweep/spec.h"

enum {
    OPTION_FIGURE3 = OPTION_OWN,
    OPTION_LAYERS,
    OPTION_BATCH,
    OPTION_REPEAT,
    OPTION_VARIANT,
    OPTION_PRESET,
    OPTION_BASE_E,
    OPTION_INPUT,
    OPTION_CLASSES,
    OPTION_DIRECT,
};

static const struct poptOption options[] = {
    {"figure3", '\0', POPT_ARG_NONE, NULL, OPTION_FIGURE3,
     "Whole networks, training and inference: the 13 variants of the paper's Figure 3 (default)", NULL},
    {"layers", '\0', POPT_ARG_NONE, NULL, OPTION_LAYERS,
     "Each distinct convolution: forward, gradient to data, gradient to weights", NULL},
    {"variant", '\0', POPT_ARG_STRING, NULL, OPTION_VARIANT,
     "Only this variant, for example sr0.125 or pct0.99", "NAME"},
    {"batch", '\0', POPT_ARG_STRING, NULL, OPTION_BATCH, "Images a step (default 128)", "N"},
    {"threads", '\0', POPT_ARG_STRING, NULL, OPTION_THREADS, "Threads (default: all cores)", "N"},
    {"repeat", '\0', POPT_ARG_STRING, NULL, OPTION_REPEAT, "Rounds of which the median is taken (default 9)",
     "N"},
    {"preset", '\0', POPT_ARG_STRING, NULL, OPTION_PRESET,
     "small32 (default), squeezenet-1.0 or squeezenet-1.1", "NAME"},
    {"base-e", '\0', POPT_ARG_STRING, NULL, OPTION_BASE_E, "base_e and incr_e (default 128)", "N"},
    {"input", '\0', POPT_ARG_STRING, NULL, OPTION_INPUT, "Image shape (default: the preset's)", "CxHxW"},
    {"classes", '\0', POPT_ARG_STRING, NULL, OPTION_CLASSES, "Classes (default: the preset's)", "N"},
    {"direct", '\0', POPT_ARG_NONE, NULL, OPTION_DIRECT, "Direct convolution everywhere, no Winograd", NULL},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

/* Figure 3 of the paper: SR at pct3x3 0.5, then pct3x3 at SR 0.5 (the shared point once). */
static const struct variant {
    const char *name, *sr, *pct3x3;
} variants[] = {
    {"sr0.125", "0.125", "0.5"},  {"sr0.25", "0.25", "0.5"},  {"sr0.5", "0.5", "0.5"},
    {"sr0.75", "0.75", "0.5"},    {"sr1.0", "1.0", "0.5"},    {"pct0.01", "0.5", "0.01"},
    {"pct0.125", "0.5", "0.125"}, {"pct0.25", "0.5", "0.25"}, {"pct0.375", "0.5", "0.375"},
    {"pct0.625", "0.5", "0.625"}, {"pct0.75", "0.5", "0.75"}, {"pct0.875", "0.5", "0.875"},
    {"pct0.99", "0.5", "0.99"},
};
enum { VARIANT_COUNT = sizeof variants / sizeof variants[0] };

struct bench {
    const struct args *args;
    struct recipe recipe;
    int threads, repeat;
    bool layers;

    int first, last;              /* variants[first .. last) */
    double fma_flops, copy_bytes; /* the machine's limits */
    struct cost cost[VARIANT_COUNT];
    struct bench_network network[VARIANT_COUNT];
    struct bench_layer layer[BENCH_LAYERS_MAX];
    int layer_count;
};

static enum status bench_arguments(struct bench *b, const struct args *a, struct err *e)
{
    struct cpu_info cpu;
    cpu_detect(&cpu);
    *b = (struct bench){.args = a,
                        .recipe = recipe_default(),
                        .threads = cpu.allowed.count,
                        .repeat = 9,
                        .last = VARIANT_COUNT};
    /* What the peers time: SGD with Nesterov momentum and weight decay, dropout 0.5. */
    b->recipe.dropout = 0.5;
    b->recipe.smoothing = 0;
    b->recipe.clip = 0;
    b->recipe.winograd = !a->value[OPTION_DIRECT];
    b->layers = a->value[OPTION_LAYERS];
    if (b->layers && a->value[OPTION_FIGURE3])
        return err_set(e, ST_USAGE, "--figure3 and --layers: only one of them");
    for (int i = 0; a->value[OPTION_VARIANT] && i < VARIANT_COUNT; i++)
        if (strcmp(a->value[OPTION_VARIANT], variants[i].name) == 0) {
            b->first = i;
            b->last = i + 1;
        }
    if (a->value[OPTION_VARIANT] && b->last - b->first != 1)
        return err_set(
            e, ST_USAGE,
            "--variant: \"%.60s\" is unknown, allowed: sr0.125, sr0.25, ... sr1.0, pct0.01, ... pct0.99",
            a->value[OPTION_VARIANT]);
    if (b->layers && !a->value[OPTION_VARIANT])
        b->last = 1;
    enum status s = args_int(a, OPTION_BATCH, "--batch", 1, 65536, &b->recipe.batch, e);
    if (s == ST_OK)
        s = args_int(a, OPTION_REPEAT, "--repeat", 1, 101, &b->repeat, e);
    return s == ST_OK ? args_int(a, OPTION_THREADS, "--threads", 1, CPU_MAX, &b->threads, e) : s;
}

static enum status set_key(struct point *p, const char *key, const char *text, const char *option,
                           struct err *e)
{
    enum status s = text ? point_set(p, key, text, e) : ST_OK;
    return s == ST_OK ? s : err_prefix(e, "%s", option);
}

static enum status variant_arch(const struct bench *b, const struct variant *v, struct arch *out,
                                struct err *e)
{
    const struct args *a = b->args;
    const char *preset = a->value[OPTION_PRESET] ? a->value[OPTION_PRESET] : "small32";
    const char *base_e = a->value[OPTION_BASE_E];
    const struct {
        const char *key, *text, *option;
    } keys[] = {
        {"preset", preset, "--preset"},
        {"base_e", base_e, "--base-e"},
        {"incr_e", base_e, "--base-e"},
        {"SR", v->sr, v->name},
        {"pct3x3", v->pct3x3, v->name},
        {"input", a->value[OPTION_INPUT], "--input"},
        {"classes", a->value[OPTION_CLASSES], "--classes"},
    };
    struct point p;
    enum status s = point_init(&p, e);
    for (size_t i = 0; s == ST_OK && i < sizeof keys / sizeof *keys; i++)
        s = set_key(&p, keys[i].key, keys[i].text, keys[i].option, e);
    return s == ST_OK ? arch_build(&p.design, out, e) : s;
}

static void progress(const char *name)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-12s", name);
}

/* Before and after every variant: the best counts, for other processes only slow a measurement down. */
static enum status measure_peak(struct bench *b, struct err *e)
{
    double flops;
    enum status s = bench_fma_flops(b->threads, &flops, e);
    if (s == ST_OK && flops > b->fma_flops)
        b->fma_flops = flops;
    return s;
}

static enum status measure(struct bench *b, struct err *e)
{
    enum status s = bench_copy_bytes(b->threads, &b->copy_bytes, e);
    if (s == ST_OK)
        s = measure_peak(b, e);
    for (int i = b->first; s == ST_OK && i < b->last; i++) {
        struct arch arch;
        progress(variants[i].name);
        s = variant_arch(b, &variants[i], &arch, e);
        if (s != ST_OK)
            break;
        arch_cost(&arch, &b->cost[i]);
        if (b->layers)
            s = bench_layers(&arch, &b->recipe, b->threads, b->repeat, b->layer, &b->layer_count, e);
        else
            s = bench_network(&arch, &b->recipe, b->threads, b->repeat, &b->network[i], e);
        if (s == ST_OK)
            s = measure_peak(b, e);
    }
    progress("");
    if (isatty(STDERR_FILENO))
        fputc('\r', stderr);
    return s;
}

static const struct table_column network_columns[] = {
    {.name = "variant"},
    {.name = "train_img_s", .title = "train img/s", .decimals = 1},
    {.name = "infer_img_s", .title = "infer img/s", .decimals = 1},
    {.name = "macs", .title = "MACs"},
    {.name = "params", .title = "parameters"},
    {.name = "peak_fraction", .title = "train, of FMA peak", .decimals = 3},
    {.name = "infer_peak_fraction", .title = "infer, of FMA peak", .decimals = 3},
    {.name = "fma_gflops", .flags = TABLE_NOT_TEXT},
    {.name = "copy_gb_s", .flags = TABLE_NOT_TEXT},
    {.name = "threads", .flags = TABLE_NOT_TEXT},
    {.name = "batch", .flags = TABLE_NOT_TEXT},
    {.name = "isa", .flags = TABLE_NOT_TEXT},
};

static enum status network_rows(const void *context, struct table *t, struct err *e)
{
    const struct bench *b = context;
    enum status s = ST_OK;
    for (int i = b->first; s == ST_OK && i < b->last; i++) {
        const double train = b->recipe.batch / b->network[i].train_s,
                     infer = b->recipe.batch / b->network[i].infer_s;
        const double macs = (double)b->cost[i].macs;
        const struct cell cells[] = {
            cell_text(variants[i].name),
            cell_real(train),
            cell_real(infer),
            cell_int(b->cost[i].macs),
            cell_int(b->cost[i].params),
            cell_real(6 * macs * train / b->fma_flops),
            cell_real(2 * macs * infer / b->fma_flops),
            cell_real(b->fma_flops * 1e-9),
            cell_real(b->copy_bytes * 1e-9),
            cell_int(b->threads),
            cell_int(b->recipe.batch),
            cell_text(engine_isa()),
        };
        s = table_row(t, cells, e);
    }
    return s;
}

static const struct table_column layer_columns[] = {
    {.name = "layer"},
    {.name = "input"},
    {.name = "output"},
    {.name = "kernels"},
    {.name = "winograd"},
    {.name = "macs", .title = "MACs"},
    {.name = "forward_gflops", .title = "forward GFLOP/s", .decimals = 1},
    {.name = "data_gradient_gflops", .title = "to data GFLOP/s", .decimals = 1},
    {.name = "weight_gradient_gflops", .title = "to weights GFLOP/s", .decimals = 1},
    {.name = "forward_fraction", .title = "of peak", .decimals = 3},
    {.name = "data_gradient_fraction", .title = "of peak", .decimals = 3},
    {.name = "weight_gradient_fraction", .title = "of peak", .decimals = 3},
};

/* Operations per second of all threads; nothing for what is not computed. */
static struct cell rate(const struct bench *b, const struct bench_layer *l, double seconds, double unit)
{
    return seconds > 0 ? cell_real(2 * (double)l->macs * b->threads / seconds / unit) : cell_null();
}

static enum status layer_rows(const void *context, struct table *t, struct err *e)
{
    const struct bench *b = context;
    enum status s = ST_OK;
    for (int i = 0; s == ST_OK && i < b->layer_count; i++) {
        const struct bench_layer *l = &b->layer[i];
        char in[32], out[32], kernels[16];
        snprintf(in, sizeof in, "%dx%dx%d", l->in.c, l->in.h, l->in.w);
        snprintf(out, sizeof out, "%dx%dx%d", l->out.c, l->out.h, l->out.w);
        snprintf(kernels, sizeof kernels, l->kernels[1] ? "%d+%d" : "%d", l->kernels[0], l->kernels[1]);
        const double peak = b->fma_flops;
        const struct cell cells[] = {
            cell_text(l->name),
            cell_text(in),
            cell_text(out),
            cell_text(kernels),
            cell_text(l->winograd ? "yes" : "no"),
            cell_int(l->macs),
            rate(b, l, l->forward_s, 1e9),
            rate(b, l, l->data_gradient_s, 1e9),
            rate(b, l, l->weight_gradient_s, 1e9),
            rate(b, l, l->forward_s, peak),
            rate(b, l, l->data_gradient_s, peak),
            rate(b, l, l->weight_gradient_s, peak),
        };
        s = table_row(t, cells, e);
    }
    return s;
}

static void machine_note(const void *context, FILE *out)
{
    const struct bench *b = context;
    struct cpu_info cpu;
    cpu_detect(&cpu);
    fprintf(out,
            "%s, %d thread%s, %s kernels, batch %d: FMA peak %.1f GFLOP/s, copies %.1f GB/s.\n"
            "Fractions count the operations of direct convolution (training 6 per MAC, inference 2).\n",
            cpu.model, b->threads, b->threads == 1 ? "" : "s", engine_isa(), b->recipe.batch,
            b->fma_flops * 1e-9, b->copy_bytes * 1e-9);
}

static const struct section network_section = {
    .name = "networks", SECTION_COLUMNS(network_columns), .rows = network_rows, .note = machine_note};
static const struct section layer_section = {
    .name = "layers", SECTION_COLUMNS(layer_columns), .rows = layer_rows, .note = machine_note};

static enum status bench_run(const struct args *a, struct err *e)
{
    struct output o;
    struct bench b;
    enum status s = output_init(&o, a, e);
    if (s == ST_OK)
        s = bench_arguments(&b, a, e);
    if (s == ST_OK)
        s = measure(&b, e);
    if (s == ST_OK)
        s = output_single(&o, b.layers ? &layer_section : &network_section, &b, e);
    return s == ST_OK ? ST_OK : err_prefix(e, "bench");
}

const struct command command_bench = {
    .name = "bench",
    .summary = "The engine's speed: whole networks and single layers, beside the machine's peak",
    .description =
        "Times training and inference of the paper's Figure 3 variants on random data (base_e = incr_e = "
        "128, 3x32x32, 10 classes, SGD with Nesterov momentum, dropout 0.5), or their layers, and states "
        "them as "
        "fractions of the FMA peak measured in the same run. Wants a machine that does nothing else.",
    .examples = "  firesweep bench --figure3 --threads 2 --format json\n"
                "  firesweep bench --layers --variant sr0.5\n"
                "  firesweep bench --variant sr0.125 --preset squeezenet-1.0 --batch 16\n",
    .options = options,
    .run = bench_run,
};
