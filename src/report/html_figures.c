/* Figures: drawn by the plot code into a temporary folder, then put into the page as images of their own, so
 * that nothing in them can touch the page, and the paper's claims. */
#include "report/html_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "report/paper.h"
#include "report/paper_tables.h"
#include "report/plot.h"

/* What keeps the page small. */
enum { FIGURE_BYTES = 3 << 19, FIGURES_BYTES = 6 << 20, CURVE_ROWS = 200 };

/* A folder with all that is in it, for as long as figures are drawn. */
struct scratch {
    char path[512];
};

static enum status scratch_create(struct scratch *s, struct err *e)
{
    const char *parent = getenv("TMPDIR");
    const int n =
        snprintf(s->path, sizeof s->path, "%s/firesweep-report-XXXXXX", parent && *parent ? parent : "/tmp");
    if (n >= (int)sizeof s->path || !mkdtemp(s->path)) {
        s->path[0] = '\0';
        return err_errno(e, "no folder for temporary files in %.200s", parent && *parent ? parent : "/tmp");
    }
    return ST_OK;
}

static void scratch_remove(const struct scratch *s)
{
    DIR *folder = s->path[0] ? opendir(s->path) : NULL;
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0); /* "." and ".." stay */
    closedir(folder);
    rmdir(s->path);
}

static enum status write_svg(struct html_page *p, const char *path, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    enum status status = file_read(path, FIGURE_BYTES, &text, &n, e);
    if (status == ST_OK) {
        fputs("data:image/svg+xml,", p->out);
        html_uri(p->out, text, n);
    }
    mem_free(text);
    return status;
}

/* One figure of the page. */
struct image {
    const char *figure, *data; /* paths */
    const char *caption, *name;
    bool epochs; /* its data are learning curves */
};

/* The link to the data: to the number of the figure's own, or to what the page has of trials where that would
 * be too much. page.js makes the file. */
static enum status write_data(struct html_page *p, const struct image *i, struct err *e)
{
    bool taken = false;
    const enum status status = html_figure_data(p, i->data, &taken, e);
    if (status != ST_OK)
        return status;
    fputs(" <a class=\"csv\" download=\"", p->out);
    html_text(p->out, i->name);
    if (taken)
        fprintf(p->out, ".csv\" data-from=\"%d\">CSV</a>", p->figures - 1);
    else
        fprintf(p->out, ".csv\" data-from=\"%s\">CSV of all %s</a>", i->epochs ? "curves" : "trials",
                i->epochs ? "learning curves" : "trials");
    return ST_OK;
}

static enum status write_image(struct html_page *p, const struct image *i, struct err *e)
{
    fputs("<figure><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", p->out);
    html_text(p->out, i->caption);
    fputs("\"><img loading=\"lazy\" alt=\"", p->out);
    html_text(p->out, i->caption);
    fputs("\" src=\"", p->out);
    enum status status = write_svg(p, i->figure, e);
    fputs("\"></div>\n<figcaption>", p->out);
    html_text(p->out, i->caption);
    fputs(" <span class=\"files\"><a class=\"svg\" download=\"", p->out);
    html_text(p->out, i->name);
    fputs(".svg\">SVG</a>", p->out);
    if (status == ST_OK)
        status = write_data(p, i, e);
    fputs("</span></figcaption></figure>\n", p->out);
    return status;
}

static long long file_bytes(const char *path)
{
    FILE *f = fopen(path, "re");
    long long n = -1;
    if (f && fseeko(f, 0, SEEK_END) == 0)
        n = (long long)ftello(f);
    if (f)
        fclose(f);
    return n;
}

/* Name of a file without folder and suffix. */
static void name_of(const char *path, char *out, size_t n)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, n, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(out, '.');
    if (dot)
        *dot = '\0';
}

static enum status write_file(struct html_page *p, const struct plot_file *f, long long *used, struct err *e)
{
    char caption[512], name[256];
    if (!f->figure)
        return ST_OK;
    const long long bytes = file_bytes(f->figure);
    name_of(f->figure, name, sizeof name);
    snprintf(caption, sizeof caption, "%.100s, block %.100s: %.40s", f->sweep, f->block, f->kind);
    if (bytes > FIGURE_BYTES || *used + bytes > FIGURES_BYTES) {
        html_left_out(
            p, "Figure %.200s is left out: it would take %lld KiB of the page. firesweep plot draws it.",
            name, bytes / 1024);
        return ST_OK;
    }
    *used += bytes;
    const struct image image = {.figure = f->figure,
                                .data = f->data,
                                .epochs = strcmp(f->kind, "learning") == 0,
                                .caption = caption,
                                .name = name};
    return write_image(p, &image, e);
}

static bool same_block(const struct plot_file *a, const struct plot_file *b)
{
    return strcmp(a->sweep, b->sweep) == 0 && strcmp(a->block, b->block) == 0;
}

static bool is_first_of_block(const struct plot_report *r, size_t i)
{
    size_t first = 0;
    while (!same_block(&r->files[first], &r->files[i]))
        first++;
    return first == i;
}

/* What the specs ask for, what suits a block by its kind, and the front of every block. */
static enum status draw(struct html_page *p, const struct scratch *s, struct plot_report *r, struct err *e)
{
    struct plot_options o = {.dir = s->path, .image = "svg", .suiting = true};
    enum status status = plot_draw(p->store, &o, r, e);
    if (status != ST_OK)
        return status;
    struct err front = ERR_INIT;
    o.kind = "pareto"; /* a block without results has none */
    return plot_draw(p->store, &o, r, &front) == ST_NOMEM ? err_set(e, ST_NOMEM, "%s", front.text) : ST_OK;
}

/* Whatever keeps figures from being drawn, the page comes out and says so. */
static enum status note_missing(struct html_page *p, const char *what, enum status status,
                                const struct err *why)
{
    if (status == ST_NOMEM || status == ST_OK)
        return status;
    html_left_out(p, "%s: %s", what, why->text);
    return ST_OK;
}

enum status html_figures(struct html_page *p, struct err *e)
{
    struct scratch s = {""};
    struct plot_report r;
    struct err why = ERR_INIT;
    long long used = 0;
    plot_report_init(&r);
    enum status status = scratch_create(&s, &why);
    if (status == ST_OK)
        status = draw(p, &s, &r, &why);
    status = note_missing(p, "Figures are left out", status, &why);
    if (status == ST_NOMEM)
        err_set(e, status, "%s", why.text);
    fputs("<div class=\"figures\">\n", p->out);
    /* Block by block, as the first figures of the blocks come. */
    for (size_t i = 0; status == ST_OK && i < r.count; i++)
        for (size_t k = i; status == ST_OK && is_first_of_block(&r, i) && k < r.count; k++)
            if (same_block(&r.files[i], &r.files[k]))
                status = write_file(p, &r.files[k], &used, e);
    fputs("</div>\n", p->out);
    scratch_remove(&s);
    plot_report_release(&r);
    return status;
}

/* The paper */

static enum status write_paper_figures(struct html_page *p, struct paper *paper, struct err *e)
{
    struct scratch s = {""};
    const char *paths[PAPER_PATHS];
    int count = 0;
    struct err why = ERR_INIT;
    enum status status = scratch_create(&s, &why);
    if (status == ST_OK)
        status = paper_draw(paper, s.path, "svg", NULL, paths, &count, &why);
    status = note_missing(p, "The curves beside the paper's are left out", status, &why);
    if (status == ST_NOMEM)
        err_set(e, status, "%s", why.text);
    fputs("<div class=\"figures\">\n", p->out);
    for (int i = 0; status == ST_OK && i < count; i++) {
        char name[256], data[1024];
        const char *suffix = strrchr(paths[i], '.');
        if (!suffix || strcmp(suffix, ".svg") != 0)
            continue;
        name_of(paths[i], name, sizeof name);
        snprintf(data, sizeof data, "%.*s.csv", (int)(suffix - paths[i]), paths[i]);
        const struct image image = {.figure = paths[i],
                                    .data = data,
                                    .caption =
                                        "Points gained over the smallest value, beside Figure 3 of the paper",
                                    .name = name};
        status = write_image(p, &image, e);
    }
    fputs("</div>\n", p->out);
    scratch_remove(&s);
    return status;
}

static enum status write_paper(struct html_page *p, struct paper *paper, struct err *e)
{
    struct html_table tables[] = {
        {.heading = "Claims of the paper",
         .rows = paper_claim_rows,
         .after = paper_claim_note,
         .context = paper},
        {.heading = "Measured series", .rows = paper_series_rows, .context = paper, .folded = true},
        {.heading = "Measured accuracy beside the paper's",
         .rows = paper_curve_rows,
         .after = paper_curve_note,
         .context = paper,
         .folded = true,
         .most = CURVE_ROWS,
         .all = "firesweep paper"},
    };
    tables[0].columns = paper_claim_columns(&tables[0].count);
    tables[1].columns = paper_series_columns(&tables[1].count);
    tables[2].columns = paper_curve_columns(&tables[2].count);
    fputs("<section id=\"paper\" aria-labelledby=\"paper-heading\"><h2 id=\"paper-heading\">Beside the "
          "SqueezeNet "
          "paper</h2>\n<p>Series of this database that vary only SR, pct3x3 or bypass, beside Iandola et "
          "al., 2016 "
          "(arXiv:1602.07360).</p>\n",
          p->out);
    enum status status = html_table_write(p, &tables[0], NULL, e);
    if (status == ST_OK)
        status = write_paper_figures(p, paper, e);
    for (int i = 1; status == ST_OK && i < 3; i++)
        status = html_table_write(p, &tables[i], NULL, e);
    fputs("</section>\n", p->out);
    return status;
}

enum status html_paper(struct html_page *p, struct err *e)
{
    struct paper paper;
    paper_init(&paper);
    enum status status = paper_load(&paper, p->store, e);
    if (status == ST_OK && paper.count > 0)
        status = write_paper(p, &paper, e);
    paper_release(&paper);
    return status;
}
