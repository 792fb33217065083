/* firesweep derive: from metaparameters to hyperparameters, layers and cost. */
#include "cli/commands.h"

#include <string.h>

#include "base/mem.h"
#include "cli/output.h"
#include "metamodel/cost.h"
#include "sweep/spec.h"

/* Options that set a key of a spec; OPTION_PRESET is applied first. */
enum {
    OPTION_PRESET = OPTION_OWN,
    OPTION_BASE_E,
    OPTION_INCR_E,
    OPTION_FREQ,
    OPTION_SR,
    OPTION_PCT3X3,
    OPTION_FIRES,
    OPTION_BYPASS,
    OPTION_INPUT,
    OPTION_CLASSES,
    OPTION_CONV1_FILTERS,
    OPTION_CONV1_KERNEL,
    OPTION_CONV1_STRIDE,
    OPTION_CONV1_PAD,
    OPTION_POOLS,
    OPTION_POOL_ROUNDING,
    OPTION_CONV10_PAD,
    OPTION_LAST = OPTION_CONV10_PAD
};

static const char *const option_keys[] = {
    [OPTION_PRESET] = "preset",
    [OPTION_BASE_E] = "base_e",
    [OPTION_INCR_E] = "incr_e",
    [OPTION_FREQ] = "freq",
    [OPTION_SR] = "SR",
    [OPTION_PCT3X3] = "pct3x3",
    [OPTION_FIRES] = "fires",
    [OPTION_BYPASS] = "bypass",
    [OPTION_INPUT] = "input",
    [OPTION_CLASSES] = "classes",
    [OPTION_CONV1_FILTERS] = "conv1_filters",
    [OPTION_CONV1_KERNEL] = "conv1_kernel",
    [OPTION_CONV1_STRIDE] = "conv1_stride",
    [OPTION_CONV1_PAD] = "conv1_pad",
    [OPTION_POOLS] = "pools",
    [OPTION_POOL_ROUNDING] = "pool_rounding",
    [OPTION_CONV10_PAD] = "conv10_pad",
};

/* The first rows are in the order of their ids. */
static const struct poptOption options[] = {
    {"preset", '\0', POPT_ARG_STRING, NULL, OPTION_PRESET,
     "Start from squeezenet-1.0 (default), squeezenet-1.1 or small32", "NAME"},
    {"base-e", '\0', POPT_ARG_STRING, NULL, OPTION_BASE_E, "Expand filters of fire2", "N"},
    {"incr-e", '\0', POPT_ARG_STRING, NULL, OPTION_INCR_E, "Expand filters added every --freq Fires", "N"},
    {"freq", '\0', POPT_ARG_STRING, NULL, OPTION_FREQ, "Fires between two additions", "N"},
    {"sr", '\0', POPT_ARG_STRING, NULL, OPTION_SR, "Squeeze ratio, 0 < SR <= 1", "X"},
    {"pct3x3", '\0', POPT_ARG_STRING, NULL, OPTION_PCT3X3, "Share of 3x3 among the expand filters, 0 to 1",
     "X"},
    {"fires", '\0', POPT_ARG_STRING, NULL, OPTION_FIRES,
     "Eight triples s1x1/e1x1/e3x3 with commas (or s1x1,e1x1,e3x3;...) in place of the metaparameters",
     "LIST"},
    {"bypass", '\0', POPT_ARG_STRING, NULL, OPTION_BYPASS, "Shortcuts around Fires: none, simple or complex",
     "KIND"},
    {"input", '\0', POPT_ARG_STRING, NULL, OPTION_INPUT, "Channels, rows and columns of the images", "CxHxW"},
    {"classes", '\0', POPT_ARG_STRING, NULL, OPTION_CLASSES, "Number of classes", "N"},
    {"conv1-filters", '\0', POPT_ARG_STRING, NULL, OPTION_CONV1_FILTERS, "Filters of conv1", "N"},
    {"conv1-kernel", '\0', POPT_ARG_STRING, NULL, OPTION_CONV1_KERNEL, "Kernel rows and columns of conv1",
     "N"},
    {"conv1-stride", '\0', POPT_ARG_STRING, NULL, OPTION_CONV1_STRIDE, "Stride of conv1", "N"},
    {"conv1-pad", '\0', POPT_ARG_STRING, NULL, OPTION_CONV1_PAD, "Zero border of conv1", "N"},
    {"pools", '\0', POPT_ARG_STRING, NULL, OPTION_POOLS,
     "Layers followed by a 3x3/2 max pool, such as conv1,fire4,fire8, or none", "LIST"},
    {"pool-rounding", '\0', POPT_ARG_STRING, NULL, OPTION_POOL_ROUNDING,
     "Output size of pools: ceil or floor", "R"},
    {"conv10-pad", '\0', POPT_ARG_STRING, NULL, OPTION_CONV10_PAD, "Zero border of conv10", "N"},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY,
     "Print one part: requested, fires, layers or totals (csv: layers)", "PART"},
    POPT_TABLEEND};

struct variant {
    const char *preset;
    struct point point;
    struct arch arch;
    struct derived derived;
    struct cost cost;
};

/* "16/64/64,..." as in a spec; "16,64,64;..." is understood, too. */
static enum status set_fires(struct point *p, const char *value, struct err *e)
{
    char *text = mem_strdup(value);
    if (!text)
        return err_set(e, ST_NOMEM, "out of memory");
    for (char *c = strchr(text, ';') ? text : ""; *c; c++)
        *c = *c == ',' ? '/' : *c == ';' ? ',' : *c;
    enum status st = point_set(p, option_keys[OPTION_FIRES], text, e);
    mem_free(text);
    if (st == ST_USAGE)
        err_set(e, st,
                "--fires: \"%.80s\" is no list of Fires, allowed: eight s1x1,e1x1,e3x3 joined by ';', with "
                "s1x1 >= 1 and e1x1 + e3x3 >= 1",
                value);
    return st;
}

/* Messages of the spec's keys name the option instead: "sr: ..." becomes "--sr: ...". */
static enum status set_option(struct point *p, int option, const char *value, struct err *e)
{
    if (option == OPTION_FIRES)
        return set_fires(p, value, e);
    const char *key = option_keys[option];
    struct err inner = ERR_INIT;
    enum status st = point_set(p, key, value, &inner);
    size_t n = strlen(key);
    bool named = strncmp(inner.text, key, n) == 0 && inner.text[n] == ':';
    if (st != ST_OK)
        err_set(e, st, named ? "--%s%s" : "--%s: %s", options[option - OPTION_PRESET].longName,
                inner.text + (named ? n : 0));
    return st;
}

static enum status check_combination(const struct args *a, struct err *e)
{
    for (int id = OPTION_BASE_E; a->value[OPTION_FIRES] && id <= OPTION_PCT3X3; id++) {
        if (a->value[id])
            return err_set(e, ST_USAGE,
                           "--fires cannot be combined with --%s: the list replaces the metaparameters",
                           options[id - OPTION_PRESET].longName);
    }
    return ST_OK;
}

static enum status variant_derive(struct variant *v, const struct args *a, struct err *e)
{
    v->preset = a->value[OPTION_PRESET] ? a->value[OPTION_PRESET] : "squeezenet-1.0";
    enum status st = check_combination(a, e);
    if (st == ST_OK)
        st = design_preset(v->preset, &v->point.design, e);
    for (int id = OPTION_PRESET + 1; id <= OPTION_LAST && st == ST_OK; id++)
        if (a->value[id])
            st = set_option(&v->point, id, a->value[id], e);
    const struct design *d = &v->point.design;
    if (st == ST_OK)
        st = arch_build(d, &v->arch, e);
    if (st != ST_OK)
        return st;
    arch_cost(&v->arch, &v->cost);
    if (!d->explicit_fires)
        return metaparams_derive(&d->meta, &v->derived, e);
    memcpy(v->derived.fires, d->fires, sizeof d->fires);
    fires_realised(d->fires, &v->derived.realised_sr, &v->derived.realised_pct3x3);
    return ST_OK;
}

/* requested */

static const struct table_column requested_columns[] = {
    {.name = "preset"},    {.name = "base_e"},        {.name = "incr_e"},        {.name = "freq"},
    {.name = "SR"},        {.name = "pct3x3"},        {.name = "bypass"},        {.name = "input"},
    {.name = "classes"},   {.name = "conv1_filters"}, {.name = "conv1_kernel"},  {.name = "conv1_stride"},
    {.name = "conv1_pad"}, {.name = "pools"},         {.name = "pool_rounding"}, {.name = "conv10_pad"},
};

static enum status requested_rows(const void *context, struct table *t, struct err *e)
{
    const struct variant *v = context;
    const struct macro *m = &v->point.design.macro;
    const struct metaparams *meta = &v->point.design.meta;
    bool derived = !v->point.design.explicit_fires;
    char pools[64], input[40];
    snprintf(input, sizeof input, "%dx%dx%d", m->input.c, m->input.h, m->input.w);
    const struct cell cells[] = {
        cell_text(v->preset),
        derived ? cell_int(meta->base_e) : cell_null(),
        derived ? cell_int(meta->incr_e) : cell_null(),
        derived ? cell_int(meta->freq) : cell_null(),
        derived ? cell_real(meta->sr) : cell_null(),
        derived ? cell_real(meta->pct3x3) : cell_null(),
        cell_text(bypass_name(m->bypass)),
        cell_text(input),
        cell_int(m->classes),
        cell_int(m->conv1_filters),
        cell_int(m->conv1_kernel),
        cell_int(m->conv1_stride),
        cell_int(m->conv1_pad),
        cell_text(pools_format(m->pools, pools)),
        cell_text(m->pool_floor ? "floor" : "ceil"),
        cell_int(m->conv10_pad),
    };
    return table_row(t, cells, e);
}

/* fires */

static const struct table_column fire_columns[] = {
    {.name = "name", .title = "Fire"},
    {.name = "s1x1"},
    {.name = "e1x1"},
    {.name = "e3x3"},
    {.name = "params", .title = "parameters"},
    {.name = "SR", .title = "realised SR", .decimals = 4, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "pct3x3", .title = "realised pct3x3", .decimals = 4, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "clamped", .flags = TABLE_JSON_VALUE | TABLE_NOT_TEXT},
};

static enum status fire_rows(const void *context, struct table *t, struct err *e)
{
    const struct variant *v = context;
    enum status st = ST_OK;
    for (int i = 0; i < FIRE_COUNT && st == ST_OK; i++) {
        const struct fire *f = &v->derived.fires[i];
        double expand = f->e1x1 + f->e3x3;
        char name[16];
        snprintf(name, sizeof name, "fire%d", i + 2);
        const struct cell cells[] = {
            cell_text(name),
            cell_int(f->s1x1),
            cell_int(f->e1x1),
            cell_int(f->e3x3),
            cell_int(fire_params(&v->arch, i)),
            cell_real(f->s1x1 / expand),
            cell_real(f->e3x3 / expand),
            cell_text(v->derived.clamped[i] ? "true" : "false"),
        };
        st = table_row(t, cells, e);
    }
    return st;
}

static void fire_note(const void *context, FILE *out)
{
    const struct variant *v = context;
    const char *separator = "";
    for (int i = 0; i < FIRE_COUNT; i++) {
        if (!v->derived.clamped[i])
            continue;
        fprintf(out, "%sfire%d",
                *separator ? separator : "Clamped: SR asks for less than one squeeze filter in ", i + 2);
        separator = ", ";
    }
    if (*separator)
        fputs("; s1x1 is 1 there.\n", out);
}

/* layers */

static const struct table_column layer_columns[] = {
    {.name = "name", .title = "layer"},
    {.name = "kind", .flags = TABLE_NOT_TEXT},
    {.name = "filter", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "kernel", .flags = TABLE_NOT_TEXT},
    {.name = "stride", .flags = TABLE_NOT_TEXT},
    {.name = "pad", .flags = TABLE_NOT_TEXT},
    {.name = "output", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "output", .flags = TABLE_NOT_TEXT | TABLE_NOT_CSV | TABLE_JSON_VALUE},
    {.name = "channels", .flags = TABLE_NOT_TEXT | TABLE_NOT_JSON},
    {.name = "rows", .flags = TABLE_NOT_TEXT | TABLE_NOT_JSON},
    {.name = "columns", .flags = TABLE_NOT_TEXT | TABLE_NOT_JSON},
    {.name = "params", .title = "parameters"},
    {.name = "MiB", .decimals = 3, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "macs", .title = "MACs"},
    {.name = "weight_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "weight_bytes_8bit", .flags = TABLE_NOT_TEXT},
    {.name = "weight_bytes_6bit", .flags = TABLE_NOT_TEXT},
    {.name = "output_mib", .title = "output MiB", .decimals = 3, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "activation_bytes", .flags = TABLE_NOT_TEXT},
};

static const char *layer_kind_name(enum layer_kind kind)
{
    static const char *const names[] = {[LAYER_CONV] = "conv",
                                        [LAYER_MAXPOOL] = "maxpool",
                                        [LAYER_ADD] = "add",
                                        [LAYER_DROPOUT] = "dropout",
                                        [LAYER_AVGPOOL] = "avgpool"};
    return names[kind];
}

static enum status layer_row(const struct variant *v, int index, struct table *t, struct err *e)
{
    const struct layer *l = &v->arch.layers[index];
    struct shape shape = v->arch.tensors[l->out];
    bool has_kernel = l->kind == LAYER_CONV || l->kind == LAYER_MAXPOOL;
    struct cost cost;
    char filter[24], text[40], json[40];
    if (l->kind == LAYER_CONV)
        shape.c = l->cout;
    layer_cost(&v->arch, index, &cost);
    snprintf(filter, sizeof filter, "%dx%d/%d", l->kernel, l->kernel, l->stride);
    snprintf(text, sizeof text, "%dx%dx%d", shape.c, shape.h, shape.w);
    snprintf(json, sizeof json, "[%d, %d, %d]", shape.c, shape.h, shape.w);
    const struct cell cells[] = {
        cell_text(l->name),
        cell_text(layer_kind_name(l->kind)),
        cell_text(has_kernel ? filter : NULL),
        has_kernel ? cell_int(l->kernel) : cell_null(),
        has_kernel ? cell_int(l->stride) : cell_null(),
        has_kernel ? cell_int(l->pad) : cell_null(),
        cell_text(text),
        cell_text(json),
        cell_int(shape.c),
        cell_int(shape.h),
        cell_int(shape.w),
        cell_int(cost.params),
        cell_real((double)cost.model_bytes / MIB),
        cell_int(cost.macs),
        cell_int(cost.model_bytes),
        cell_int(cost.model_bytes_8bit),
        cell_int(cost.model_bytes_6bit),
        cell_real((double)cost.activation_bytes / MIB),
        cell_int(cost.activation_bytes),
    };
    return table_row(t, cells, e);
}

static enum status layer_rows(const void *context, struct table *t, struct err *e)
{
    const struct variant *v = context;
    enum status st = ST_OK;
    for (int i = 0; i < v->arch.layer_count && st == ST_OK; i++)
        st = layer_row(v, i, t, e);
    return st;
}

/* totals */

enum { TEXT_ONLY = TABLE_NOT_JSON | TABLE_NOT_CSV };

static const struct table_column total_columns[] = {
    {.name = "params", .title = "parameters"},
    {.name = "model_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "model_bytes_8bit", .flags = TABLE_NOT_TEXT},
    {.name = "model_bytes_6bit", .flags = TABLE_NOT_TEXT},
    {.name = "model MiB, float32", .decimals = 2, .flags = TEXT_ONLY},
    {.name = "model MiB, 8 bit", .decimals = 2, .flags = TEXT_ONLY},
    {.name = "model MiB, 6 bit", .decimals = 2, .flags = TEXT_ONLY},
    {.name = "macs", .title = "MACs per image"},
    {.name = "activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "train_activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "activation MiB per image", .decimals = 2, .flags = TEXT_ONLY},
    {.name = "training activation MiB per image", .decimals = 2, .flags = TEXT_ONLY},
    {.name = "requested_sr", .title = "SR requested"},
    {.name = "realised_sr", .title = "SR realised"},
    {.name = "requested_pct3x3", .title = "pct3x3 requested"},
    {.name = "realised_pct3x3", .title = "pct3x3 realised"},
    {.name = "arch_hash", .title = "architecture"},
};

static enum status total_rows(const void *context, struct table *t, struct err *e)
{
    const struct variant *v = context;
    const struct cost *c = &v->cost;
    bool derived = !v->point.design.explicit_fires;
    char hash[HASH_TEXT];
    arch_hash(&v->arch, hash);
    const struct cell cells[] = {
        cell_int(c->params),
        cell_int(c->model_bytes),
        cell_int(c->model_bytes_8bit),
        cell_int(c->model_bytes_6bit),
        cell_real((double)c->model_bytes / MIB),
        cell_real((double)c->model_bytes_8bit / MIB),
        cell_real((double)c->model_bytes_6bit / MIB),
        cell_int(c->macs),
        cell_int(c->activation_bytes),
        cell_int(c->train_activation_bytes),
        cell_real((double)c->activation_bytes / MIB),
        cell_real((double)c->train_activation_bytes / MIB),
        derived ? cell_real(v->point.design.meta.sr) : cell_null(),
        cell_real(v->derived.realised_sr),
        derived ? cell_real(v->point.design.meta.pct3x3) : cell_null(),
        cell_real(v->derived.realised_pct3x3),
        cell_text(hash),
    };
    return table_row(t, cells, e);
}

static const struct section sections[] = {
    {.name = "requested",
     .heading = "Requested",
     SECTION_COLUMNS(requested_columns),
     .record = true,
     .rows = requested_rows},
    {.name = "fires",
     .heading = "Fires",
     SECTION_COLUMNS(fire_columns),
     .rows = fire_rows,
     .note = fire_note},
    {.name = "layers", .heading = "Layers", SECTION_COLUMNS(layer_columns), .rows = layer_rows},
    {.name = "totals",
     .heading = "Totals",
     SECTION_COLUMNS(total_columns),
     .record = true,
     .rows = total_rows},
};
enum { SECTION_COUNT = sizeof sections / sizeof *sections, SECTION_LAYERS = 2 };

static enum status derive_run(const struct args *a, struct err *e)
{
    struct variant v = {0};
    struct output o;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK)
        st = variant_derive(&v, a, e);
    if (st == ST_OK)
        st = output_sections(&o, sections, SECTION_COUNT, SECTION_LAYERS, &v, e);
    if (st != ST_OK)
        err_prefix(e, "derive");
    return st;
}

const struct command command_derive = {
    .name = "derive",
    .summary = "Hyperparameters, layers and cost of one variant, from its metaparameters",
    .description = "Derives the 24 hyperparameters of fire2 to fire9 from the metaparameters of section "
                   "5.1 of the SqueezeNet paper, builds the network, and prints what each layer and the "
                   "whole will cost. Sizes are of float32 weights unless said otherwise; MiB = 2^20 "
                   "bytes; biases are counted.",
    .examples = "  firesweep derive --sr 0.5 --pct3x3 0.25\n"
                "  firesweep derive --preset small32 --classes 100 --bypass simple --only totals\n"
                "  firesweep derive --fires 16/64/64,16/64/64,32/128/128,32/128/128,48/192/192,48/192/192,"
                "64/256/256,64/256/256\n"
                "  firesweep derive --preset squeezenet-1.1 --format csv > layers.csv\n",
    .options = options,
    .run = derive_run,
};
