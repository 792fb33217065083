/* firesweep report: one page of HTML about a results database. */
#include "cli/commands.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/database.h"
#include "cli/output.h"
#include "report/html_page.h"
#include "report/table.h"

enum { OPTION_FILE = OPTION_OWN, OPTION_TITLE };

static const struct poptOption options[] = {
    {"output", 'o', POPT_ARG_STRING, NULL, OPTION_FILE,
     "The page (default: report.html); - writes it to standard output", "FILE"},
    {"title", '\0', POPT_ARG_STRING, NULL, OPTION_TITLE, "Heading of the page (default: the sweeps' names)",
     "TEXT"},
    POPT_TABLEEND};

/* A slip of the shell's completion must not replace results by a report. */
static enum status refuse_database(const char *db, const char *path, struct err *e)
{
    struct stat a, b;
    if (stat(db, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return err_set(e, ST_USAGE, "--output %.200s is the database itself, allowed is another file", path);
    return ST_OK;
}

static void print_left_out(const struct strbuf *lines)
{
    for (const char *line = lines->text; *line;) {
        const size_t n = strcspn(line, "\n");
        char text[1500];
        snprintf(text, sizeof text, "%.*s", (int)n, line);
        fputs("firesweep: ", stderr);
        table_print_escaped(stderr, text);
        fputc('\n', stderr);
        line += n + (line[n] == '\n');
    }
}

static enum status write_file(struct store *store, const struct html_options *o, const char *path,
                              struct strbuf *left_out, struct err *e)
{
    struct atomic_file file;
    enum status status = atomic_open(&file, path, e);
    if (status != ST_OK)
        return status;
    status = html_page_write(store, o, file.f, left_out, e);
    if (status == ST_OK)
        status = atomic_commit(&file, e);
    atomic_abort(&file);
    return status;
}

static enum status report_run(const struct args *a, struct err *e)
{
    const char *db = a->positional[0], *path = a->value[OPTION_FILE] ? a->value[OPTION_FILE] : "report.html";
    const struct html_options o = {.title = a->value[OPTION_TITLE], .version = FIRESWEEP_VERSION};
    const bool standard = strcmp(path, "-") == 0;
    struct store *store = NULL;
    struct strbuf left_out = STRBUF_INIT;
    enum status status = database_open(db, &store, e);
    if (status == ST_OK && !standard)
        status = refuse_database(db, path, e);
    if (status == ST_OK && standard)
        status = html_page_write(store, &o, stdout, &left_out, e);
    else if (status == ST_OK)
        status = write_file(store, &o, path, &left_out, e);
    store_close(store);
    print_left_out(&left_out);
    strbuf_release(&left_out);
    if (status != ST_OK)
        return err_prefix(e, "report");
    if (!standard)
        printf("%s\n", path);
    return output_flush(e);
}

const struct command command_report = {
    .name = "report",
    .summary = "One self-contained page of HTML: findings, figures, every trial and variant",
    .positionals = "DB",
    .positional_min = 1,
    .positional_max = 1,
    .description = "Writes one HTML file about a results database, to be opened in a browser, kept and "
                   "passed on: it needs no "
                   "network and no other file. It holds what was found (the best, the Pareto front, knees "
                   "and plateaus, effects), "
                   "the SqueezeNet paper's claims beside the measured series where there are any, the "
                   "figures that the spec asks "
                   "for and those that suit each block, a table of all trials that sorts and filters (\"SR < "
                   "0.5 and state = 'done'\", as "
                   "in query --where), and "
                   "for each variant its 24 hyperparameters, layers, seeds and learning curves; #variant-N "
                   "in the address opens "
                   "one. Without gnuplot only the figures are missing. The database is opened for reading, "
                   "also while a sweep "
                   "runs.",
    .examples = "  firesweep report results/quickstart.db\n"
                "  firesweep report results/fig3a.db -o fig3a.html --title 'Squeeze ratio'\n",
    .options = options,
    .run = report_run,
};
