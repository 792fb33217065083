#include <math.h>

#include "base/rng.h"
#include "data/image_decode.h"
#include "data_test.h"
#include "encode_image.h"

static struct image make_image(int c, int h, int w)
{
    struct image image = {0};
    assert_int_equal(image_reserve(&image, c, h, w, NULL), ST_OK);
    return image;
}

static struct image make_noise(int c, int h, int w)
{
    struct image image = make_image(c, h, w);
    struct rng rng = rng_stream(1, RNG_TEST, (uint64_t)h, (uint64_t)w);
    for (int i = 0; i < c * h * w; i++)
        image.pixels[i] = (uint8_t)rng_u32(&rng);
    return image;
}

/* Triangle-filtered value of one direction at output i of `scaled`, in real numbers, straight from the
 * definition. */
static double weigh(const double *in, int n, int scaled, int i)
{
    double ratio = (double)n / scaled, center = (i + 0.5) * ratio - 0.5, reach = ratio > 1 ? ratio : 1;
    double sum = 0, weights = 0;
    for (int j = 0; j < n; j++) {
        double weight = fmax(0, 1 - fabs(j - center) / reach);
        sum += weight * in[j];
        weights += weight;
    }
    return sum / weights;
}

/* The value without any rounding. */
static double reference(const struct image *in, int scaled_h, int scaled_w, int y, int x, int c)
{
    double column[64], row[64];
    for (int i = 0; i < in->h; i++) {
        for (int j = 0; j < in->w; j++)
            row[j] = in->pixels[(i * in->w + j) * in->c + c];
        column[i] = weigh(row, in->w, scaled_w, x);
    }
    return weigh(column, in->h, scaled_h, y);
}

static void check_resize(int c, int in_h, int in_w, int h, int w, int scaled_h, int scaled_w)
{
    struct image in = make_noise(c, in_h, in_w), out = {0};
    int top = (scaled_h - h) / 2, left = (scaled_w - w) / 2;
    assert_int_equal(image_resize(&in, h, w, &out, NULL), ST_OK);
    assert_int_equal(out.h, h);
    assert_int_equal(out.w, w);
    assert_int_equal(out.c, c);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            for (int k = 0; k < c; k++) {
                double exact = reference(&in, scaled_h, scaled_w, y + top, x + left, k);
                assert_true(fabs(out.pixels[(y * w + x) * c + k] - exact) < 1.01); /* two roundings */
            }
        }
    }
    mem_free(in.pixels);
    mem_free(out.pixels);
    assert_int_equal(mem_live(), 0);
}

static void scaling_matches_the_definition(void **state)
{
    (void)state;
    check_resize(3, 20, 20, 10, 10, 10, 10);
    check_resize(3, 10, 10, 25, 25, 25, 25);
    check_resize(1, 33, 47, 16, 16, 16, 23); /* 47 * 16 / 33 = 22.8 */
    check_resize(3, 47, 33, 16, 16, 23, 16);
    check_resize(1, 7, 50, 21, 13, 21, 150);
    check_resize(3, 50, 7, 9, 14, 100, 14);
    check_resize(1, 30, 60, 10, 30, 15, 30);
    check_resize(3, 5, 5, 1, 1, 1, 1);
    check_resize(1, 1, 1, 6, 6, 6, 6);
    check_resize(1, 1, 40, 3, 3, 3, 120);
}

static void the_same_size_is_the_same_image(void **state)
{
    (void)state;
    struct image in = make_noise(3, 19, 23), out = {0};
    assert_int_equal(image_resize(&in, 19, 23, &out, NULL), ST_OK);
    assert_memory_equal(in.pixels, out.pixels, 19 * 23 * 3);
    mem_free(in.pixels);
    mem_free(out.pixels);
}

static void only_the_middle_is_kept(void **state)
{
    (void)state;
    struct image in = make_noise(1, 10, 30), out = {0};
    assert_int_equal(image_resize(&in, 10, 10, &out, NULL), ST_OK);
    for (int y = 0; y < 10; y++)
        assert_memory_equal(out.pixels + 10 * y, in.pixels + 30 * y + 10, 10);
    mem_free(in.pixels);
    mem_free(out.pixels);
}

/* Thousands of weights of nearly nothing each must still sum to one. */
static void extreme_shapes_keep_their_brightness(void **state)
{
    (void)state;
    const int shapes[][4] = {
        {16384, 3, 1, 1}, {3, 16384, 2, 2}, {1, 16384, 5, 5}, {16384, 1, 7, 3}, {2, 2, 300, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int level = 0; level < 256; level += 51) {
            struct image in = make_image(1, shapes[i][0], shapes[i][1]), out = {0};
            memset(in.pixels, level, (size_t)shapes[i][0] * (size_t)shapes[i][1]);
            assert_int_equal(image_resize(&in, shapes[i][2], shapes[i][3], &out, NULL), ST_OK);
            for (int k = 0; k < shapes[i][2] * shapes[i][3]; k++)
                assert_int_equal(out.pixels[k], level);
            mem_free(in.pixels);
            mem_free(out.pixels);
        }
    }
}

/* A smooth 160 x 320 image as JPEG and PNG: libjpeg decodes its part at a smaller scale, both end alike. */
static void scaled_decoding_gives_the_same_picture(void **state)
{
    (void)state;
    enum { H = 160, W = 320, SMALL = 24 };
    uint8_t *pixels = malloc(H * W * 3);
    struct bytes jpeg, png;
    struct image_decoder first, second;
    const struct image *a, *b;
    const struct image_request request = {.resize_h = SMALL, .resize_w = SMALL, .max_bytes = H * W * 3};
    const struct image_request tight = {.resize_h = SMALL, .resize_w = SMALL, .max_bytes = H * W * 3 / 16};
    struct err e = ERR_INIT;
    for (int i = 0; i < H * W * 3; i++) {
        int y = i / 3 / W, x = i / 3 % W;
        pixels[i] = (uint8_t)(128 + 60 * sin(y * 0.04 + i % 3) + 60 * cos(x * 0.03));
    }
    assert_true(encode_jpeg(pixels, H, W, 3, (struct jpeg_flavour){.quality = 100}, &jpeg));
    assert_true(encode_png(pixels, H, W, W * 3, (struct png_flavour){.color = 2, .depth = 8}, &png));
    image_decoder_init(&first);
    image_decoder_init(&second);
    /* 160 / 4 = 40 covers 24, 160 / 8 = 20 does not: a sixteenth of the memory is enough for the JPEG. */
    assert_int_equal(image_decode(&first, jpeg.data, jpeg.n, &tight, &a, NULL), ST_OK);
    assert_int_equal(first.stored.h, H / 4);
    assert_int_equal(image_decode(&second, png.data, png.n, &tight, &b, &e), ST_NOMEM);
    assert_int_equal(image_decode(&second, png.data, png.n, &request, &b, &e), ST_OK);
    assert_int_equal(a->h * a->w * a->c, SMALL * SMALL * 3);
    for (int i = 0; i < SMALL * SMALL * 3; i++)
        assert_in_range(abs(a->pixels[i] - b->pixels[i]), 0, 4);
    image_decoder_release(&first);
    image_decoder_release(&second);
    free(pixels);
    free(jpeg.data);
    free(png.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaling_matches_the_definition),
        cmocka_unit_test(the_same_size_is_the_same_image),
        cmocka_unit_test(only_the_middle_is_kept),
        cmocka_unit_test(extreme_shapes_keep_their_brightness),
        cmocka_unit_test(scaled_decoding_gives_the_same_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
