/* Samples as the network sees them. This runs in the training loop, once per image and epoch. */
#include "base/rng.h"
#include "data/dataset.h"
#include "data/image_set.h"
#include "data/image_stream.h"

/* What the random numbers of one sample decided: output (y, x) shows image pixel (y + dy, x' + dx)
 * with x' = x, or w - 1 - x when flipped. */
struct placement {
    bool flip, reflect;
    int dy, dx;
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Largest padding that can be mirrored without repeating the edge. */
static int largest_pad(struct shape image)
{
    return smaller(image.h, image.w) - 1;
}

enum status augmentation_check(const struct augmentation *a, struct shape image, struct err *e)
{
    if (a->crop_pad < 0 || a->crop_pad > largest_pad(image)) {
        return err_set(e, ST_USAGE, "crop_pad: %d is out of range for images of %dx%d, allowed: 0 to %d",
                       a->crop_pad, image.h, image.w, largest_pad(image));
    }
    return ST_OK;
}

/* All three numbers are always drawn: switching one augmentation off leaves the other as it was. */
static struct placement draw_placement(const struct augmentation *a, struct shape image, uint64_t seed,
                                       unsigned epoch, size_t index)
{
    struct rng rng = rng_stream(seed, RNG_AUGMENT, epoch, index);
    int pad = larger(0, smaller(a->crop_pad, largest_pad(image)));
    uint32_t places = 2 * (uint32_t)pad + 1;
    bool flip = rng_u32(&rng) >> 31;
    int dy = (int)rng_below(&rng, places) - pad;
    int dx = (int)rng_below(&rng, places) - pad;
    return (struct placement){
        .flip = flip && a->flip, .reflect = a->border == CROP_REFLECT, .dy = dy, .dx = dx};
}

/* Mirrors a coordinate at both borders; -1 becomes 1, n becomes n - 2. */
static inline int reflect(int i, int n)
{
    if (i < 0)
        return -i;
    return i < n ? i : 2 * (n - 1) - i;
}

/* Normalises n neighbouring pixels of c channels; the output moves by `step` floats a pixel. With a
 * constant c the compiler removes the inner loop. */
static inline void put_pixels(const float table[4][256], const uint8_t *in, int n, int c, float *out,
                              long step)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < c; k++)
            out[k] = table[k][in[k]];
        in += c;
        out += step;
    }
}

static void put_run(const struct dataset *d, const uint8_t *in, int n, float *out, bool backward)
{
    int c = d->image.c;
    long step = backward ? -c : c;
    if (c == 3)
        put_pixels(d->normalised, in, n, 3, out, step);
    else if (c == 1)
        put_pixels(d->normalised, in, n, 1, out, step);
    else
        put_pixels(d->normalised, in, n, c, out, step);
}

static void put_black(const struct dataset *d, float *out)
{
    static const uint8_t black[4];
    put_pixels(d->normalised, black, 1, d->image.c, out, 0);
}

/* One pixel left or right of the image: mirrored or black. */
static void put_border(const struct dataset *d, const uint8_t *row, int x, bool mirrored, float *out)
{
    if (mirrored) {
        put_pixels(d->normalised, row + (size_t)reflect(x, d->image.w) * (size_t)d->image.c, 1, d->image.c,
                   out, 0);
    } else {
        put_black(d, out);
    }
}

/* Where pixel x' of the unflipped crop goes. */
static float *target(const struct dataset *d, const struct placement *p, int x, float *out)
{
    return out + (size_t)(p->flip ? d->image.w - 1 - x : x) * (size_t)d->image.c;
}

static void put_row(const struct dataset *d, const struct placement *p, const uint8_t *row, float *out)
{
    int w = d->image.w, first = larger(0, -p->dx), end = smaller(w, w - p->dx);
    for (int x = 0; x < first; x++)
        put_border(d, row, x + p->dx, p->reflect, target(d, p, x, out));
    put_run(d, row + (size_t)(first + p->dx) * (size_t)d->image.c, end - first, target(d, p, first, out),
            p->flip);
    for (int x = end; x < w; x++)
        put_border(d, row, x + p->dx, p->reflect, target(d, p, x, out));
}

static void put_black_row(const struct dataset *d, float *out)
{
    for (int x = 0; x < d->image.w; x++)
        put_black(d, out + (size_t)x * (size_t)d->image.c);
}

/* Writes the sample of an image in memory. */
static void put_image(const struct dataset *d, const struct placement *p, const uint8_t *pixels, float *out,
                      size_t pitch)
{
    size_t row_bytes = (size_t)d->image.w * (size_t)d->image.c;
    int h = d->image.h;
    for (int y = 0; y < h; y++) {
        int from = y + p->dy;
        float *row = out + (size_t)y * pitch;
        if (from >= 0 && from < h)
            put_row(d, p, pixels + (size_t)from * row_bytes, row);
        else if (p->reflect)
            put_row(d, p, pixels + (size_t)reflect(from, h) * row_bytes, row);
        else
            put_black_row(d, row);
    }
}

static bool put_streamed(const struct dataset *d, enum split split, size_t index, const struct placement *p,
                         float *out, size_t pitch)
{
    struct image_reader reader;
    const uint8_t *pixels;
    image_reader_init(&reader);
    bool read = image_stream_read(d, split, index, &reader, &pixels);
    if (read)
        put_image(d, p, pixels, out, pitch);
    image_reader_release(&reader);
    return read;
}

int dataset_sample(const struct dataset *d, enum split split, size_t index, const struct augmentation *a,
                   uint64_t seed, unsigned epoch, float *out, size_t pitch)
{
    const struct image_set *set = &d->sets[split];
    struct placement p = {false, false, 0, 0};
    if (a && (a->flip || a->crop_pad > 0))
        p = draw_placement(a, d->image, seed, epoch, index);
    if (!d->stream)
        put_image(d, &p, set->pixels + index * shape_bytes(d->image), out, pitch);
    else if (!put_streamed(d, split, index, &p, out, pitch))
        return -1;
    return set->labels[index];
}
