#include "report/answer_blocks.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"

struct cell answer_number(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

static enum status unknown_block(const char *block, const struct strbuf *known, struct err *e)
{
    return err_set(e, ST_USAGE, "there is no block \"%.80s\"; its blocks are %s", block,
                   known->len ? known->text : "none yet");
}

#define BLOCK_NAME STORE_BLOCK_NAME("s.name", "b.name")

enum status answer_each_block(struct store *s, const char *block, const char *y, block_function *rows,
                              struct table *t, struct err *e)
{
    struct store_query *q = NULL;
    struct strbuf known = STRBUF_INIT;
    size_t found = 0;
    enum status st = store_query_open(s,
                                      "SELECT b.id, b.name, " BLOCK_NAME " FROM block b JOIN sweep s"
                                      " ON s.id = b.sweep_id ORDER BY s.id, b.position",
                                      &q, e);
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        const char *name = store_query_cell(q, 1).text, *full = store_query_cell(q, 2).text;
        strbuf_printf(&known, "%s%s", known.len ? ", " : "", full);
        if (block && strcmp(block, name) != 0 && strcmp(block, full) != 0)
            continue;
        found++;
        st = rows(s, store_query_cell(q, 0).i, full, y ? y : "test_top1", t, e);
    }
    store_query_close(q);
    if (st == ST_OK && block && found == 0)
        st = unknown_block(block, &known, e);
    strbuf_release(&known);
    return st;
}
