#include "engine/columns.h"

#include <string.h>

enum { TAPS = 9, LINE = 16 /* floats of a cache line */ };

static size_t column_floats(const struct shape *map, int images, int cout)
{
    const size_t floats = (size_t)(images * map->h * map->w * TAPS * cout) + TENSOR_SLACK;
    return (floats + LINE - 1) / LINE * LINE;
}

size_t columns_scratch(const struct branch *b, const struct shape *map, int images, bool training)
{
    if (!b->columns)
        return 0;
    const size_t sums = (size_t)panel_channels(TAPS * b->cout) * (size_t)b->cin;
    return column_floats(map, images, b->cout) + (training ? sums : 0);
}

/* Kernel positions along one axis whose input lies inside the map, for output `at`: [first, end). */
struct span {
    int first, end;
};

static struct span inside(int at, int size)
{
    return (struct span){at == 0 ? 1 : 0, at == size - 1 ? 2 : 3};
}

/* Loops over `cout` channels are compiled for each width there is: as loops of a few turns, or as calls of
 * memset, they cost as much as the products. */
#define WITH_CONSTANT_COUT(function, cout, ...)  \
    switch (cout) {                              \
    case 1:                                      \
        function(__VA_ARGS__, 1);                \
        break;                                   \
    case 2:                                      \
        function(__VA_ARGS__, 2);                \
        break;                                   \
    case 3:                                      \
        function(__VA_ARGS__, 3);                \
        break;                                   \
    case 4:                                      \
        function(__VA_ARGS__, 4);                \
        break;                                   \
    case 5:                                      \
        function(__VA_ARGS__, 5);                \
        break;                                   \
    case 6:                                      \
        function(__VA_ARGS__, 6);                \
        break;                                   \
    default:                                     \
        function(__VA_ARGS__, COLUMNS_COUT_MAX); \
    }
#define FOR_EACH_COUT static inline __attribute__((always_inline))

/* y = bias + sum of the taps' columns at the pixels they look at, for one row of outputs. */
FOR_EACH_COUT void add_up(const struct columns_conv *c, int image, int row, const float *columns,
                          const int cout)
{
    const int n = TAPS * cout;
    const struct span rows = inside(row, c->h);
    float *y = c->y.data + (size_t)image * c->y.image + (size_t)row * c->y.row;
    for (int column = 0; column < c->w; column++, y += c->y.pixel) {
        const struct span across = inside(column, c->w);
        float sum[COLUMNS_COUT_MAX];
        for (int o = 0; o < cout; o++)
            sum[o] = c->bias[o];
        for (int ky = rows.first; ky < rows.end; ky++)
            for (int kx = across.first; kx < across.end; kx++) {
                const int pixel = (row + ky - 1) * c->w + column + kx - 1;
                const float *from = columns + pixel * n + (ky * 3 + kx) * cout;
                for (int o = 0; o < cout; o++)
                    sum[o] += from[o];
            }
        for (int o = 0; o < cout; o++)
            y[o] = c->relu && sum[o] <= 0 ? 0 : sum[o];
    }
}

void columns_conv(const struct columns_conv *c)
{
    const struct segment all = {0, c->cin};
    const size_t pixel = (size_t)(TAPS * c->cout), row = (size_t)c->w * pixel, image = (size_t)c->h * row;
    c->kernels->conv(&(struct conv_job){.x = c->x,
                                        .y = {c->scratch, pixel, row, image},
                                        .images = c->images,
                                        .h = c->h,
                                        .w = c->w,
                                        .stride = 1,
                                        .channels = TAPS * c->cout,
                                        .weights = c->weights,
                                        .segment_count = 1,
                                        .segments = &all});
    for (int i = 0; i < c->images; i++)
        for (int r = 0; r < c->h; r++)
            WITH_CONSTANT_COUT(add_up, c->cout, c, i, r, c->scratch + (size_t)i * image)
}

/* Columns of one row of input pixels: for each tap the gradient of the output that saw the pixel through it.
 */
FOR_EACH_COUT void spread(const struct columns_gradient *g, int image, int row, float *columns,
                          const int cout)
{
    const float *dy = g->dy.data + (size_t)image * g->dy.image;
    for (int column = 0; column < g->w; column++)
        for (int tap = 0; tap < TAPS; tap++, columns += cout) {
            const int i = row + 1 - tap / 3, j = column + 1 - tap % 3;
            const bool outside = i < 0 || i >= g->h || j < 0 || j >= g->w;
            const float *from = outside ? dy : dy + (size_t)i * g->dy.row + (size_t)j * g->dy.pixel;
            for (int o = 0; o < cout; o++)
                columns[o] = outside ? 0 : from[o];
        }
}

void columns_gradient(const struct columns_gradient *g)
{
    const struct shape map = {0, g->h, g->w};
    const int n = TAPS * g->cout;
    const size_t row = (size_t)(g->w * n);
    float *sums = g->scratch + column_floats(&map, g->images, g->cout);
    for (int i = 0; i < g->images; i++)
        for (int r = 0; r < g->h; r++)
            WITH_CONSTANT_COUT(spread, g->cout, g, i, r, g->scratch + (size_t)(i * g->h + r) * row)
    g->kernels->weight_gradient(
        &(struct weight_gradient_job){.x = g->x,
                                      .dy = {g->scratch, (size_t)n, row, (size_t)g->h * row},
                                      .images = g->images,
                                      .h = g->h,
                                      .w = g->w,
                                      .stride = 1,
                                      .kernel_rows = 1,
                                      .row_length = g->cin,
                                      .channels = n,
                                      .dw = sums});
    for (int i = 0; i < g->cin; i++)
        for (int k = 0; k < n; k++) {
            const float *sum = sums + panel_start(k, g->cin) + (size_t)(i * panel_width(k, n) + k % PANEL);
            float *to = g->dw + (k / g->cout * g->cin + i) * HALF_PANEL + k % g->cout;
            *to = g->accumulate ? *to + *sum : *sum;
        }
}

void columns_derive(const struct branch *b, const float *weights, float *columns)
{
    const int n = TAPS * b->cout;
    memset(columns, 0, sizeof(float) * (size_t)panel_channels(n) * (size_t)b->cin);
    for (int i = 0; i < b->cin; i++)
        for (int k = 0; k < n; k++)
            columns[panel_start(k, b->cin) + (size_t)(i * panel_width(k, n) + k % PANEL)] =
                weights[(k / b->cout * b->cin + i) * HALF_PANEL + k % b->cout];
}
