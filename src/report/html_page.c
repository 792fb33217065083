/* The page as a whole: page.html with its marks replaced by the parts. */
#include "report/html_private.h"
#include "report/settings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static enum status write_style(struct html_page *p, struct err *e)
{
    (void)e;
    fputs(html_page_file("page.css"), p->out);
    return ST_OK;
}

static enum status write_nonce(struct html_page *p, struct err *e)
{
    (void)e;
    fputs(p->nonce, p->out);
    return ST_OK;
}

static enum status write_script(struct html_page *p, struct err *e)
{
    static const char *const files[] = {"filter.js",  "columns.js", "svg.js", "table.js",
                                        "variant.js", "explore.js", "page.js"};
    (void)e;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        fputs(html_page_file(files[i]), p->out);
    return ST_OK;
}

/* A mark {{name}} of page.html. */
static const struct {
    const char *name;
    html_part *write;
} parts[] = {
    {"title", html_title},       {"style", write_style},      {"nonce", write_nonce},
    {"overview", html_overview}, {"findings", html_findings}, {"paper", html_paper},
    {"figures", html_figures},   {"failures", html_failures}, {"specs", html_specs},
    {"data", html_data},         {"script", write_script},
};

static enum status write_part(struct html_page *p, const char *name, size_t n, struct err *e)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strlen(parts[i].name) == n && strncmp(parts[i].name, name, n) == 0)
            return parts[i].write(p, e);
    return err_set(e, ST_FAILED, "page.html has an unknown mark {{%.*s}}", (int)n, name);
}

static enum status write_parts(struct html_page *p, struct err *e)
{
    const char *rest = html_page_file("page.html");
    enum status status = ST_OK;
    while (status == ST_OK) {
        const char *mark = strstr(rest, "{{"), *end = mark ? strstr(mark, "}}") : NULL;
        if (!end)
            break;
        fwrite(rest, 1, (size_t)(mark - rest), p->out);
        status = write_part(p, mark + 2, (size_t)(end - mark - 2), e);
        rest = end + 2;
    }
    if (status == ST_OK)
        fputs(rest, p->out);
    return status;
}

/* Not to be guessed by whoever named a sweep. */
static enum status make_nonce(char out[33], struct err *e)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_errno(e, "cannot get a random number");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return ST_OK;
}

enum status html_page_write(struct store *s, const struct html_options *o, FILE *out, struct strbuf *left_out,
                            struct err *e)
{
    struct html_page p = {.store = s, .options = o, .out = out, .left_out = left_out};
    enum status status = make_nonce(p.nonce, e);
    p.data = open_memstream(&p.data_text, &p.data_size);
    if (!p.data)
        status = err_set(e, ST_NOMEM, "out of memory");
    if (status == ST_OK)
        status = store_read_begin(s, e);
    if (status == ST_OK)
        status = write_parts(&p, e);
    store_read_end(s);
    if (p.data)
        fclose(p.data);
    free(p.data_text);
    if (status == ST_OK && left_out->failed)
        status = err_set(e, ST_NOMEM, "out of memory");
    return status;
}

/* What the parts share */

enum status html_query_row(struct html_page *p, const char *sql, struct store_query **q, bool *row,
                           struct err *e)
{
    *row = false;
    enum status status = store_query_open(p->store, sql, q, e);
    return status == ST_OK ? store_query_next(*q, row, e) : status;
}

enum { COLUMNS_MOST = 64 };

/* Columns of a table whose rows are q's, for COLUMNS_MOST. */
static enum status query_columns(const struct html_table *h, const struct store_query *q,
                                 struct table_column *out, int *count, struct err *e)
{
    *count = store_query_columns(q);
    if (*count < h->count || *count > COLUMNS_MOST)
        return err_set(e, ST_FAILED, "a table of the report has other columns than its query");
    for (int i = 0; i < *count; i++) {
        const char *name = store_query_column(q, i);
        const bool minor = settings_hold(SETTINGS_VARIANT_MINOR "," SETTINGS_RECIPE_MINOR, name);
        out[i] = i < h->count ? h->columns[i]
                              : (struct table_column){.name = name,
                                                      .flags = TABLE_VARYING | (minor ? TABLE_MINOR : 0)};
    }
    return ST_OK;
}

static enum status query_rows(struct store_query *q, struct table *t, struct err *e)
{
    struct cell cells[COLUMNS_MOST];
    enum status status = ST_OK;
    for (bool row = true; status == ST_OK && row;) {
        status = store_query_next(q, &row, e);
        for (int i = 0; status == ST_OK && row && i < t->count; i++)
            cells[i] = store_query_cell(q, i);
        if (status == ST_OK && row)
            status = table_row(t, cells, e);
    }
    return status;
}

static enum status write_table(struct html_page *p, const struct html_table *h, struct table *t,
                               struct err *e)
{
    const bool many = h->fold_over > 0 && (size_t)t->rows > h->fold_over, folded = h->folded || many;
    fputs(folded ? "<details><summary><h3>" : "<h3>", p->out);
    html_text(p->out, h->heading);
    if (many)
        fprintf(p->out, " (%zu%s)", (size_t)t->rows, (size_t)t->rows == h->most ? " or more" : "");
    fputs(folded ? "</h3></summary>\n" : "</h3>\n", p->out);
    if (h->note) {
        fputs("<p>", p->out);
        html_text(p->out, h->note);
        fputs("</p>\n", p->out);
    }
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", p->out);
    html_text(p->out, h->heading);
    fputs("\">\n", p->out);
    enum status status = table_finish(t, e);
    fputs("</div>\n", p->out);
    if (h->after) {
        fputs("<p class=\"note\">", p->out);
        h->after(h->context, p->out);
        fputs("</p>\n", p->out);
    }
    fputs(folded ? "</details>\n" : "", p->out);
    return status;
}

enum status html_table_write(struct html_page *p, const struct html_table *h, size_t *rows, struct err *e)
{
    struct table t = {0};
    struct table_column columns[COLUMNS_MOST];
    struct store_query *q = NULL;
    int count = h->count;
    enum status status = h->sql ? store_query_open(p->store, h->sql, &q, e) : ST_OK;
    if (status == ST_OK && q)
        status = query_columns(h, q, columns, &count, e);
    if (status == ST_OK)
        status = table_init(&t, p->out, TABLE_HTML, q ? columns : h->columns, count, e);
    if (status == ST_OK)
        status = q ? query_rows(q, &t, e) : h->rows(h->context, &t, e);
    store_query_close(q);
    const size_t added = t.rows;
    const bool cut = h->all && added > h->most;
    t.rows = cut ? h->most : added;
    if (status == ST_OK && t.rows > 0)
        status = write_table(p, h, &t, e);
    if (status == ST_OK && cut)
        html_left_out(p, "%s: %zu of %zu rows are here; %s has all.", h->heading, h->most, added, h->all);
    if (rows)
        *rows = t.rows;
    table_release(&t);
    return status;
}

const char *html_duration(double s, char out[32])
{
    if (s < 100)
        snprintf(out, 32, "%.1f s", s);
    else if (s < 6000)
        snprintf(out, 32, "%.0f min", s / 60);
    else if (s < 48 * 3600.0)
        snprintf(out, 32, "%" PRId64 " h %02d min", (int64_t)(s / 3600), (int)(s / 60) % 60);
    else
        snprintf(out, 32, "%.1f days", s / 86400);
    return out;
}

void html_left_out(struct html_page *p, const char *format, ...)
{
    char text[1400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    strbuf_printf(p->left_out, "%s\n", text);
    fputs("<p class=\"missing\">", p->out);
    html_text(p->out, text);
    fputs("</p>\n", p->out);
}

void html_json_cell(FILE *out, struct cell c)
{
    if (c.type == CELL_INT)
        fprintf(out, "%" PRId64, c.i);
    else if (c.type == CELL_REAL && c.r - c.r == 0)
        fprintf(out, "%.6g", c.r);
    else if (c.type == CELL_TEXT)
        html_json(out, c.text);
    else
        fputs("null", out);
}
