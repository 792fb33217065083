/* The parts of `firesweep plan` on the space itself: what conditions removed, and aliases. */
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "cli/plan_internal.h"

/* removed */

static const struct table_column removed_columns[] = {
    {.name = "block"},
    {.name = "condition", .title = "removed by"},
    {.name = "trials", .title = "trials skipped"},
    {.name = "candidates", .title = "candidates of random draws"},
};

static enum status removed_row(struct table *t, const char *block, const char *condition, int64_t trials,
                               int64_t candidates, struct err *e)
{
    const struct cell cells[] = {cell_text(block), cell_text(condition), cell_int(trials),
                                 cell_int(candidates)};
    return trials > 0 || candidates > 0 ? table_row(t, cells, e) : ST_OK;
}

/* Calls `visit` for each trial that a condition removes from a block, once, by its first point there. */
static enum status each_skipped(const struct plan *p,
                                enum status (*visit)(const struct plan *p, const struct membership *m,
                                                     void *context, struct err *e),
                                void *context, struct err *e)
{
    enum status st = ST_OK;
    int *met = mem_calloc((size_t)p->space.trial_count + 1, sizeof *met); /* in block - 1 */
    if (!met)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; st == ST_OK && i < p->space.membership_count; i++) {
        const struct membership *m = &p->space.memberships[i];
        if (m->skip_reason && met[m->trial] != m->block + 1)
            st = visit(p, m, context, e);
        if (m->skip_reason)
            met[m->trial] = m->block + 1;
    }
    mem_free(met);
    return st;
}

/* Trials that a condition removes from a block; a condition's reason is one string. */
struct removal {
    int block;
    const char *reason;
    int64_t trials;
};

static enum status count_removed(const struct plan *p, const struct membership *m, void *context,
                                 struct err *e)
{
    struct removal *r = context;
    (void)p;
    (void)e;
    r->trials += m->block == r->block && m->skip_reason == r->reason;
    return ST_OK;
}

static enum status rule_row(const struct plan *p, int block, const char *reason, int64_t candidates,
                            struct table *t, struct err *e)
{
    struct removal r = {block, reason, 0};
    const enum status st = each_skipped(p, count_removed, &r, e);
    return st == ST_OK ? removed_row(t, p->spec.blocks[block].id, reason, r.trials, candidates, e) : st;
}

static enum status removed_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int block = 0; st == ST_OK && block < p->spec.block_count; block++) {
        const struct sampling *s = &p->space.samplings[block];
        const char *id = p->spec.blocks[block].id;
        const struct condition *rule;
        for (int i = 0; st == ST_OK && (rule = space_rule(&p->spec, block, i)) != NULL; i++)
            st = rule_row(p, block, rule->reason, s->wanted ? s->removed[i] : 0, t, e);
        if (st == ST_OK)
            st = removed_row(t, id, "equal to an earlier point", 0, s->repeated, e);
        if (st == ST_OK)
            st = removed_row(t, id, s->unbuildable_why, 0, s->unbuildable, e);
    }
    return st;
}

/* skipped, aliases */

static const struct table_column skipped_columns[] = {
    {.name = "trial"},
    {.name = "block"},
    {.name = "axes"},
    {.name = "seed"},
    {.name = "skip_reason", .title = "skipped by"},
};

static enum status skipped_row(const struct plan *p, const struct membership *m, void *table, struct err *e)
{
    struct strbuf axes = STRBUF_INIT;
    plan_format_axes(&axes, m->axes);
    const struct cell cells[] = {cell_int(m->trial + 1), cell_text(p->spec.blocks[m->block].id),
                                 cell_text(axes.len ? axes.text : NULL),
                                 cell_int((int64_t)p->space.trials[m->trial].seed),
                                 cell_text(m->skip_reason)};
    const enum status st = axes.failed ? err_set(e, ST_NOMEM, "out of memory") : table_row(table, cells, e);
    strbuf_release(&axes);
    return st;
}

static enum status skipped_rows(const void *context, struct table *t, struct err *e)
{
    return each_skipped(context, skipped_row, t, e);
}

static const struct table_column alias_columns[] = {
    {.name = "trial"}, /* of the first seed */
    {.name = "block"},
    {.name = "axes"},
    {.name = "same_as", .title = "same layers and recipe as"},
};

static enum status alias_row(const struct plan *p, const struct membership *m, const char *same_as,
                             struct table *t, struct err *e)
{
    struct strbuf axes = STRBUF_INIT;
    plan_format_axes(&axes, m->axes);
    const struct cell cells[] = {cell_int(m->trial + 1), cell_text(p->spec.blocks[m->block].id),
                                 cell_text(axes.len ? axes.text : NULL), cell_text(same_as)};
    const enum status st = axes.failed ? err_set(e, ST_NOMEM, "out of memory") : table_row(t, cells, e);
    strbuf_release(&axes);
    return st;
}

/* Other names of a point: memberships with other axes than its first. Each seed of it has them. */
static enum status alias_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int i = 0; st == ST_OK && i < p->space.trial_count; i++) {
        if (p->space.trials[i].seed != p->spec.seeds[0])
            continue;
        const struct membership *first = &p->space.memberships[p->first_membership[i]];
        struct strbuf same = STRBUF_INIT;
        plan_format_axes(&same, first->axes);
        for (int m = p->next_membership[p->first_membership[i]]; st == ST_OK && m >= 0;
             m = p->next_membership[m]) {
            if (strcmp(p->space.memberships[m].axes, first->axes) != 0)
                st = same.failed
                         ? err_set(e, ST_NOMEM, "out of memory")
                         : alias_row(p, &p->space.memberships[m], same.len ? same.text : "the base", t, e);
        }
        strbuf_release(&same);
    }
    return st;
}

const struct section plan_space_sections[PLAN_SPACE_SECTIONS] = {
    {.name = "removed", SECTION_COLUMNS(removed_columns), .may_be_empty = true, .rows = removed_rows},
    {.name = "skipped", SECTION_COLUMNS(skipped_columns), .may_be_empty = true, .rows = skipped_rows},
    {.name = "aliases", SECTION_COLUMNS(alias_columns), .may_be_empty = true, .rows = alias_rows},
};
