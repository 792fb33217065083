/* Conditions of a spec: constraints, exclude, when. */
#include <string.h>

#include "sweep/conditions.h"
#include "sweep/spec_read.h"

enum status condition_read(struct reader *r, const struct node *node, const char *prefix, const char *key,
                           bool costs, struct condition *out)
{
    struct expression_scope scope;
    struct err cause = ERR_INIT;
    size_t at = 0;
    enum status st = reader_expect(r, node, NODE_SCALAR, prefix, key, "a condition such as params <= 1M");
    if (st != ST_OK)
        return st;
    out->mark = node->mark;
    out->text = out->reason = arena_strdup(&r->spec->arena, node->text);
    if (!out->text || conditions_scope(&r->spec->arena, costs, &scope, &cause) != ST_OK)
        return reader_no_memory(r);
    st = expression_parse(out->text, &scope, &r->spec->arena, &out->holds, &at, &cause);
    if (st == ST_NOMEM)
        return reader_no_memory(r);
    return st == ST_OK ? ST_OK
                       : reader_fail(r, conditions_mark(r->spec->text, node->mark, at), prefix, key, "%s",
                                     cause.text);
}

enum status conditions_read(struct reader *r, const struct node *node, const char *prefix, const char *key,
                            struct conditions *out)
{
    if (!node || (node->kind == NODE_SEQUENCE && node->count == 0))
        return ST_OK;
    enum status st = reader_expect(r, node, NODE_SEQUENCE, prefix, key, "a list of conditions");
    if (st != ST_OK)
        return st;
    out->items = arena_alloc(&r->spec->arena, (size_t)node->count, sizeof *out->items);
    if (!out->items)
        return reader_no_memory(r);
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next) {
        struct condition *c = &out->items[out->count++];
        st = condition_read(r, item->value, prefix, key, true, c);
        if (st == ST_OK && strcmp(key, "exclude") == 0) {
            c->reason = arena_printf(&r->spec->arena, "exclude: %s", c->text);
            st = c->reason ? ST_OK : reader_no_memory(r);
        }
    }
    return st;
}
