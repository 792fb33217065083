#include "cli/manual.h"

#include <stdbool.h>
#include <string.h>

#include "cli/commands.h"

#define MANUAL_DATE "2026-11-28" /* of the texts in this file */

/* Text as it stands: nothing in it is taken for roff. `marked`: `words` between backquotes are bold. */
static void text_write(FILE *out, const char *text, bool marked)
{
    bool line_start = true, bold = false;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        line_start = *text == '\n';
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\'')
            fputs("\\(aq", out);
        else if (*text == '~')
            fputs("\\(ti", out);
        else if (*text == '^')
            fputs("\\(ha", out);
        else if (*text == '`' && marked)
            fputs((bold = !bold) ? "\\fB" : "\\fR", out);
        else
            fputc(*text, out);
    }
}

static void bold_write(FILE *out, const char *text)
{
    fputs("\\fB", out);
    text_write(out, text, false);
    fputs("\\fR", out);
}

static void paragraph_write(FILE *out, const char *text)
{
    text_write(out, text, true);
    fputc('\n', out);
}

static void option_write(FILE *out, const struct poptOption *o)
{
    fputs(".TP\n", out);
    if (o->shortName)
        fprintf(out, "\\fB\\-%c\\fR, ", o->shortName);
    fputs("\\fB\\-\\-", out);
    text_write(out, o->longName, false);
    fputs("\\fR", out);
    if (o->argDescrip) {
        fputs("=\\fI", out);
        text_write(out, o->argDescrip, false);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    paragraph_write(out, o->descrip);
}

/* Lines without their indentation, which the macro gives. */
static void examples_write(FILE *out, const char *examples)
{
    fputs(".PP\n.nf\n.RS 4\n", out);
    while (*examples) {
        char line[512];
        const size_t n = strcspn(examples, "\n"), indent = strspn(examples, " ");
        snprintf(line, sizeof line, "%.*s", n > indent ? (int)(n - indent) : 0, examples + indent);
        paragraph_write(out, line);
        examples += n + (examples[n] == '\n');
    }
    fputs(".RE\n.fi\n", out);
}

static void command_write(FILE *out, const struct command *c)
{
    fprintf(out, ".SS %s\n", c->name);
    bold_write(out, "firesweep ");
    bold_write(out, c->name);
    fputs(" [\\fIOPTION\\fR...]", out);
    if (c->positionals) {
        fputs(" \\fI", out);
        text_write(out, c->positionals, false);
        fputs("\\fR", out);
    }
    fputs("\n.PP\n", out);
    paragraph_write(out, c->description);
    for (const struct poptOption *o = c->options; o->longName; o++)
        option_write(out, o);
    examples_write(out, c->examples);
}

static void items_write(FILE *out, const char *const (*items)[2])
{
    for (; (*items)[0]; items++) {
        fputs(".TP\n", out);
        bold_write(out, (*items)[0]);
        fputc('\n', out);
        paragraph_write(out, (*items)[1]);
    }
}

static void tail_write(FILE *out)
{
    static const char *const status[][2] = {
        {"0", "The command did what it was asked for."},
        {"1", "It failed: a file, the data, training, or what was checked; the reason is on standard error. "
              "`run` also "
              "when trials failed or it was interrupted, with everything saved."},
        {"2",
         "Wrong usage: the command line, a spec where a database is wanted or the other way round, or what a "
         "spec says. `validate`, which finds what is wrong with a spec, reports that with 1."},
        {NULL, NULL},
    };
    static const char *const environment[][2] = {
        {"FIRESWEEP_ISA",
         "Kernels to use in place of the fastest the processor has: `generic`, `avx2` or `avx512`."},
        {"FIRESWEEP_PAGER, PAGER",
         "Program that shows the long answers of `plan`, `query` and `status` on a terminal, the first that "
         "is set; empty or `cat`: none. Default: `less`, with the options FRX unless LESS is set."},
        {"FIRESWEEP_TEMPLATES", "Folder of gnuplot templates, as `--templates` of `plot`."},
        {"NO_COLOR", "Not empty: the progress display uses no colours."},
        {"TERM", "`dumb` or not set: plain lines of progress in place of the display."},
        {"XDG_CACHE_HOME", "Folder that keeps what `plan --calibrate` measured (default: ~/.cache)."},
        {NULL, NULL},
    };
    static const char *const files[][2] = {
        {"results/NAME.db", "Results database of the sweep NAME (SQLite), unless `--db` says otherwise."},
        {"results/NAME.checkpoints/", "Checkpoints of its trials (safetensors)."},
        {"results/NAME.logs/", "Logs of its attempts."},
        {NULL, NULL},
    };
    fputs(".SH EXIT STATUS\n", out);
    items_write(out, status);
    fputs(".SH ENVIRONMENT\n", out);
    items_write(out, environment);
    fputs(".SH FILES\n", out);
    items_write(out, files);
    fputs(".SH SEE ALSO\n.BR gnuplot (1),\n.BR sqlite3 (1)\n.PP\n", out);
    paragraph_write(out, "F. N. Iandola et al., SqueezeNet, arXiv:1602.07360, 2016.");
}

void manual_write(FILE *out, const char *version)
{
    fprintf(out,
            ".\\\" Written by `firesweep --man`.\n.TH FIRESWEEP 1 %s \"firesweep %s\" \"User Commands\"\n",
            MANUAL_DATE, version);
    fputs(".SH NAME\nfiresweep \\- explore the design space of SqueezeNet\\-like networks on CPUs\n"
          ".SH SYNOPSIS\n\\fBfiresweep\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
          ".SH DESCRIPTION\n",
          out);
    paragraph_write(
        out, "How small can a SqueezeNet-like network get before its accuracy drops? firesweep reads a "
             "sweep spec (YAML), derives every variant's layers from a handful of metaparameters, says "
             "what each costs, trains and evaluates all of them, keeps the results in an SQLite database, "
             "and draws figures.");
    fputs(".PP\n", out);
    paragraph_write(
        out,
        "Reading commands take `--format` table, csv, json or markdown. In JSON a command with several parts "
        "gives an object with one key per part, each an array of rows, or an object for a "
        "part of one row; a command with one part gives that. Keys are the names of the CSV's "
        "columns, units stand in them, and what is unknown is null.");
    fputs(".SH COMMANDS\n", out);
    for (const struct command *const *c = commands_all(); *c; c++)
        command_write(out, *c);
    tail_write(out);
}
