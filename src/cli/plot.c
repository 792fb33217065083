/* firesweep plot: figures from a results database. */
#include "cli/commands.h"
#include "cli/database.h"

#include <stdio.h>
#include <unistd.h>

#include "report/plot.h"
#include "report/table.h"

enum { OPTION_DIR = OPTION_OWN, OPTION_IMAGE, OPTION_BLOCK, OPTION_X, OPTION_Y, OPTION_TEMPLATES };

static const struct poptOption options[] = {
    {"output", 'o', POPT_ARG_STRING, NULL, OPTION_DIR,
     "Folder for the figures, made if missing (default: plots)", "DIR"},
    {"image", '\0', POPT_ARG_STRING, NULL, OPTION_IMAGE, "svg (default), png or pdf", "FORMAT"},
    {"block", '\0', POPT_ARG_STRING, NULL, OPTION_BLOCK, "Only this block; of several sweeps: SWEEP/ID",
     "ID"},
    {"x", '\0', POPT_ARG_STRING, NULL, OPTION_X,
     "Column on the horizontal axis; curve, scatter, heatmap: or an axis of the block", "COLUMN"},
    {"y", '\0', POPT_ARG_STRING, NULL, OPTION_Y,
     "Column on the vertical axis; effects, parallel: what is averaged; heatmap: the axis up, or what is "
     "averaged",
     "COLUMN"},
    {"templates", '\0', POPT_ARG_STRING, NULL, OPTION_TEMPLATES, "Folder of changed gnuplot templates",
     "DIR"},
    POPT_TABLEEND};

static void print_path(const char *path)
{
    if (isatty(STDOUT_FILENO))
        table_print_escaped(stdout, path);
    else
        fputs(path, stdout);
    putchar('\n');
}

/* One path a line on standard output, for other programs; what could not be drawn on standard error. */
static void print_report(const struct plot_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->files[i].figure)
            print_path(r->files[i].figure);
        if (r->files[i].data)
            print_path(r->files[i].data);
    }
    for (size_t i = 0; i < r->skipped_count; i++) {
        fputs("not drawn: ", stderr);
        table_print_escaped(stderr, r->skipped[i]);
        fputc('\n', stderr);
    }
}

static enum status plot_run(const struct args *a, struct err *e)
{
    const struct plot_options plot = {
        .kind = a->positional[1],
        .block = a->value[OPTION_BLOCK],
        .dir = a->value[OPTION_DIR] ? a->value[OPTION_DIR] : "plots",
        .image = a->value[OPTION_IMAGE],
        .x = a->value[OPTION_X],
        .y = a->value[OPTION_Y],
        .templates = a->value[OPTION_TEMPLATES],
    };
    struct store *store = NULL;
    struct plot_report report;
    plot_report_init(&report);
    enum status st = database_open(a->positional[0], &store, e);
    if (st == ST_OK) {
        st = plot_draw(store, &plot, &report, e);
        print_report(&report);
    }
    plot_report_release(&report);
    store_close(store);
    return st == ST_OK ? ST_OK : err_prefix(e, "plot");
}

const struct command command_plot = {
    .name = "plot",
    .summary = "Figures from a results database, with gnuplot",
    .positionals = "DB [KIND]",
    .positional_min = 1,
    .positional_max = 2,
    .description =
        "Draws each block's figures and writes the data of each beside it as CSV. KIND is curve "
        "(accuracy against model size or another column), learning (validation accuracy over "
        "epochs), scatter (a dot per trial), pareto (the front and how sure it is), edf "
        "(distribution of the accuracy), heatmap (two axes: --x and --y choose them), effects (each axis), "
        "parallel "
        "(parallel coordinates), timeline (attempts over time) or predicted (predicted against "
        "measured time of training, on this machine); without it: what the sweep's "
        "spec asks for under `plots`, or curve and learning. Prints the paths of what was written.",
    .examples = "  firesweep plot results/quickstart.db\n"
                "  firesweep plot results/quickstart.db curve --x macs --image pdf -o figures\n"
                "  firesweep plot results/explore.db heatmap --x lr --y SR\n",
    .options = options,
    .run = plot_run,
};
