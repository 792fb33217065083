#include "sweep/spec_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "sweep/spec_error.h"
#include "sweep/suggest.h"

const struct node *given_value(const struct given *g, enum section section, const char *key)
{
    return g->value[field_index(field_find(section, key))];
}

enum status reader_no_memory(const struct reader *r)
{
    return err_set(r->e, ST_NOMEM, "%s: out of memory", r->spec->path);
}

enum status reader_fail(const struct reader *r, struct mark at, const char *prefix, const char *key,
                        const char *format, ...)
{
    char path[256], text[900];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(path, sizeof path, "%s%s%s", prefix ? prefix : "", prefix && key ? "." : "", key ? key : "");
    return spec_error(r->e, r->spec->path, at, path[0] ? path : NULL, "%s", text);
}

static bool node_is_null(const struct node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; node->kind == NODE_SCALAR && node->plain && i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(node->text, nulls[i]) == 0)
            return true;
    return false;
}

/* "a mapping, but " ...: what a node is, for messages. */
static const char *node_describe(const struct node *node)
{
    return node_is_null(node)            ? "nothing (null)"
           : node->kind == NODE_SCALAR   ? "a single value"
           : node->kind == NODE_SEQUENCE ? "a list"
                                         : "a mapping";
}

enum status reader_expect(const struct reader *r, const struct node *node, enum node_kind kind,
                          const char *prefix, const char *key, const char *what)
{
    if (node->kind != kind)
        return reader_fail(r, node->mark, prefix, key, "%s where %s is needed", node_describe(node), what);
    if (kind != NODE_SCALAR && node->count == 0)
        return reader_fail(r, node->mark, prefix, key, "is empty, allowed: %s", what);
    return ST_OK;
}

const char *node_word(const struct node *mapping, const char *key)
{
    for (const struct node_item *item = mapping->kind == NODE_MAPPING ? mapping->items : NULL; item;
         item = item->next)
        if (strcmp(item->key->text, key) == 0)
            return item->value->kind == NODE_SCALAR ? item->value->text : NULL;
    return NULL;
}

/* "a mapping of epochs, batch, ...": what an empty section can hold. */
static const char *keys_list(enum section section, char out[SUGGEST_LIST])
{
    const char *known[FIELDS_MAX];
    char list[SUGGEST_LIST];
    int count = 0;
    for (size_t i = 0; i < field_count(); i++)
        if (field_in(field_at(i), section))
            known[count++] = field_at(i)->key;
    snprintf(out, SUGGEST_LIST, "a mapping of %.480s", suggest_list(known, count, "", list));
    return out;
}

enum status section_scan(const struct reader *r, const struct node *node, enum section section,
                         const char *prefix, struct given *out)
{
    char keys[SUGGEST_LIST];
    const bool empty = node->kind == NODE_MAPPING && node->count == 0;
    memset(out, 0, sizeof *out);
    enum status st =
        reader_expect(r, node, NODE_MAPPING, prefix, NULL, empty ? keys_list(section, keys) : "a mapping");
    if (st != ST_OK)
        return st;
    for (const struct node_item *item = node->items; item; item = item->next) {
        const struct field *f = field_find(section, item->key->text);
        if (!f) {
            char text[800];
            field_unknown(section, item->key->text, text, sizeof text);
            return reader_fail(r, item->key->mark, prefix, NULL, "%s", text);
        }
        size_t i = field_index(f);
        if (out->key[i])
            return reader_fail(r, item->key->mark, prefix, f->key, "is given twice, first in line %d",
                               out->key[i]->mark.line);
        out->key[i] = item->key;
        out->value[i] = item->value;
    }
    for (size_t i = 0; i < field_count(); i++) {
        const struct field *f = field_at(i);
        char allowed[256];
        if (f->required && field_in(f, section) && !out->key[i])
            return reader_fail(r, node->mark, prefix, f->key, "is missing, allowed: %s",
                               field_allowed(f, allowed, sizeof allowed));
    }
    return ST_OK;
}

/* Joins the places of a list of pools. */
static enum status pools_text(struct reader *r, const struct field *f, const struct node *node,
                              const char *prefix, struct strbuf *out)
{
    for (const struct node_item *item = node->items; item; item = item->next) {
        unsigned pools;
        const char *place = item->value->kind == NODE_SCALAR ? item->value->text : "";
        char quoted[QUOTED_TEXT], allowed[256];
        if (strpbrk(place, ", ") || strcmp(place, "none") == 0 || !pools_parse(place, &pools))
            return reader_fail(r, item->value->mark, prefix, f->key, "%s is no pool place, allowed: %s",
                               text_quote(place, quoted), field_allowed(f, allowed, sizeof allowed));
        strbuf_printf(out, "%s%s", item == node->items ? "" : ",", place);
    }
    if (node->count == 0)
        strbuf_puts(out, "none");
    return ST_OK;
}

/* Appends "s1x1/e1x1/e3x3". */
static enum status fire_text(struct reader *r, const struct field *f, const struct node *node,
                             const char *prefix, struct strbuf *out)
{
    char quoted[QUOTED_TEXT];
    if (node->kind != NODE_SEQUENCE || node->count != 3)
        return reader_fail(r, node->mark, prefix, f->key, "a Fire is a list [s1x1, e1x1, e3x3]");
    for (const struct node_item *item = node->items; item; item = item->next) {
        int64_t width;
        const char *text = item->value->kind == NODE_SCALAR && item->value->plain ? item->value->text : "";
        if (!num_parse_int(text, &width) || width < 0 || width > (int64_t)f->max)
            return reader_fail(r, item->value->mark, prefix, f->key,
                               "%s is no number of filters, allowed: a whole number from 0 to %.0f",
                               text_quote(text, quoted), f->max);
        strbuf_printf(out, "%s%d", item == node->items ? "" : "/", (int)width);
    }
    return ST_OK;
}

static enum status fires_text(struct reader *r, const struct field *f, const struct node *node,
                              const char *prefix, struct strbuf *out)
{
    if (node->count != FIRE_COUNT)
        return reader_fail(r, node->mark, prefix, f->key,
                           "has %d entries, allowed: %d, one [s1x1, e1x1, e3x3] per Fire", node->count,
                           FIRE_COUNT);
    enum status st = ST_OK;
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next) {
        if (item != node->items)
            strbuf_putc(out, ',');
        st = fire_text(r, f, item->value, prefix, out);
    }
    return st;
}

static enum status list_text(struct reader *r, const struct field *f, const struct node *node,
                             const char *prefix, const char **out)
{
    struct strbuf text = STRBUF_INIT;
    enum status st = f->kind == FIELD_POOLS ? pools_text(r, f, node, prefix, &text)
                                            : fires_text(r, f, node, prefix, &text);
    if (st == ST_OK) {
        *out = text.failed ? NULL : arena_strdup(&r->nodes, text.text);
        st = *out ? ST_OK : reader_no_memory(r);
    }
    strbuf_release(&text);
    return st;
}

/* Are quotes wrong around a value of this kind? A quoted number is a text, as in every YAML reader. */
static bool kind_is_unquoted(enum field_kind kind)
{
    return kind == FIELD_INT || kind == FIELD_INT_OR_AUTO || kind == FIELD_SEED || kind == FIELD_REAL ||
           kind == FIELD_BOOL;
}

enum status node_text(struct reader *r, const struct field *f, const struct node *node, const char *prefix,
                      const char **out)
{
    char allowed[256], quoted[QUOTED_TEXT];
    if (node->kind == NODE_SEQUENCE && (f->kind == FIELD_POOLS || f->kind == FIELD_FIRES))
        return list_text(r, f, node, prefix, out);
    field_allowed(f, allowed, sizeof allowed);
    if (node->kind != NODE_SCALAR || node_is_null(node))
        return reader_fail(r, node->mark, prefix, f->key, "%s where one value is needed, allowed: %s",
                           node_describe(node), allowed);
    if (!node->plain && kind_is_unquoted(f->kind))
        return reader_fail(r, node->mark, prefix, f->key, "%s is a text because of its quotes, allowed: %s",
                           text_quote(node->text, quoted), allowed);
    *out = node->text;
    return ST_OK;
}

/* Puts "path:line:column: prefix.key: " before the text that field_set left. */
static enum status value_fail(const struct reader *r, struct mark at, const char *prefix, const char *key,
                              const struct err *cause)
{
    return cause->status == ST_NOMEM ? reader_no_memory(r)
                                     : reader_fail(r, at, prefix, key, "%s", cause->text);
}

enum status section_assign(struct reader *r, const struct node *node, enum section section,
                           const char *prefix, void *target)
{
    for (const struct node_item *item = node->items; item; item = item->next) {
        const struct field *f = field_find(section, item->key->text);
        const char *text = NULL;
        struct err cause = ERR_INIT;
        if (f->kind == FIELD_SECTION || f->kind == FIELD_LIST)
            continue;
        enum status st = node_text(r, f, item->value, prefix, &text);
        if (st != ST_OK)
            return st;
        if (f->kind == FIELD_NAME || f->kind == FIELD_TEXT) /* kept by the spec, which outlives the tree */
            text = arena_strdup(&r->spec->arena, text);
        if (!text)
            return reader_no_memory(r);
        if (field_set(f, target, text, &cause) != ST_OK)
            return value_fail(r, item->value->mark, prefix, f->key, &cause);
    }
    return ST_OK;
}

enum status axis_value_set(struct reader *r, const struct field *f, const char *text, struct mark mark,
                           const char *prefix, struct axis_value *out)
{
    char canonical[POINT_TEXT];
    struct err cause = ERR_INIT;
    if (field_set(f, &r->scratch, text, &cause) != ST_OK)
        return value_fail(r, mark, prefix, f->key, &cause);
    field_get(f, &r->scratch, canonical);
    *out = (struct axis_value){arena_strdup(&r->spec->arena, canonical), mark};
    return out->text ? ST_OK : reader_no_memory(r);
}

enum status axis_value_read(struct reader *r, const struct field *f, const struct node *node,
                            const char *prefix, struct axis_value *out)
{
    const char *text = NULL;
    enum status st = node_text(r, f, node, prefix, &text);
    return st == ST_OK ? axis_value_set(r, f, text, node->mark, prefix, out) : st;
}
