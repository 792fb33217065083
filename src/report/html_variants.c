/* Every variant of the database with its 24 widths, its cost and the number of its list of layers. */
#include "report/html_columns.h"
#include "report/html_private.h"

#include <inttypes.h>
#include <string.h>

#include "metamodel/arch.h"
#include "report/settings.h"

/* The first columns make the design, the rest is for the page. */
enum {
    COLUMN_INPUT,
    COLUMN_CLASSES = 3,
    COLUMN_CONV1,
    COLUMN_POOLS = 8,
    COLUMN_FLOOR,
    COLUMN_BYPASS,
    COLUMN_RELU,
    COLUMN_PAD,
    COLUMN_SHOWN
};
/* clang-format off */
static const char variants_sql[] =
    "SELECT input_c, input_h, input_w, classes, conv1_filters, conv1_kernel, conv1_stride, conv1_pad, pools,"
    " pool_floor, bypass, conv10_relu, conv10_pad, id AS variant, base_e, incr_e, freq, sr, pct3x3,"
    " realised_sr, realised_pct3x3, bypass, " SETTINGS_OF_VARIANT_BUT_POINT("v", "v") ","
    " iif(pool_floor, 'floor', 'ceil') AS pool_rounding,"
    " (SELECT n.also FROM (SELECT " ALSO("v", "at.variant_id = v.id") ") n) AS names,"
    " params, model_bytes, model_bytes_8bit, model_bytes_6bit, macs, activation_bytes,"
    " train_activation_bytes, d.latency_ms, d.latency_p95_ms, d.infer_img_s,"
    " d.infer_bytes / 1048576.0 AS infer_mib, d.cpu_share, arch_hash FROM variant v"
    " LEFT JOIN deployment d ON d.variant_id = id ORDER BY id";
/* clang-format on */
static const char fires_sql[] =
    "SELECT variant_id, fire, s1x1, e1x1, e3x3, s1x1_clamped FROM fire ORDER BY variant_id, fire";

/* Reads the Fires beside the variants, both in order of id. */
struct fires {
    struct store_query *q;
    bool row;
    unsigned clamped; /* bit k: fire k + 2 */
    int found;
};

static enum status take_fires(struct fires *f, int64_t variant, struct fire fires[FIRE_COUNT], struct err *e)
{
    enum status status = ST_OK;
    f->clamped = 0;
    f->found = 0;
    while (status == ST_OK && f->row && store_query_cell(f->q, 0).i <= variant) {
        const int64_t k = store_query_cell(f->q, 1).i - 2;
        if (store_query_cell(f->q, 0).i == variant && k >= 0 && k < FIRE_COUNT) {
            fires[k] = (struct fire){.s1x1 = (int)store_query_cell(f->q, 2).i,
                                     .e1x1 = (int)store_query_cell(f->q, 3).i,
                                     .e3x3 = (int)store_query_cell(f->q, 4).i};
            f->clamped |= (store_query_cell(f->q, 5).i ? 1u : 0u) << k;
            f->found++;
        }
        status = store_query_next(f->q, &f->row, e);
    }
    return status;
}

static int number(const struct store_query *q, int column)
{
    return (int)store_query_cell(q, column).i;
}

/* False when the row says what no network can be. */
static bool read_macro(const struct store_query *q, struct macro *m)
{
    const struct cell pools = store_query_cell(q, COLUMN_POOLS), bypass = store_query_cell(q, COLUMN_BYPASS);
    *m = (struct macro){
        .input = {number(q, COLUMN_INPUT), number(q, COLUMN_INPUT + 1), number(q, COLUMN_INPUT + 2)},
        .classes = number(q, COLUMN_CLASSES),
        .conv1_filters = number(q, COLUMN_CONV1),
        .conv1_kernel = number(q, COLUMN_CONV1 + 1),
        .conv1_stride = number(q, COLUMN_CONV1 + 2),
        .conv1_pad = number(q, COLUMN_CONV1 + 3),
        .pool_floor = number(q, COLUMN_FLOOR) != 0,
        .conv10_relu = number(q, COLUMN_RELU) != 0,
        .conv10_pad = number(q, COLUMN_PAD)};
    return pools.type == CELL_TEXT && bypass.type == CELL_TEXT && pools_parse(pools.text, &m->pools) &&
           bypass_parse(bypass.text, &m->bypass);
}

enum { EXTRA_COLUMNS = 3, COLUMNS_MOST = 64 }; /* "widths", "clamped" and "shape" */

/* A row: the query's columns, [24 widths], clamped, list of layers. */
static enum status put_variant(struct html_columns *t, const struct store_query *q, const struct design *d,
                               const struct fires *f, int shape, struct err *e)
{
    enum status status = ST_OK;
    for (int i = COLUMN_SHOWN; status == ST_OK && i < store_query_columns(q); i++) {
        html_json_cell(html_columns_cell(t), store_query_cell(q, i));
        status = html_columns_end(t, e);
    }
    if (status != ST_OK)
        return status;
    FILE *cell = html_columns_cell(t);
    for (int i = 0; f->found == FIRE_COUNT && i < FIRE_COUNT; i++)
        fprintf(cell, "%s%d,%d,%d", i ? "," : "[", d->fires[i].s1x1, d->fires[i].e1x1, d->fires[i].e3x3);
    fputs(f->found == FIRE_COUNT ? "]" : "null", cell);
    status = html_columns_end(t, e);
    if (status == ST_OK) {
        fprintf(html_columns_cell(t), "%u", f->clamped);
        status = html_columns_end(t, e);
    }
    if (status == ST_OK) {
        fprintf(html_columns_cell(t), "%d", shape);
        status = html_columns_end(t, e);
    }
    return status;
}

static enum status put_rows(struct html_columns *t, struct store_query *q, struct fires *f,
                            struct html_shapes *shapes, struct err *e)
{
    bool row = false;
    enum status status = store_query_next(q, &row, e);
    while (status == ST_OK && row) {
        struct design d = {.explicit_fires = true};
        int shape = -1;
        status = take_fires(f, store_query_cell(q, COLUMN_SHOWN).i, d.fires, e);
        if (status == ST_OK && f->found == FIRE_COUNT && read_macro(q, &d.macro))
            status = html_shapes_find(shapes, &d, &shape, e);
        if (status == ST_OK)
            status = put_variant(t, q, &d, f, shape, e);
        if (status == ST_OK)
            status = store_query_next(q, &row, e);
    }
    return status;
}

static enum status write_variants(struct html_page *p, struct store_query *q, struct fires *f,
                                  struct html_shapes *shapes, struct err *e)
{
    const char *names[COLUMNS_MOST];
    int count = 0;
    for (int i = COLUMN_SHOWN; i < store_query_columns(q) && count < COLUMNS_MOST - EXTRA_COLUMNS; i++)
        names[count++] = store_query_column(q, i);
    names[count++] = "widths";
    names[count++] = "clamped";
    names[count++] = "shape";
    struct html_columns *t = html_columns_create(count);
    const enum status status = t ? put_rows(t, q, f, shapes, e) : err_set(e, ST_NOMEM, "out of memory");
    if (status == ST_OK) {
        fputs("\"variants\":", p->out);
        html_columns_write(t, names, p->out);
    }
    html_columns_free(t);
    return status;
}

enum status html_variants(struct html_page *p, struct err *e)
{
    struct store_query *q = NULL;
    struct fires f = {0};
    struct html_shapes *shapes = html_shapes_create();
    enum status status = shapes ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
    if (status == ST_OK)
        status = store_query_open(p->store, variants_sql, &q, e);
    if (status == ST_OK)
        status = html_query_row(p, fires_sql, &f.q, &f.row, e);
    if (status == ST_OK) {
        status = write_variants(p, q, &f, shapes, e);
        fputs(",\n\"shapes\":", p->out);
        html_shapes_write(shapes, p->out);
    }
    store_query_close(q);
    store_query_close(f.q);
    html_shapes_free(shapes);
    return status;
}
