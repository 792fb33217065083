#include "data_test.h"

enum { SIDE_MOST = 9, VALUES_MOST = SIDE_MOST * SIDE_MOST * 4, IMAGES = 3, PADDING = 5 };

/* A data set in the test's own memory. Every pixel of an image is unique, and the table gives every
 * value and channel another number. */
struct fixture {
    struct dataset d;
    uint8_t pixels[IMAGES * VALUES_MOST];
    uint16_t labels[IMAGES];
};

static struct fixture *make_fixture(int c, int h, int w)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->d.image = (struct shape){c, h, w};
    f->d.classes = 10;
    for (int i = 0; i < IMAGES * c * h * w; i++)
        f->pixels[i] = (uint8_t)(1 + i % 255); /* 0 is left to the black border */
    for (int i = 0; i < IMAGES; i++)
        f->labels[i] = (uint16_t)(9 - i);
    for (int k = 0; k < 4; k++)
        for (int v = 0; v < 256; v++)
            f->d.normalised[k][v] = (float)(1000 * (k + 1) + v) + 0.5f;
    f->d.sets[SPLIT_VAL] = (struct image_set){.count = IMAGES, .pixels = f->pixels, .labels = f->labels};
    return f;
}

/* The naive way: build the padded image, cut, mirror. */
static void reference(const struct fixture *f, size_t index, int pad, bool zero, bool flip, int top, int left,
                      float *out)
{
    int c = f->d.image.c, h = f->d.image.h, w = f->d.image.w, wide = w + 2 * pad;
    const uint8_t *image = f->pixels + index * (size_t)(c * h * w);
    uint8_t padded[3 * SIDE_MOST * 3 * SIDE_MOST * 4] = {0};
    for (int y = 0; y < h + 2 * pad; y++) {
        for (int x = 0; x < wide; x++) {
            int from_y = y - pad, from_x = x - pad;
            bool outside = from_y < 0 || from_y >= h || from_x < 0 || from_x >= w;
            from_y = from_y < 0 ? -from_y : from_y;
            from_x = from_x < 0 ? -from_x : from_x;
            from_y = from_y >= h ? h - 2 - (from_y - h) : from_y;
            from_x = from_x >= w ? w - 2 - (from_x - w) : from_x;
            for (int k = 0; k < c; k++)
                padded[(y * wide + x) * c + k] = outside && zero ? 0 : image[(from_y * w + from_x) * c + k];
        }
    }
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            int column = left + (flip ? w - 1 - x : x);
            for (int k = 0; k < c; k++)
                out[(y * w + x) * c + k] = f->d.normalised[k][padded[((top + y) * wide + column) * c + k]];
        }
    }
}

/* Draws a sample with a pitch that leaves a gap, checks that the gap is untouched, and packs the rows. */
static void draw(const struct fixture *f, size_t index, const struct augmentation *a, unsigned epoch,
                 float *out)
{
    int row = f->d.image.w * f->d.image.c, pitch = row + PADDING;
    float loose[SIDE_MOST * (SIDE_MOST * 4 + PADDING)];
    for (int i = 0; i < f->d.image.h * pitch; i++)
        loose[i] = -7;
    int label = dataset_sample(&f->d, SPLIT_VAL, index, a, 42, epoch, loose, (size_t)pitch);
    assert_int_equal(label, f->labels[index]);
    for (int y = 0; y < f->d.image.h; y++) {
        memcpy(out + y * row, loose + y * pitch, (size_t)row * sizeof *out);
        for (int x = row; x < pitch; x++)
            assert_true(loose[y * pitch + x] == -7);
    }
}

/* Which of the possible placements a sample is: flip, top, left as one number; -1 = none. */
static int find_placement(const struct fixture *f, size_t index, const struct augmentation *a,
                          const float *sample)
{
    float expected[VALUES_MOST];
    size_t bytes = (size_t)(f->d.image.h * f->d.image.w * f->d.image.c) * sizeof *expected;
    int places = 2 * a->crop_pad + 1;
    for (int flip = 0; flip <= (a->flip ? 1 : 0); flip++) {
        for (int top = 0; top < places; top++) {
            for (int left = 0; left < places; left++) {
                reference(f, index, a->crop_pad, a->border == CROP_ZERO, flip, top, left, expected);
                if (memcmp(expected, sample, bytes) == 0)
                    return (flip * places + top) * places + left;
            }
        }
    }
    return -1;
}

/* Over many epochs every placement occurs, about equally often, and nothing else does. */
/* The shapes are such that no two placements show the same picture (a mirrored crop of an odd width can). */
static void expect_all_placements(int c, int h, int w, struct augmentation a)
{
    struct fixture *f = make_fixture(c, h, w);
    int places = 2 * a.crop_pad + 1, combinations = places * places * (a.flip ? 2 : 1),
        counts[2 * 17 * 17] = {0};
    int draws = 60 * combinations;
    float sample[VALUES_MOST];
    for (int i = 0; i < draws; i++) {
        size_t index = (size_t)i % IMAGES;
        draw(f, index, &a, (unsigned)i, sample);
        int placement = find_placement(f, index, &a, sample);
        assert_int_not_equal(placement, -1);
        counts[placement]++;
    }
    for (int i = 0; i < combinations; i++) /* 60 expected, standard deviation below 8 */
        assert_in_range(counts[i], 20, 110);
    free(f);
}

static void samples_are_normalised_images(void **state)
{
    (void)state;
    const struct augmentation none = {.flip = false, .crop_pad = 0};
    for (int c = 1; c <= 4; c++) {
        struct fixture *f = make_fixture(c, 5, 7);
        float sample[VALUES_MOST], expected[VALUES_MOST];
        for (size_t i = 0; i < IMAGES; i++) {
            reference(f, i, 0, false, false, 0, 0, expected);
            draw(f, i, NULL, 0, sample);
            assert_memory_equal(sample, expected, (size_t)(35 * c) * sizeof *sample);
            draw(f, i, &none, 3, sample);
            assert_memory_equal(sample, expected, (size_t)(35 * c) * sizeof *sample);
        }
        free(f);
    }
}

static void reflected_crops_match_the_reference(void **state)
{
    (void)state;
    expect_all_placements(3, 6, 5, (struct augmentation){.crop_pad = 2, .border = CROP_REFLECT});
    expect_all_placements(1, 5, 8,
                          (struct augmentation){.flip = true, .crop_pad = 3, .border = CROP_REFLECT});
    expect_all_placements(3, 5, 5,
                          (struct augmentation){.flip = true, .crop_pad = 1, .border = CROP_REFLECT});
}

static void black_crops_match_the_reference(void **state)
{
    (void)state;
    expect_all_placements(3, 6, 5, (struct augmentation){.crop_pad = 2, .border = CROP_ZERO});
    expect_all_placements(1, 4, 7, (struct augmentation){.flip = true, .crop_pad = 3, .border = CROP_ZERO});
    expect_all_placements(4, 3, 3, (struct augmentation){.flip = true, .crop_pad = 2, .border = CROP_ZERO});
}

static void flips_match_the_reference(void **state)
{
    (void)state;
    for (int c = 1; c <= 4; c++)
        expect_all_placements(c, 3, 8, (struct augmentation){.flip = true});
}

static void numbers_depend_on_seed_epoch_and_index_only(void **state)
{
    (void)state;
    struct fixture *f = make_fixture(3, 9, 9);
    struct augmentation a = {.flip = true, .crop_pad = 4, .border = CROP_REFLECT};
    float first[VALUES_MOST], again[VALUES_MOST], other[VALUES_MOST];
    size_t bytes = 9 * 9 * 3 * sizeof *first;
    int same_epoch = 0, same_seed = 0;
    for (unsigned epoch = 0; epoch < 50; epoch++) {
        dataset_sample(&f->d, SPLIT_VAL, 1, &a, 5, epoch, first, 27);
        dataset_sample(&f->d, SPLIT_VAL, 2, &a, 5, epoch, other, 27); /* in between: must not matter */
        dataset_sample(&f->d, SPLIT_VAL, 1, &a, 5, epoch, again, 27);
        assert_memory_equal(first, again, bytes);
        dataset_sample(&f->d, SPLIT_VAL, 1, &a, 5, epoch + 1, other, 27);
        same_epoch += memcmp(first, other, bytes) == 0;
        dataset_sample(&f->d, SPLIT_VAL, 1, &a, 6, epoch, other, 27);
        same_seed += memcmp(first, other, bytes) == 0;
    }
    assert_in_range(same_epoch, 0, 4); /* 162 placements: 0.3 expected */
    assert_in_range(same_seed, 0, 4);
    free(f);
}

static void padding_is_checked(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct shape image = {3, 6, 5};
    struct augmentation a = {.crop_pad = 4};
    assert_int_equal(augmentation_check(&a, image, &e), ST_OK);
    a.crop_pad = 5;
    assert_int_equal(augmentation_check(&a, image, &e), ST_USAGE);
    expect_text(&e, "crop_pad: 5 is out of range for images of 6x5, allowed: 0 to 4");
    a.crop_pad = -1;
    assert_int_equal(augmentation_check(&a, image, &e), ST_USAGE);
}

static void too_much_padding_stays_inside(void **state)
{
    (void)state;
    struct fixture *f = make_fixture(3, 3, 4);
    struct augmentation huge = {.crop_pad = 1000000}, most = {.crop_pad = 2};
    float sample[VALUES_MOST], expected[VALUES_MOST];
    for (unsigned epoch = 0; epoch < 100; epoch++) {
        draw(f, 0, &huge, epoch, sample);
        draw(f, 0, &most, epoch, expected);
        assert_memory_equal(sample, expected, 36 * sizeof *sample);
    }
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_normalised_images),
        cmocka_unit_test(reflected_crops_match_the_reference),
        cmocka_unit_test(black_crops_match_the_reference),
        cmocka_unit_test(flips_match_the_reference),
        cmocka_unit_test(numbers_depend_on_seed_epoch_and_index_only),
        cmocka_unit_test(padding_is_checked),
        cmocka_unit_test(too_much_padding_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
