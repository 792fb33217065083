/* Pages of the HTML report for tests: written into memory, and what they hold. Every function but
 * page_try_write fails the running test when something goes wrong. */
#ifndef TEST_PAGE_FIXTURE_H
#define TEST_PAGE_FIXTURE_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "results.h"

/* A page and what was said about it. */
struct page {
    char *text;
    size_t size;
    struct strbuf left_out;
    struct json_object *data;
};

enum status page_try_write(const struct results *r, const char *title, struct page *p, struct err *e);
struct page page_write(const struct results *r, const char *title); /* title NULL: the default one */
void page_release(struct page *p);

/* How often a text has a part. */
size_t occurrences(const char *text, const char *part);
void page_holds(const struct page *p, const char *part);
/* What no text may do to a page: end or begin an element, bring a script or an address from outside. */
void page_assert_contained(const struct page *p);

/* A member that is there. Borrowed, as all values below. */
struct json_object *json_member(struct json_object *object, const char *name);
/* Of a table of the page's data: its rows, and a row's value in a column. */
size_t page_rows(const struct page *p, const char *table);
struct json_object *page_value(const struct page *p, const char *table, size_t row, const char *column);
struct json_object *page_cell(struct json_object *table, size_t row, const char *column);
/* The numbers of a curve as html_epochs.c writes them; returns how many. */
size_t page_numbers(const char *text, int64_t out[256]);

/* Setup of a group about pages, not figures: there is nothing to draw with. */
int without_gnuplot(void **state);

#endif
