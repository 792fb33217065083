#include "page_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cmocka_all.h"
#include "report/html.h"
#include "report/html_private.h"

enum status page_try_write(const struct results *r, const char *title, struct page *p, struct err *e)
{
    struct store *s = NULL;
    *p = (struct page){.left_out = STRBUF_INIT};
    FILE *out = open_memstream(&p->text, &p->size);
    assert_non_null(out);
    enum status status = store_open_readonly(results_path(r), &s, e);
    const struct html_options o = {.title = title, .version = "1.2.3"};
    if (status == ST_OK)
        status = html_page_write(s, &o, out, &p->left_out, e);
    store_close(s);
    assert_int_equal(fclose(out), 0);
    return status;
}

void page_release(struct page *p)
{
    free(p->text);
    strbuf_release(&p->left_out);
    json_object_put(p->data);
}

/* The JSON of the page. */
static struct json_object *data_of(const struct page *p)
{
    static const char start[] = "<script type=\"application/json\" id=\"data\">";
    const char *from = strstr(p->text, start);
    assert_non_null(from);
    from = from ? from + strlen(start) : "";
    const char *to = strstr(from, "</script>");
    assert_non_null(to);
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *data = json_tokener_parse_ex(tokener, from, to ? (int)(to - from) : 0);
    if (!data)
        fail_msg("%s", json_tokener_error_desc(json_tokener_get_error(tokener)));
    json_tokener_free(tokener);
    return data;
}

struct page page_write(const struct results *r, const char *title)
{
    struct page p;
    struct err e = ERR_INIT;
    if (page_try_write(r, title, &p, &e) != ST_OK)
        fail_msg("%s", e.text);
    p.data = data_of(&p);
    return p;
}

size_t occurrences(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

void page_holds(const struct page *p, const char *part)
{
    if (!strstr(p->text, part))
        fail_msg("the page does not hold \"%s\"", part);
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = json_object_object_get(object, name);
    assert_non_null(value);
    return value;
}

size_t page_rows(const struct page *p, const char *table)
{
    return (size_t)json_object_get_int(json_member(json_member(p->data, table), "rows"));
}

static unsigned digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    assert_true(at && *at);
    return (unsigned)(at - digits);
}

/* A row's value in a column as html_columns.h says. */
static struct json_object *decoded(struct json_object *column, size_t rows, size_t row)
{
    struct json_object *of = json_member(column, "of"), *at = json_object_object_get(column, "at");
    size_t i = json_object_array_length(of) == 1 ? 0 : row;
    if (at) {
        const char *text = json_object_get_string(at);
        const size_t width = strlen(text) / rows;
        i = 0;
        for (size_t k = 0; k < width; k++)
            i = 64 * i + digit(text[row * width + k]);
    }
    return json_object_array_get_idx(of, i);
}

/* Value of a column in a row of a table. */
struct json_object *page_cell(struct json_object *table, size_t row, const char *column)
{
    struct json_object *columns = json_member(table, "columns"),
                       *values = json_object_object_get(table, "values");
    for (size_t i = 0; i < json_object_array_length(columns); i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(columns, i)), column) == 0)
            return values ? decoded(json_object_array_get_idx(values, i),
                                    (size_t)json_object_get_int(json_member(table, "rows")), row)
                          : json_object_array_get_idx(
                                json_object_array_get_idx(json_member(table, "rows"), row), i);
    fail_msg("no column %s", column);
    return NULL;
}

struct json_object *page_value(const struct page *p, const char *table, size_t row, const char *column)
{
    return page_cell(json_member(p->data, table), row, column);
}

size_t page_numbers(const char *text, int64_t out[256])
{
    size_t n = 0;
    int64_t value = 0;
    while (*text && n < 256) {
        uint64_t bits = 0;
        for (unsigned shift = 0;; shift += 5) {
            const unsigned d = digit(*text++);
            bits |= (uint64_t)(d & 31) << shift;
            if (d < 32)
                break;
        }
        value += bits & 1 ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
        out[n++] = value;
    }
    return n;
}

void page_assert_contained(const struct page *p)
{
    assert_int_equal(occurrences(p->text, "<script"), 2);
    assert_int_equal(occurrences(p->text, "</script"), 2);
    assert_int_equal(occurrences(p->text, "<style"), 1);
    assert_int_equal(occurrences(p->text, "</html>"), 1);
    assert_int_equal(occurrences(p->text, "<!--"), 0);
    assert_int_equal(occurrences(p->text, "<img"), occurrences(p->text, "<img loading=\"lazy\" alt=\""));
    assert_null(strstr(p->text, "src=\"http"));
    assert_null(strstr(p->text, "href=\"http"));
    assert_null(strstr(p->text, "url("));
    assert_null(strstr(p->text, "@import"));
}

int without_gnuplot(void **state)
{
    (void)state;
    return setenv("PATH", "/nonexistent", 1);
}
