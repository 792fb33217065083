/* The spec's format for people, from the field table. */
#include <string.h>

#include "base/strbuf.h"
#include "sweep/spec_fields.h"

static const char opening[] =
    "# Sweep specs\n\n"
    "A sweep spec is one YAML 1.1 document. Unknown keys, keys given twice, empty values, tags and numbers "
    "in quotes "
    "are errors; every error names the file, line and column. Anchors and aliases may be used.\n\n";

static const char axes[] =
    "Any key of `base` and `train` may be an axis or be fixed for one block. The points of a block are every "
    "combination of a row of `list`, a step of `zip` and one value per axis of `grid`; rows change slowest, "
    "the last "
    "axis of `grid` fastest. A key may stand in one of `set`, `grid`, `zip` and `list`. A value of `preset` "
    "is applied "
    "first, then the keys of `base`, then the block's. Points with equal realised layers, recipe and seed "
    "are trained "
    "once, whatever blocks they belong to. All blocks and seeds together may make 1000000 trials.\n\n"
    "    sweep:\n"
    "      - {id: squeeze_ratio, grid: {SR: [0.125, 0.25, 0.5, 0.75, 1.0]}}\n"
    "      - {id: share, set: {SR: 0.5}, grid: {pct3x3: {from: 0.1, to: 0.9, step: 0.2}}}\n"
    "      - {id: width, zip: {base_e: [32, 64, 128], incr_e: [32, 64, 128]}}\n"
    "      - {id: late_pools, grid: {pools: [[conv1, fire4, fire8], [fire4, fire8]]}}\n"
    "      - {id: chosen, list: [{SR: 0.25, bypass: simple}, {SR: 0.5, bypass: none}]}\n\n";

static const char constraints[] = "## constraints\n\n"
                                  "Texts such as `model_bytes <= 5MiB`: one of model_bytes (float32), "
                                  "params, macs (per image); one of `<=`, `<`, "
                                  "`>=`, `>`; a number with an optional unit K, M, G, KB, MB, GB (powers of "
                                  "1000) or KiB, MiB, GiB (of 1024). "
                                  "Trials that violate one stay in the results as skipped.\n\n";

/* Text for a cell of a Markdown table. */
static void cell_add(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            strbuf_putc(out, '\\');
        strbuf_putc(out, *text);
    }
}

/* The default of a field, from the table or the point that a spec starts from. */
static void default_add(struct strbuf *out, const struct field *f, const struct point *point)
{
    char text[POINT_TEXT];
    if (f->required)
        cell_add(out, "required");
    else if (f->initial)
        cell_add(out, f->initial);
    else if (field_in(f, SECTION_AXIS)) {
        field_get(f, point, text);
        cell_add(out, text);
    }
}

static void section_add(struct strbuf *out, enum section section, const char *title, const char *intro,
                        const struct point *point)
{
    char allowed[256];
    strbuf_printf(out, "## %s\n\n%s%s| key | type | allowed | default | meaning |\n|---|---|---|---|---|\n",
                  title, intro, intro[0] ? "\n\n" : "");
    for (size_t i = 0; i < field_count(); i++) {
        const struct field *f = field_at(i);
        if (!field_in(f, section))
            continue;
        strbuf_printf(out, "| `%s` | %s | ", f->key, field_type(f));
        cell_add(out, field_allowed(f, allowed, sizeof allowed));
        strbuf_puts(out, " | ");
        default_add(out, f, point);
        strbuf_puts(out, " | ");
        cell_add(out, f->meaning);
        strbuf_puts(out, " |\n");
    }
    strbuf_putc(out, '\n');
}

static void reference_add(struct strbuf *out, const struct point *point)
{
    strbuf_puts(out, opening);
    section_add(out, SECTION_ROOT, "Keys of a spec", "", point);
    section_add(out, SECTION_DATA, "data", "", point);
    section_add(out, SECTION_BASE, "base",
                "The defaults are those of preset small32; a preset brings its own.", point);
    section_add(out, SECTION_TRAIN, "train", "", point);
    section_add(out, SECTION_BLOCK, "sweep", "A list of blocks with these keys:", point);
    strbuf_puts(out, axes);
    section_add(out, SECTION_RANGE, "Ranges", "In place of the list of an axis that takes numbers:", point);
    strbuf_puts(out, constraints);
    section_add(out, SECTION_BUDGET, "budget", "", point);
    section_add(out, SECTION_RUN, "run", "", point);
    section_add(out, SECTION_PLOT, "plots", "A list of figures with these keys:", point);
}

enum status spec_reference(char **out, struct err *e)
{
    struct strbuf text = STRBUF_INIT;
    struct point point;
    enum status st = point_init(&point, e);
    if (st != ST_OK)
        return st;
    reference_add(&text, &point);
    if (text.failed) {
        strbuf_release(&text);
        return err_set(e, ST_NOMEM, "out of memory");
    }
    *out = text.text; /* from base/mem.h, as mem_free needs */
    return ST_OK;
}
