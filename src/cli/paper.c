/* firesweep paper: the SqueezeNet paper's numbers and ours, side by side. */
#include "cli/commands.h"

#include <math.h>
#include <string.h>

#include "cli/database.h"
#include "cli/output.h"
#include "metamodel/cost.h"
#include "report/paper.h"
#include "report/paper_tables.h"

enum { OPTION_DIR = OPTION_OWN, OPTION_IMAGE };

static const struct poptOption options[] = {
    {"output", 'o', POPT_ARG_STRING, NULL, OPTION_DIR,
     "Also draw the paper's curves with ours into this folder, made if missing", "DIR"},
    {"image", '\0', POPT_ARG_STRING, NULL, OPTION_IMAGE, "svg (default), png or pdf", "FORMAT"},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY,
     "Print one part: layers, sizes, compression, bypass, series, curves or claims (csv: curves)", "PART"},
    POPT_TABLEEND};

/* The networks of the paper: SqueezeNet 1.0's surroundings, 3x227x227, 1000 classes. */
static enum status paper_arch(double sr, double pct3x3, enum bypass bypass, struct arch *out, struct err *e)
{
    struct design d;
    enum status st = design_preset("squeezenet-1.0", &d, e);
    if (st != ST_OK)
        return st;
    d.meta.sr = sr;
    d.meta.pct3x3 = pct3x3;
    d.macro.bypass = bypass;
    return arch_build(&d, out, e);
}

static double mib(double bytes)
{
    return bytes / MIB;
}

/* Table 1 */

static const struct table_column layer_columns[] = {
    {.name = "layer"},
    {.name = "params"},
    {.name = "paper_params", .title = "paper"},
    {.name = "difference"},
    {.name = "paper_pruned", .title = "paper, pruned"},
};

/* Parameters of the layers whose name begins like that: a Fire's, conv1's, all for "total". */
static int64_t params_of(const struct arch *a, const char *name)
{
    int64_t sum = 0;
    for (int i = 0; i < a->layer_count; i++) {
        const size_t n = strlen(name);
        const char *layer = a->layers[i].name;
        struct cost c;
        layer_cost(a, i, &c);
        if (strcmp(name, "total") == 0 ||
            (strncmp(layer, name, n) == 0 && (layer[n] == '.' || layer[n] == '\0')))
            sum += c.params;
    }
    return sum;
}

static enum status layer_rows(const void *context, struct table *t, struct err *e)
{
    (void)context;
    struct arch a;
    enum status st = paper_arch(0.125, 0.5, BYPASS_NONE, &a, e);
    for (size_t i = 0; st == ST_OK && i < sizeof paper_table1 / sizeof *paper_table1; i++) {
        const struct paper_layer *p = &paper_table1[i];
        const int64_t ours = params_of(&a, p->name);
        const struct cell cells[] = {cell_text(p->name), cell_int(ours), cell_int(p->params),
                                     cell_int(ours - p->params), cell_int(p->pruned)};
        st = table_row(t, cells, e);
    }
    return st;
}

/* Sizes of Figure 3's networks */

static const struct table_column size_columns[] = {
    {.name = "axis"},
    {.name = "value"},
    {.name = "params"},
    {.name = "model_mib", .title = "MiB", .decimals = 2},
    {.name = "model_mb", .title = "MB (10^6)", .decimals = 2},
    {.name = "rounded_up_mib", .title = "two digits up", .decimals = 1},
    {.name = "paper_mb", .title = "paper, MB", .decimals = 1},
    {.name = "agrees"},
};

/* Two significant digits, rounded up, as the paper's sizes are. */
static double two_digits_up(double x)
{
    const double unit = pow(10, floor(log10(x)) - 1);
    return ceil(x / unit - 1e-9) * unit;
}

static enum status size_row(enum paper_curve curve, const struct paper_point *p, struct table *t,
                            struct err *e)
{
    struct arch a;
    struct cost c;
    const bool sr = curve == PAPER_SR;
    enum status st = paper_arch(sr ? p->value : 0.5, sr ? 0.5 : p->value, BYPASS_NONE, &a, e);
    if (st != ST_OK)
        return st;
    arch_cost(&a, &c);
    const double size = mib((double)c.model_bytes), up = two_digits_up(size);
    const struct cell cells[] = {cell_text(paper_axis_name((enum paper_axis)curve)),
                                 cell_real(p->value),
                                 cell_int(c.params),
                                 cell_real(size),
                                 cell_real((double)c.model_bytes / 1e6),
                                 cell_real(up),
                                 cell_real(p->mb),
                                 cell_text(fabs(up - p->mb) < 0.01 ? "yes" : "no")};
    return table_row(t, cells, e);
}

static enum status size_rows(const void *context, struct table *t, struct err *e)
{
    (void)context;
    enum status st = ST_OK;
    for (int curve = 0; curve < PAPER_CURVES; curve++) {
        size_t count;
        const struct paper_point *p = paper_points((enum paper_curve)curve, &count);
        for (size_t i = 0; st == ST_OK && i < count; i++)
            st = size_row((enum paper_curve)curve, &p[i], t, e);
    }
    return st;
}

static void size_note(const void *context, FILE *out)
{
    (void)context;
    fputs("The paper's \"MB\" are MiB, rounded up to two digits; 37.5 % is printed as 11, where 11.11 MiB "
          "would be "
          "12. With 25 % of 3x3 filters the model is 9.24 MiB of the 20.33 at 99 %: 45 %, where the paper "
          "says 44.\n",
          out);
}

/* Table 2 */

static const struct table_column compression_columns[] = {
    {.name = "network"},
    {.name = "compression"},
    {.name = "paper_mb", .title = "paper, MB"},
    {.name = "paper_top1", .title = "paper top-1 %"},
    {.name = "paper_top5", .title = "paper top-5 %"},
    {.name = "dense_mib", .title = "dense at these bits, MiB", .decimals = 2},
    {.name = "pruned_mib", .title = "Table 1's pruned weights, MiB", .decimals = 2},
};

static enum status compression_rows(const void *context, struct table *t, struct err *e)
{
    (void)context;
    static const int bits[] = {0, 0, 0, 0, 32, 8, 6};
    struct arch a;
    struct cost c;
    enum status st = paper_arch(0.125, 0.5, BYPASS_NONE, &a, e);
    if (st == ST_OK)
        arch_cost(&a, &c);
    for (size_t i = 0; st == ST_OK && i < sizeof paper_table2 / sizeof *paper_table2; i++) {
        const struct paper_compression *p = &paper_table2[i];
        const double pruned = (double)paper_table1[10].pruned * bits[i] / 8;
        const struct cell cells[] = {cell_text(p->network),
                                     cell_text(p->method),
                                     cell_real(p->mb),
                                     cell_real(p->top1),
                                     cell_real(p->top5),
                                     bits[i] ? cell_real(mib((double)c.params * bits[i] / 8)) : cell_null(),
                                     bits[i] && bits[i] < 32 ? cell_real(mib(pruned)) : cell_null()};
        st = table_row(t, cells, e);
    }
    return st;
}

static void compression_note(const void *context, FILE *out)
{
    (void)context;
    fputs("firesweep does not prune: beside the paper's files stand all weights at that many bits, and the "
          "weights that "
          "Table 1 keeps, without the indices and codebooks that a file needs too.\n",
          out);
}

/* Table 3 */

static const struct table_column bypass_columns[] = {
    {.name = "bypass"},
    {.name = "params"},
    {.name = "model_mib", .title = "MiB", .decimals = 2},
    {.name = "paper_mb", .title = "paper, MB"},
    {.name = "paper_top1", .title = "paper top-1 %"},
    {.name = "paper_top5", .title = "paper top-5 %"},
};

static enum status bypass_rows(const void *context, struct table *t, struct err *e)
{
    (void)context;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < sizeof paper_table3 / sizeof *paper_table3; i++) {
        const struct paper_bypass *p = &paper_table3[i];
        struct arch a;
        struct cost c;
        st = paper_arch(0.125, 0.5, p->bypass, &a, e);
        if (st != ST_OK)
            break;
        arch_cost(&a, &c);
        const struct cell cells[] = {cell_text(bypass_name(p->bypass)),
                                     cell_int(c.params),
                                     cell_real(mib((double)c.model_bytes)),
                                     cell_real(p->mb),
                                     cell_real(p->top1),
                                     cell_real(p->top5)};
        st = table_row(t, cells, e);
    }
    return st;
}

static void bypass_note(const void *context, FILE *out)
{
    (void)context;
    fputs("Complex bypass: 1x1 convolutions around fire2, 4, 6 and 8 are 341,248 more parameters; the "
          "paper's 7.7 MB do "
          "not follow from its text.\n",
          out);
}

static const struct section sections[] = {
    {.name = "layers",
     .heading = "Table 1: parameters of SqueezeNet",
     SECTION_COLUMNS(layer_columns),
     .rows = layer_rows},
    {.name = "sizes",
     .heading = "Figure 3: model sizes",
     SECTION_COLUMNS(size_columns),
     .rows = size_rows,
     .note = size_note},
    {.name = "compression",
     .heading = "Table 2: compression",
     SECTION_COLUMNS(compression_columns),
     .rows = compression_rows,
     .note = compression_note},
    {.name = "bypass",
     .heading = "Table 3: bypass",
     SECTION_COLUMNS(bypass_columns),
     .rows = bypass_rows,
     .note = bypass_note},
    {.name = "series", .heading = "Measured series", .may_be_empty = true, .rows = paper_series_rows},
    {.name = "curves",
     .heading = "Measured accuracy beside the paper's",
     .may_be_empty = true,
     .rows = paper_curve_rows,
     .note = paper_curve_note},
    {.name = "claims",
     .heading = "Claims",
     .may_be_empty = true,
     .rows = paper_claim_rows,
     .note = paper_claim_note},
};
enum { SECTION_SERIES = 4, SECTION_CURVES, SECTION_CLAIMS, SECTIONS };

static enum status print_sections(const struct output *o, const struct paper *p, struct err *e)
{
    struct section all[SECTIONS];
    memcpy(all, sections, sizeof all);
    all[SECTION_SERIES].columns = paper_series_columns(&all[SECTION_SERIES].count);
    all[SECTION_CURVES].columns = paper_curve_columns(&all[SECTION_CURVES].count);
    all[SECTION_CLAIMS].columns = paper_claim_columns(&all[SECTION_CLAIMS].count);
    return output_sections(o, all, SECTIONS, SECTION_CURVES, p, e);
}

static enum status load(const struct args *a, struct paper *p, struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < a->positional_count && st == ST_OK; i++) {
        struct store *store = NULL;
        st = database_open(a->positional[i], &store, e);
        if (st == ST_OK)
            st = paper_load(p, store, e);
        store_close(store);
    }
    return st;
}

static enum status draw(struct paper *p, const char *dir, const char *image, struct err *e)
{
    const char *paths[PAPER_PATHS];
    int count;
    if (p->count == 0)
        return err_set(e, ST_FAILED, "nothing to draw: no database with a series of finished trials");
    enum status st = paper_draw(p, dir, image, NULL, paths, &count, e);
    for (int i = 0; i < count; i++)
        fprintf(stderr, "written: %s\n", paths[i]);
    return st;
}

static enum status paper_run(const struct args *a, struct err *e)
{
    struct output o;
    struct paper p;
    paper_init(&p);
    enum status st = output_init(&o, a, e);
    if (st == ST_OK)
        st = load(a, &p, e);
    if (st == ST_OK)
        st = print_sections(&o, &p, e);
    if (st == ST_OK && a->value[OPTION_DIR])
        st = draw(&p, a->value[OPTION_DIR], a->value[OPTION_IMAGE], e);
    paper_release(&p);
    return st == ST_OK ? ST_OK : err_prefix(e, "paper");
}

const struct command command_paper = {
    .name = "paper",
    .summary = "The SqueezeNet paper's tables and curves beside ours, with verdicts",
    .positionals = "[DB...]",
    .positional_min = 0,
    .positional_max = ARGS_POSITIONAL,
    .description = "Prints what the paper reports (arXiv:1602.07360) beside what follows from its "
                   "arithmetic: Table 1, the model "
                   "sizes of Figure 3, Tables 2 and 3. With results databases also every series in them that "
                   "varies only SR, "
                   "pct3x3 or bypass, as points gained over its smallest value, and for each claim of the "
                   "paper whether it holds "
                   "there, does not hold, is not shown, or cannot be judged for want of a point.",
    .examples = "  firesweep paper\n"
                "  firesweep paper results/cifar10.db results/fashion-mnist.db -o plots\n"
                "  firesweep paper results/cifar10.db --only claims --format json\n",
    .options = options,
    .run = paper_run,
};
