/* The spec's format for people, from the field table. */
#include <string.h>

#include "base/strbuf.h"
#include "sweep/conditions.h"
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

static const char random_blocks[] =
    "## Random blocks\n\n"
    "A block with `random` and `params` draws its points. Candidates come in a sequence that depends on the "
    "seed, the sampler and each key's own distribution alone; the first `n` that fulfil all conditions and "
    "equal no earlier point (layers and recipe) are the points. With `random` and `sobol` a larger `n` "
    "therefore keeps the points there are; a Latin hypercube (`lhs`) has `n` strata per key, so another `n` "
    "is "
    "another design. Where fewer than one in 20 candidates behind the first 10000 is a point, the block has "
    "fewer points, and `plan` says what "
    "became of the candidates. Numbers are drawn with six digits. A list in place of a mapping is a "
    "`choice`.\n\n"
    "    sweep:\n"
    "      - id: explore\n"
    "        random: {n: 64, seed: 7, sampler: sobol}\n"
    "        params:\n"
    "          SR: {loguniform: [0.05, 1.0]}\n"
    "          base_e: {int: [32, 128], step: 16}\n"
    "          pct3x3: {uniform: [0.1, 0.9], step: 0.1}\n"
    "          bypass: [none, simple]\n"
    "          optimizer: {choice: [sgd, adamw]}\n"
    "          beta2: {choice: [0.99, 0.999], when: optimizer == adamw}\n"
    "        exclude: [\"bypass == simple and SR < 0.1\"]\n\n";

static const char conditions[] =
    "## constraints and exclude\n\n"
    "Lists of conditions, checked before anything is trained. Every trial must fulfil all `constraints`; a "
    "trial that fulfils one of `exclude` is left out, that of a block only from this block. In blocks of "
    "grid, zip and list such trials stay in the results as skipped, with the condition; random blocks draw "
    "others in their place.\n\n"
    "A condition is made of names, numbers, texts, `true`, `false`; `<`, `<=`, `>`, `>=`, `=` (or `==`), "
    "`!=`, also in chains (`0.1 < SR <= 0.5`); `in [a, b]`, `not in`; `and`, `or`, `not`; `+`, `-`, `*`, "
    "`/`; parentheses. Numbers take the units % (hundredths), K, M, G (powers of 1000), KB, MB, GB, KiB, "
    "MiB, GiB (bytes), s, m, h, d and 1h30m (time). Bytes compare with bytes only, time with time, and "
    "numbers with %, K, M, G with counts and ratios only; numbers without a unit go with everything. So "
    "`model_bytes < 5M` and `macs < 5MiB` are errors, and `model_bytes < 5MB` is none. Texts "
    "stand in quotes, which plain words such as `simple` do not need. Metaparameters are unknown beside "
    "explicit `fires`; a comparison with something unknown does not hold, and `SR = null` asks for it. A "
    "quotient by zero or a number beyond all bounds is an error that names the point; `incr_e = 0 or base_e "
    "/ "
    "incr_e < 2` never divides by zero. `firesweep query --where` takes the same conditions over the columns "
    "of the query, where all keys and costs have the same names and a quotient by zero is unknown; only "
    "`train_s` is the measured time there, and the predicted one here, and `epochs` of trials are those "
    "done: "
    "`epochs_planned` are the recipe's. Accuracies are shares there, so "
    "`test_top1 > 20` is an error and `test_top1 > 20%` is none.\n\n"
    "    constraints: [\"model_bytes <= 5MiB\", \"macs < 200M and min_channels >= 4\"]\n"
    "    exclude: [\"bypass == complex and SR > 0.5\", \"freq in [3, 5]\", \"batch * accumulate > 1K\"]\n\n"
    "Names are all keys of `base` and `train`, and these:\n\n"
    "| name | unit | meaning |\n|---|---|---|\n";

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

static void costs_add(struct strbuf *out)
{
    static const char *const units[] = {
        [UNIT_ANY] = "", [UNIT_PLAIN] = "", [UNIT_BYTES] = "bytes", [UNIT_TIME] = "time"};
    int count;
    const struct cost_name *costs = conditions_costs(&count);
    for (int i = 0; i < count; i++)
        strbuf_printf(out, "| `%s` | %s | %s |\n", costs[i].name, units[costs[i].unit], costs[i].meaning);
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
    strbuf_puts(out, random_blocks);
    section_add(out, SECTION_RANDOM, "random", "", point);
    section_add(out, SECTION_PARAM, "params", "Each key has one distribution:", point);
    strbuf_puts(out, conditions);
    costs_add(out);
    section_add(out, SECTION_SEARCH, "search", "Described in docs/search.md.", point);
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
