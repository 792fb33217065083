/* firesweep validate: all that is wrong with a spec. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "report/plot.h"
#include "sweep/space_notes.h"
#include "sweep/spec_problems.h"

enum { OPTION_NO_DATA = OPTION_OWN };

static const struct poptOption options[] = {{"no-data", '\0', POPT_ARG_NONE, NULL, OPTION_NO_DATA,
                                             "Leave the data alone: the spec is for another machine", NULL},
                                            OUTPUT_FORMAT_OPTION,
                                            POPT_TABLEEND};

struct validation {
    const char *path;
    struct spec_problems problems;
    bool data; /* looked at */
};

static const struct table_column columns[] = {
    {.name = "file"}, {.name = "line"}, {.name = "column"}, {.name = "problem"}};

static enum status rows(const void *context, struct table *t, struct err *e)
{
    const struct validation *v = context;
    enum status st = ST_OK;
    for (int i = 0; i < v->problems.count && st == ST_OK; i++) {
        const struct spec_problem *p = &v->problems.items[i];
        const struct cell cells[] = {
            cell_text(v->path),
            p->at.line ? cell_int(p->at.line) : cell_null(),
            p->at.line ? cell_int(p->at.column) : cell_null(),
            cell_text(p->text),
        };
        st = table_row(t, cells, e);
    }
    return st;
}

/* As compilers do, so that editors find the places. */
static void print_problems(const struct validation *v)
{
    for (int i = 0; i < v->problems.count; i++) {
        const struct spec_problem *p = &v->problems.items[i];
        table_print_escaped(stdout, v->path);
        int column = table_text_width(v->path);
        if (p->at.line)
            column += printf(":%d:%d", p->at.line, p->at.column);
        column += printf(": ");
        output_message(stdout, p->text, column);
        putchar('\n');
    }
    if (v->problems.count == 0) {
        table_print_escaped(stdout, v->path);
        printf(": fine: %d trial%s", v->problems.trials, v->problems.trials == 1 ? "" : "s");
        if (v->problems.excluded > 0)
            printf(", and %d left out by constraints or exclude", v->problems.excluded);
        puts(v->data ? "" : "; the data was not looked at");
    }
}

static void print_notes(const char *notes)
{
    char text[NOTE_TEXT];
    while (space_note_next(&notes, text)) {
        output_message(stdout, text, printf("Note: "));
        putchar('\n');
    }
}

static enum status note_rows(const void *context, struct table *t, struct err *e)
{
    const struct validation *v = context;
    return output_notes(v->problems.notes, t, e);
}

static enum status write_answer(const struct validation *v, const struct output *o, struct err *e)
{
    static const struct section sections[] = {
        {.name = "problems", SECTION_COLUMNS(columns), .rows = rows},
        {.name = "notes", .columns = &output_note_column, .count = 1, .rows = note_rows},
    };
    if (o->format != TABLE_TEXT)
        return output_sections(o, sections, 2, 0, v, e);
    print_problems(v);
    print_notes(v->problems.notes);
    return ST_OK;
}

static enum status validate_run(const struct args *a, struct err *e)
{
    struct output o;
    struct validation v = {.path = a->positional[0], .data = !a->value[OPTION_NO_DATA]};
    enum status st = output_init(&o, a, e);
    if (st != ST_OK)
        return err_prefix(e, "validate");
    st = spec_problems_find(v.path, v.data, plot_check, &v.problems, e);
    if (st == ST_OK)
        st = write_answer(&v, &o, e);
    const int count = v.problems.count;
    if (st == ST_OK && count > 0) {
        fflush(stdout); /* before the summary on standard error */
        st = err_set(e, ST_FAILED, "%s%d problem%s", v.problems.more ? "at least " : "", count,
                     count == 1 ? "" : "s");
    }
    spec_problems_release(&v.problems);
    return st == ST_OK ? ST_OK : err_prefix(e, "validate");
}

const struct command command_validate = {
    .name = "validate",
    .summary = "All that is wrong with a sweep spec, with positions",
    .positionals = "SPEC",
    .positional_min = 1,
    .positional_max = 1,
    .description = "Checks a sweep spec as `plan` and `run` would, but lists all problems rather than the "
                   "first, one a line: file:line:column: key: what is wrong, what is allowed. Every variant "
                   "is built, and must suit the data: size and colours of its images, number of its classes, "
                   "from the headers of its files. Conditions that leave nothing to train are a problem too, "
                   "which `plan` and `run` only tell of. The exit status is 0 when the spec "
                   "is fine, 1 when it has problems or cannot be read, 2 for wrong usage.",
    .examples = "  firesweep validate sweep.yaml\n"
                "  firesweep validate sweep.yaml --no-data --format json\n",
    .options = options,
    .run = validate_run,
};
