/* The axes of trials as a database tells them: JSON objects, one a line. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "report/axes.h"

enum { POINTS_MAX = 64 };

static void require(bool promise)
{
    if (!promise)
        abort();
}

static void use(struct axes *a)
{
    double positions[POINTS_MAX];
    require(a->point_count <= POINTS_MAX && axes_analyse(a, NULL));
    require(a->primary >= -1 && a->primary < (int)a->key_count);
    require(a->primary < 0 || axes_primary_values(a) != NULL);
    for (int k = 0; k < (int)a->key_count; k++)
        (void)axes_positions(a, k, positions);
    for (size_t i = 0; i < a->point_count; i++)
        require(axes_label(a, AXES_ALONG, i) && axes_label(a, AXES_SERIES, i) && axes_label(a, AXES_ALL, i));
    require(axes_title(a, AXES_ALONG) && axes_title(a, AXES_SERIES) && axes_title(a, AXES_ALL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const size_t live = mem_live();
    char *text = malloc(n + 1), *rest = text;
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    struct axes a;
    struct err e = ERR_INIT;
    enum status status = ST_OK;
    axes_init(&a);
    for (int lines = 0; lines < POINTS_MAX && rest && status == ST_OK; lines++) {
        const char *line = strsep(&rest, "\n");
        size_t point = SIZE_MAX, again = SIZE_MAX;
        status = axes_point(&a, line, &point, &e);
        if (status == ST_OK) {
            require(point < a.point_count);
            require(axes_point(&a, line, &again, &e) == ST_OK && again == point);
        }
    }
    if (status == ST_OK)
        use(&a);
    else
        require(status == ST_CORRUPT && e.status == status && e.text[0] != '\0');
    axes_release(&a);
    free(text);
    require(mem_live() == live);
    return 0;
}
