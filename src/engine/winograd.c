#include "engine/winograd.h"

enum { LINE = 16 /* floats of a cache line */, BLOCK_FLOATS = 192 * 1024, BLOCK_TILES_MIN = 32 };
enum { GRADIENT_ROWS = 24 }; /* two register tiles */

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static int tiles_of(int images, int h, int w)
{
    return images * ((h + WINOGRAD_OUT - 1) / WINOGRAD_OUT) * ((w + WINOGRAD_OUT - 1) / WINOGRAD_OUT);
}

/* Floats from plane to plane: an odd number of cache lines, so that the 36 planes of a value fall into
 * different cache sets. */
static size_t plane_floats(int tiles, int channels)
{
    const size_t floats = (size_t)tiles * (size_t)channels + TENSOR_SLACK;
    return ((floats + LINE - 1) / LINE | 1) * LINE;
}

/* Tiles taken through transform, products, transform at once: as many as keep both sets of planes in the
 * second-level cache, but enough that the products' weights are worth loading; blocks as even as can be. */
static int block_tiles(int cin, int cout, int tiles)
{
    const int fit = max_int(BLOCK_FLOATS / (WINOGRAD_PLANES * (cin + cout)), BLOCK_TILES_MIN);
    const int blocks = (tiles + fit - 1) / fit;
    return (tiles + blocks - 1) / blocks;
}

static size_t planes_floats(int tiles, int cin, int cout)
{
    return WINOGRAD_PLANES * (plane_floats(tiles, cin) + plane_floats(tiles, cout));
}

size_t winograd_scratch(const struct branch *b, const struct shape *map, int images, bool training)
{
    if (!b->winograd)
        return 0;
    const int tiles = tiles_of(images, map->h, map->w);
    if (!training)
        return planes_floats(block_tiles(b->cin, b->cout, tiles), b->cin, b->cout) + LINE;
    return planes_floats(tiles, b->cin, b->cout) + (size_t)WINOGRAD_PLANES * PANEL * GRADIENT_ROWS + LINE;
}

/* m[q] = v[q] * u[q] for all 36 planes. */
static void multiply(const struct winograd_conv *c, int tiles, float *v, size_t v_plane, float *m,
                     size_t m_plane)
{
    const struct segment all = {0, c->cin};
    const size_t u_plane = (size_t)panel_channels(c->cout) * (size_t)c->cin;
    struct conv_job job = {.x = {v, (size_t)c->cin, 0, 0},
                           .y = {m, (size_t)c->cout, 0, 0},
                           .images = 1,
                           .h = 1,
                           .w = tiles,
                           .stride = 1,
                           .channels = c->cout,
                           .weights = c->planes,
                           .segment_count = 1,
                           .segments = &all};
    for (int q = 0; q < WINOGRAD_PLANES; q++) {
        c->kernels->conv(&job);
        job.x.data += v_plane;
        job.y.data += m_plane;
        job.weights += u_plane;
    }
}

void winograd_conv(const struct winograd_conv *c)
{
    const int tiles = tiles_of(c->images, c->h, c->w), block = block_tiles(c->cin, c->cout, tiles);
    const size_t v_plane = plane_floats(block, c->cin), m_plane = plane_floats(block, c->cout);
    float *v = c->scratch, *m = v + WINOGRAD_PLANES * v_plane;
    struct winograd_job in = {
        .data = c->x, .h = c->h, .w = c->w, .channels = c->cin, .planes = v, .plane = v_plane};
    struct winograd_job out = {.data = c->y,
                               .mask = c->mask,
                               .h = c->h,
                               .w = c->w,
                               .channels = c->cout,
                               .planes = m,
                               .plane = m_plane,
                               .bias = c->bias,
                               .flags = c->flags};
    for (int first = 0; first < tiles; first += block) {
        in.first_tile = out.first_tile = first;
        in.tile_count = out.tile_count = tiles - first < block ? tiles - first : block;
        c->kernels->winograd_input(&in);
        multiply(c, in.tile_count, v, v_plane, m, m_plane);
        c->kernels->winograd_output(&out);
    }
}

/* One block of input channels i0 .. i0 + rows and one panel of output channels: sums over tiles in each
 * plane, which fit the caches, then back to nine taps. */
static void gradient_block(const struct winograd_gradient *g, int tiles, int o0, int i0, int rows, float *v,
                           size_t v_plane, float *m, size_t m_plane, float *u)
{
    const int width = panel_width(o0, g->cout);
    const size_t u_plane = (size_t)(width * rows);
    struct weight_gradient_job job = {.x = {v + i0, (size_t)g->cin, 0, 0},
                                      .dy = {m + o0, (size_t)g->cout, 0, 0},
                                      .images = 1,
                                      .h = 1,
                                      .w = tiles,
                                      .stride = 1,
                                      .kernel_rows = 1,
                                      .row_length = rows,
                                      .channels = g->cout - o0 < width ? g->cout - o0 : width,
                                      .dw = u};
    for (int q = 0; q < WINOGRAD_PLANES; q++) {
        g->kernels->weight_gradient(&job);
        job.x.data += v_plane;
        job.dy.data += m_plane;
        job.dw += u_plane;
    }
    float *dw = g->dw + panel_start(o0, 9 * g->cin) + i0 * width;
    for (int i = 0; i < rows; i++)
        g->kernels->winograd_weight_gradient(u + i * width, u_plane, job.channels, g->accumulate,
                                             dw + i * width, (size_t)(g->cin * width));
}

void winograd_gradient(const struct winograd_gradient *g)
{
    const int tiles = tiles_of(g->images, g->h, g->w);
    const size_t v_plane = plane_floats(tiles, g->cin), m_plane = plane_floats(tiles, g->cout);
    float *v = g->scratch, *m = v + WINOGRAD_PLANES * v_plane, *u = m + WINOGRAD_PLANES * m_plane;
    const struct winograd_job x = {.data = g->x,
                                   .h = g->h,
                                   .w = g->w,
                                   .channels = g->cin,
                                   .tile_count = tiles,
                                   .planes = v,
                                   .plane = v_plane};
    const struct winograd_job dy = {.data = g->dy,
                                    .h = g->h,
                                    .w = g->w,
                                    .channels = g->cout,
                                    .tile_count = tiles,
                                    .planes = m,
                                    .plane = m_plane};
    g->kernels->winograd_input(&x);
    g->kernels->winograd_output_gradient(&dy);
    for (int o0 = 0; o0 < g->cout; o0 += PANEL)
        for (int i0 = 0; i0 < g->cin; i0 += GRADIENT_ROWS)
            gradient_block(g, tiles, o0, i0, g->cin - i0 < GRADIENT_ROWS ? g->cin - i0 : GRADIENT_ROWS, v,
                           v_plane, m, m_plane, u);
}
