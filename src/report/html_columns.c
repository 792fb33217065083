#include "report/html_columns.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "report/html.h"
#include "report/lookup.h"

/* The values of one column, and which one each row has. */
struct html_column {
    const char **of;
    uint32_t *at;
    size_t count, of_capacity, rows, at_capacity;
    size_t once, all; /* bytes of the values, each once, and of every row's */
    struct lookup known;
};

struct html_columns {
    int count, next; /* the column of the next cell */
    struct html_column *columns;
    FILE *cell;
    char *text;
    size_t size;
    struct arena arena;
};

char html_columns_digit(unsigned value)
{
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value & 63];
}

struct html_columns *html_columns_create(int count)
{
    struct html_columns *t = mem_calloc(1, sizeof *t);
    if (!t)
        return NULL;
    arena_init(&t->arena);
    t->count = count;
    t->columns = mem_calloc((size_t)count, sizeof *t->columns);
    t->cell = t->columns ? open_memstream(&t->text, &t->size) : NULL;
    if (t->cell)
        return t;
    html_columns_free(t);
    return NULL;
}

void html_columns_free(struct html_columns *t)
{
    if (!t)
        return;
    for (int i = 0; t->columns && i < t->count; i++) {
        mem_free(t->columns[i].of);
        mem_free(t->columns[i].at);
    }
    if (t->cell)
        fclose(t->cell);
    free(t->text); /* of open_memstream */
    arena_release(&t->arena);
    mem_free(t->columns);
    mem_free(t);
}

FILE *html_columns_cell(struct html_columns *t)
{
    rewind(t->cell);
    return t->cell;
}

/* Number of the value in its column, LOOKUP_NONE if it is new. */
static size_t find(const struct html_column *c, uint64_t hash, const char *value, size_t n)
{
    struct lookup_walk walk = {0};
    size_t i;
    while ((i = lookup_next(&c->known, hash, &walk)) != LOOKUP_NONE)
        if (strlen(c->of[i]) == n && memcmp(c->of[i], value, n) == 0)
            return i;
    return LOOKUP_NONE;
}

/* Room for one more of both lists. */
static bool reserve(struct html_column *c)
{
    if (c->count == c->of_capacity) {
        const size_t capacity = c->of_capacity ? 2 * c->of_capacity : 16;
        const char **of = mem_realloc(c->of, capacity, sizeof *of);
        if (!of)
            return false;
        c->of = of;
        c->of_capacity = capacity;
    }
    if (c->rows == c->at_capacity) {
        const size_t capacity = c->at_capacity ? 2 * c->at_capacity : 64;
        uint32_t *at = mem_realloc(c->at, capacity, sizeof *at);
        if (!at)
            return false;
        c->at = at;
        c->at_capacity = capacity;
    }
    return true;
}

static bool take(struct html_columns *t, struct html_column *c, size_t n)
{
    const uint64_t hash = hash_bytes(t->text, n);
    if (!reserve(c))
        return false;
    size_t i = find(c, hash, t->text, n);
    if (i == LOOKUP_NONE) {
        i = c->count;
        c->of[i] = arena_strndup(&t->arena, t->text, n);
        if (!c->of[i] || !lookup_put(&c->known, &t->arena, hash, i))
            return false;
        c->count++;
        c->once += n + 1;
    }
    c->at[c->rows++] = (uint32_t)i;
    c->all += n + 1;
    return true;
}

enum status html_columns_end(struct html_columns *t, struct err *e)
{
    const long n = fflush(t->cell) == 0 ? ftell(t->cell) : -1;
    if (n < 0 || !take(t, &t->columns[t->next], (size_t)n))
        return err_set(e, ST_NOMEM, "out of memory");
    t->next = (t->next + 1) % t->count;
    return ST_OK;
}

/* Digits that a number of the column takes; 0: its rows are written out, or have all the same value. */
static size_t digits(const struct html_column *c)
{
    size_t n = 1;
    for (size_t most = 64; most < c->count; most *= 64)
        n++;
    return c->count <= 1 || c->once + n * c->rows + sizeof "\"at\":\"\"" >= c->all ? 0 : n;
}

size_t html_columns_bytes(const struct html_columns *t)
{
    size_t bytes = 0;
    for (int i = 0; i < t->count; i++) {
        const struct html_column *c = &t->columns[i];
        const size_t n = digits(c);
        bytes += sizeof "{\"of\":[],\"at\":\"\"}" + (n > 0 || c->count <= 1 ? c->once + n * c->rows : c->all);
    }
    return bytes;
}

static void write_column(const struct html_column *c, FILE *out)
{
    const size_t n = digits(c), values = n > 0 || c->count <= 1 ? c->count : c->rows;
    fputs("{\"of\":[", out);
    for (size_t i = 0; i < values; i++)
        fprintf(out, "%s%s", i ? "," : "", c->of[n > 0 || c->count <= 1 ? i : c->at[i]]);
    fputs(n > 0 ? "],\"at\":\"" : "]}", out);
    for (size_t row = 0; n > 0 && row < c->rows; row++)
        for (size_t k = n; k-- > 0;)
            fputc(html_columns_digit(c->at[row] >> 6 * k), out);
    fputs(n > 0 ? "\"}" : "", out);
}

void html_columns_write(const struct html_columns *t, const char *const *names, FILE *out)
{
    fputs("{\"columns\":[", out);
    for (int i = 0; i < t->count; i++) {
        fputs(i ? "," : "", out);
        html_json(out, names[i]);
    }
    fprintf(out, "],\"rows\":%zu,\"values\":[", t->columns[0].rows);
    for (int i = 0; i < t->count; i++) {
        fputs(i ? ",\n" : "\n", out);
        write_column(&t->columns[i], out);
    }
    fputs("]}", out);
}
