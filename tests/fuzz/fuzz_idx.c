/* IDX files, plain and .gz, as labels and as images. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/idx.h"
#include "fuzz.h"

/* Aborts unless an error is complete and leaves nothing. */
static void check_error(enum status status, const struct idx_array *a, const struct err *e)
{
    if (a->bytes || e->status != status || e->text[0] == '\0' || strchr(e->text, '\n'))
        abort();
}

static void parse(const uint8_t *bytes, size_t n, bool compressed, int dimensions)
{
    struct idx_array a;
    struct err e = ERR_INIT;
    enum status status = idx_parse(bytes, n, compressed, dimensions, &a, &e);
    if (status != ST_OK) {
        check_error(status, &a, &e);
        return;
    }
    size_t elements = a.size[0] * a.size[1] * a.size[2];
    size_t sum = 0;
    for (size_t i = 0; i < elements; i++)
        sum += a.bytes[i];
    if (sum > 255 * elements || (!compressed && memcmp(a.bytes, bytes + n - elements, elements) != 0))
        abort();
    idx_array_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    size_t live = mem_live();
    bool compressed = n > 0 && bytes[0] == 0x1f;
    parse(bytes, n, compressed, 1);
    parse(bytes, n, compressed, 3);
    if (mem_live() != live)
        abort();
    return 0;
}
