/* firesweep paper: the SqueezeNet paper's numbers and ours, side by side. */
#include "cli/commands.h"

#include <math.h>
#include <string.h>

#include "cli/output.h"
#include "metamodel/cost.h"
#include "report/paper.h"

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

static const struct paper_point *points_of(enum paper_curve curve, size_t *count)
{
    *count =
        curve == PAPER_SR ? sizeof paper_sr / sizeof *paper_sr : sizeof paper_pct3x3 / sizeof *paper_pct3x3;
    return curve == PAPER_SR ? paper_sr : paper_pct3x3;
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
        const struct paper_point *p = points_of((enum paper_curve)curve, &count);
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

/* What was measured */

static const struct table_column series_columns[] = {
    {.name = "series"},
    {.name = "axis"},
    {.name = "sweep"},
    {.name = "data"},
    {.name = "shape", .title = "images"},
    {.name = "base_e"},
    {.name = "incr_e"},
    {.name = "freq"},
    {.name = "SR"},
    {.name = "pct3x3"},
    {.name = "epochs"},
    {.name = "batch"},
    {.name = "lr"},
    {.name = "points"},
    {.name = "lost", .title = "diverged or failed"},
};

static enum status series_rows(const void *context, struct table *t, struct err *e)
{
    const struct paper *p = context;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < p->count; i++) {
        const struct paper_series *s = &p->series[i];
        int64_t lost = 0;
        for (size_t k = 0; k < s->count; k++)
            lost += (int64_t)s->measures[k].lost;
        const struct cell cells[] = {
            cell_int((int64_t)i + 1),
            cell_text(paper_axis_name(s->axis)),
            cell_text(s->sweep),
            cell_text(s->data),
            cell_text(s->shape),
            cell_int(s->base_e),
            cell_int(s->incr_e),
            cell_int(s->freq),
            s->axis == PAPER_AXIS_SR ? cell_null() : cell_real(s->sr),
            s->axis == PAPER_AXIS_PCT3X3 ? cell_null() : cell_real(s->pct3x3),
            cell_int(s->epochs),
            cell_int(s->batch),
            cell_real(s->lr),
            cell_int((int64_t)s->count),
            cell_int(lost),
        };
        st = table_row(t, cells, e);
    }
    return st;
}

static const struct table_column curve_columns[] = {
    {.name = "series"},
    {.name = "axis", .flags = TABLE_NOT_TEXT},
    {.name = "value"},
    {.name = "model_mib", .title = "MiB", .decimals = 2},
    {.name = "n"},
    {.name = "lost", .flags = TABLE_NOT_TEXT},
    {.name = "top1", .title = "top-1 %", .decimals = 2},
    {.name = "half_width", .title = "+-", .decimals = 2},
    {.name = "gain", .title = "gain, points", .decimals = 2},
    {.name = "gain_half_width", .title = "+-", .decimals = 2},
    {.name = "paper_accuracy", .title = "paper %", .decimals = 1},
    {.name = "paper_gain", .title = "paper gain", .decimals = 1},
    {.name = "paper_kind", .title = "of"},
};

/* What the paper has at a point: top-5 of Figure 3, top-1 of Table 3; NaN if nothing. */
static double paper_accuracy(enum paper_axis axis, double value)
{
    size_t count = 0;
    if (axis == PAPER_AXIS_BYPASS)
        return paper_table3[(int)value].top1;
    const struct paper_point *p = points_of((enum paper_curve)axis, &count);
    for (size_t i = 0; i < count; i++)
        if (fabs(p[i].value - value) < 1e-9)
            return p[i].top5;
    return NAN;
}

static struct cell cell_known(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

static struct cell value_cell(enum paper_axis axis, double value)
{
    if (isnan(value))
        return cell_null();
    return axis == PAPER_AXIS_BYPASS ? cell_text(bypass_name((enum bypass)value)) : cell_real(value);
}

static enum status curve_row(size_t number, const struct paper_series *s, const struct paper_measure *m,
                             struct table *t, struct err *e)
{
    const struct paper_measure *first = &s->measures[0];
    const struct summary gain = paper_difference(s, first, m);
    const double paper = paper_accuracy(s->axis, m->value), base = paper_accuracy(s->axis, first->value);
    const struct cell cells[] = {
        cell_int((int64_t)number),
        cell_text(paper_axis_name(s->axis)),
        value_cell(s->axis, m->value),
        cell_real(mib((double)m->model_bytes)),
        cell_int((int64_t)m->n),
        cell_int((int64_t)m->lost),
        cell_known(100 * m->summary.mean),
        cell_known(100 * m->summary.half_width),
        cell_known(100 * gain.mean),
        m == first ? cell_null() : cell_known(100 * gain.half_width),
        cell_known(paper),
        cell_known(paper - base),
        cell_text(isnan(paper)                   ? NULL
                  : s->axis == PAPER_AXIS_BYPASS ? "top-1"
                                                 : "top-5"),
    };
    return table_row(t, cells, e);
}

static enum status curve_rows(const void *context, struct table *t, struct err *e)
{
    const struct paper *p = context;
    enum status st = ST_OK;
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; st == ST_OK && k < p->series[i].count; k++)
            st = curve_row(i + 1, &p->series[i], &p->series[i].measures[k], t, e);
    return st;
}

static void curve_note(const void *context, FILE *out)
{
    const struct paper *p = context;
    if (p->count > 0)
        fputs("Ours: test top-1, mean over n seeds, 95 % confidence interval of the mean. The paper: "
              "ImageNet, other "
              "images and sizes, so that shapes can be compared, not values.\n",
              out);
}

/* Claims */

static const struct table_column claim_columns[] = {
    {.name = "claim"},
    {.name = "series"},
    {.name = "from"},
    {.name = "to"},
    {.name = "n"},
    {.name = "difference", .title = "points", .decimals = 2},
    {.name = "low", .decimals = 2},
    {.name = "high", .decimals = 2},
    {.name = "verdict"},
};

static enum status claim_row(const struct paper_claim *c, const struct paper_series *s, size_t number,
                             struct table *t, struct err *e)
{
    const struct paper_finding f = paper_judge(c, s);
    const struct cell cells[] = {
        cell_text(c->text),
        cell_int((int64_t)number),
        value_cell(c->axis, f.from),
        value_cell(c->axis, f.to),
        cell_int((int64_t)f.difference.n),
        cell_known(100 * f.difference.mean),
        cell_known(100 * (f.difference.mean - f.difference.half_width)),
        cell_known(100 * (f.difference.mean + f.difference.half_width)),
        cell_text(verdict_name(f.verdict)),
    };
    return table_row(t, cells, e);
}

static enum status claim_rows(const void *context, struct table *t, struct err *e)
{
    const struct paper *p = context;
    enum status st = ST_OK;
    for (const struct paper_claim *c = paper_claims(); c->text; c++)
        for (size_t i = 0; st == ST_OK && i < p->count; i++)
            if (p->series[i].axis == c->axis)
                st = claim_row(c, &p->series[i], i + 1, t, e);
    return st;
}

static void claim_note(const void *context, FILE *out)
{
    const struct paper *p = context;
    if (p->count > 0)
        fprintf(out,
                "Intervals: 95 %%, of differences by seed with the spread pooled over the series. Marked is "
                "a rise above "
                "%.1f points, and up to that is none.\n",
                100 * PAPER_MARGIN);
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
    {.name = "series",
     .heading = "Measured series",
     SECTION_COLUMNS(series_columns),
     .may_be_empty = true,
     .rows = series_rows},
    {.name = "curves",
     .heading = "Measured accuracy beside the paper's",
     SECTION_COLUMNS(curve_columns),
     .may_be_empty = true,
     .rows = curve_rows,
     .note = curve_note},
    {.name = "claims",
     .heading = "Claims",
     SECTION_COLUMNS(claim_columns),
     .may_be_empty = true,
     .rows = claim_rows,
     .note = claim_note},
};
enum { SECTION_CURVES = 5 };

static enum status load(const struct args *a, struct paper *p, struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < a->positional_count && st == ST_OK; i++) {
        struct store *store = NULL;
        st = store_open_readonly(a->positional[i], &store, e);
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
        st = output_sections(&o, sections, sizeof sections / sizeof *sections, SECTION_CURVES, &p, e);
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
                   "there, does not hold, or is not shown.",
    .examples = "  firesweep paper\n"
                "  firesweep paper results/cifar10.db results/fashion-mnist.db -o plots\n"
                "  firesweep paper results/cifar10.db --only claims --format json\n",
    .options = options,
    .run = paper_run,
};
