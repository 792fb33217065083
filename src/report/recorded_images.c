#include "report/recorded_images.h"

#include <string.h>

enum status recorded_images(struct store *s, const char *sweep, struct image_counts *out, struct err *e)
{
    struct store_query *q = NULL;
    enum status st = store_query_open(
        s, "SELECT name, train_images, val_images, test_images, skipped_images FROM sweep", &q, e);
    *out = (struct image_counts){-1, 0, 0};
    for (bool more = true; st == ST_OK;) {
        st = store_query_next(q, &more, e);
        if (st != ST_OK || !more)
            break;
        if (strcmp(store_query_cell(q, 0).text, sweep) == 0 && store_query_cell(q, 4).i == 0)
            *out = (struct image_counts){(double)store_query_cell(q, 1).i, (double)store_query_cell(q, 2).i,
                                         (double)store_query_cell(q, 3).i};
    }
    store_query_close(q);
    return st;
}
