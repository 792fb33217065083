#include "report/plot.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "report/figures.h"
#include "report/gnuplot.h"
#include "report/plot_report.h"
#include "report/plot_tasks.h"

/* A new kind of figure is a line here, a function in figures.h and a template of the same name in plots/. */
struct plot_kind {
    const char *name;
    enum status (*build)(struct store *s, const struct figure_request *r, struct figure *out,
                         char nothing[256], struct err *e);
    struct plot_defaults defaults;
    const char *summary;
};
static const struct plot_kind kinds[] = {
    {"curve",
     figure_curve,
     {"model_mib", "test_top1"},
     "accuracy against model size, the metaparameter on the upper axis, error bars over seeds"},
    {"learning", figure_learning, {"epoch", "val_top1"}, "accuracy per epoch, one line for each variant"},
    {"scatter",
     figure_scatter,
     {"model_mib", "test_top1"},
     "every trial as a dot, one column, or axis, against another"},
    {"pareto",
     figure_pareto,
     {"model_mib", "test_top1"},
     "variants that no smaller one equals, with the probability of that"},
    {"edf", figure_edf, {"test_top1", "share"}, "share of points with at most an accuracy"},
    {"heatmap", figure_heatmap, {"", "test_top1"}, "accuracy over two axes"},
    {"effects", figure_effects, {"", "test_top1"}, "what each axis does to the accuracy"},
    {"parallel",
     figure_parallel,
     {"", "test_top1"},
     "parallel coordinates: a line per point through all its axes"},
    {"timeline", figure_timeline, {"time", "row"}, "when each attempt ran, how it ended"},
    {"predicted",
     figure_predicted,
     {"train_s", "predicted_s"},
     "predicted against measured training time of every trial"},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds, USUAL_COUNT = 2 };

const char *plot_kind_name(size_t i)
{
    return i < KIND_COUNT ? kinds[i].name : NULL;
}

const char *plot_kind_summary(size_t i)
{
    return i < KIND_COUNT ? kinds[i].summary : NULL;
}

bool plot_kind_usual(size_t i)
{
    return i < USUAL_COUNT;
}

/* One plot_draw. */
struct drawing {
    struct store *store;
    const char *dir;
    struct gnuplot gnuplot; /* found missing: only data files from now on */
    struct plot_report *report;
    bool some;          /* several blocks, and an axis that not all of them need to have */
    struct err no_axis; /* of the first that lacks it */
};

/* ST_USAGE "`problem`; known are ...". */
static enum status kind_error(const char *problem, struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    for (size_t i = 0; i < KIND_COUNT; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", kinds[i].name);
    enum status status = err_set(e, ST_USAGE, "%s; known are %s", problem, known.text);
    strbuf_release(&known);
    return status;
}

/* NULL, and the error, for an unknown one. */
static const struct plot_kind *find_kind(const char *name, struct err *e)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    char problem[128];
    snprintf(problem, sizeof problem, "unknown kind of plot \"%.80s\"", name);
    kind_error(problem, e);
    return NULL;
}

/* Data first: it is there whatever becomes of the image. */
static enum status write_files(struct drawing *d, const struct plot_kind *kind, const struct figure *f,
                               const struct figure_request *request, struct err *e)
{
    struct plot_file *file = NULL;
    enum status status = dir_create(d->dir, e);
    if (status == ST_OK)
        status = plot_report_add(d->report, d->dir, kind->name, gnuplot_suffix(&d->gnuplot), &kind->defaults,
                                 request, &file, e);
    if (status != ST_OK || !file)
        return status;
    const char *figure = file->figure;
    file->figure = NULL;
    file->points = f->points;
    status = figure_save_data(f, file->data, e);
    if (status != ST_OK) {
        d->report->count--;
        return status;
    }
    if (d->gnuplot.missing)
        return ST_OK;
    status = gnuplot_draw(&d->gnuplot, kind->name, f, figure, e);
    if (status == ST_OK)
        file->figure = figure;
    return status;
}

/* An axis of the sweep's other blocks, or a mistake, which is an error once no block has it. */
static enum status skip_block(struct drawing *d, const struct plot_kind *kind,
                              const struct figure_request *request, const struct err *why, struct err *e)
{
    char reason[256];
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(why->text, ";"), why->text);
    if (!d->no_axis.text[0])
        d->no_axis = *why;
    return plot_report_skip(d->report, kind->name, request, reason, e);
}

static enum status draw_task(struct drawing *d, const struct plot_task *task, struct err *e)
{
    const struct plot_kind *kind = find_kind(task->kind, e);
    if (!kind)
        return ST_USAGE;
    struct figure f;
    char nothing[256] = "";
    figure_init(&f);
    struct err why = ERR_INIT;
    enum status status = kind->build(d->store, &task->figure, &f, nothing, &why);
    if (status == ST_OK && f.points == 0)
        status = plot_report_skip(d->report, kind->name, &task->figure, nothing, e);
    else if (status == ST_OK)
        status = write_files(d, kind, &f, &task->figure, e);
    else if (status == ST_USAGE && d->some)
        status = skip_block(d, kind, &task->figure, &why, e);
    else
        err_set(e, status, "sweep %s, block %s, %s: %s", task->figure.sweep, task->figure.name, kind->name,
                why.text);
    figure_release(&f);
    return status;
}

static enum status draw_all(struct drawing *d, const struct plot_tasks *tasks, struct err *e)
{
    enum status missing = ST_OK;
    for (size_t i = 0; i < tasks->count; i++) {
        bool was_missing = d->gnuplot.missing;
        enum status status = draw_task(d, &tasks->items[i], e);
        if (status != ST_OK && (was_missing || !d->gnuplot.missing))
            return status;
        missing = status != ST_OK ? status : missing;
    }
    if (missing != ST_OK)
        return missing;
    const struct plot_report *r = d->report;
    if (r->count > 0)
        return ST_OK;
    if (d->no_axis.text[0])
        return err_set(e, ST_USAGE, "%s", d->no_axis.text);
    if (r->skipped_count == 0)
        return err_set(e, ST_FAILED, "nothing to plot: the spec requests no figure of this block");
    return err_set(e, ST_FAILED, "nothing to plot yet: %s%s", r->skipped[0],
                   r->skipped_count > 1 ? ", and the same for all other figures" : "");
}

enum status plot_draw(struct store *s, const struct plot_options *o, struct plot_report *report,
                      struct err *e)
{
    struct plot_options spelt = *o;
    spelt.x = plot_axis_spelling(o->x);
    spelt.y = plot_axis_spelling(o->y);
    o = &spelt;
    struct drawing d = {.store = s, .dir = o->dir, .report = report};
    enum status status = gnuplot_init(&d.gnuplot, o->image, o->templates, e);
    if (status == ST_OK && o->kind)
        status = find_kind(o->kind, e) ? plot_check_columns(o->kind, o->x, o->y, e) : ST_USAGE;
    else if (status == ST_OK && (o->x || o->y))
        status = kind_error("columns belong to one kind of plot, so name it", e);
    if (status != ST_OK)
        return status;
    struct plot_tasks tasks;
    plot_tasks_init(&tasks);
    status = plot_tasks_collect(s, o, &tasks, e);
    d.some = (o->x || o->y) && tasks.count > 1;
    if (status == ST_OK)
        status = draw_all(&d, &tasks, e);
    plot_tasks_release(&tasks);
    return status;
}
