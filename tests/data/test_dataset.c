#include <math.h>

#include "data/image_set.h"
#include "data_test.h"
#include "synthetic.h"

static void names_are_those_of_the_spec(void **state)
{
    (void)state;
    static const char *const names[] = {"idx", "cifar10", "cifar100", "image-folder"};
    for (int i = 0; i < 4; i++) {
        enum data_format f;
        assert_string_equal(data_format_name((enum data_format)i), names[i]);
        assert_true(data_format_parse(names[i], &f));
        assert_int_equal(f, i);
    }
    enum data_format f = DATA_CIFAR100;
    assert_false(data_format_parse("IDX", &f));
    assert_false(data_format_parse("", &f));
    assert_int_equal(f, DATA_CIFAR100);
    assert_string_equal(split_name(SPLIT_TRAIN), "train");
    assert_string_equal(split_name(SPLIT_VAL), "val");
    assert_string_equal(split_name(SPLIT_TEST), "test");
}

static void requests_are_checked(void **state)
{
    scratch_path path;
    assert_int_equal(synthetic_idx(*state, 2, 3, 1, 4, 1, NULL), ST_OK);
    struct data_source good = {.format = DATA_IDX, .path = *state}, bad = good;
    bad.val = -1;
    expect_load_error(&bad, ST_USAGE, "val is -1", "0 or more");
    bad = good;
    bad.train_limit = -2;
    expect_load_error(&bad, ST_USAGE, "train_limit is -2", "");
    bad = good;
    bad.test_limit = -3;
    expect_load_error(&bad, ST_USAGE, "test_limit is -3", "");
    bad = good;
    bad.val = 6;
    expect_load_error(&bad, ST_USAGE, "val is 6, but", "has 6 training images: allowed are 0 to 5");
    bad = good;
    bad.resize_h = bad.resize_w = 8;
    expect_load_error(&bad, ST_USAGE, "image-folder", "not of idx");
    bad.format = DATA_IMAGE_FOLDER;
    bad.resize_w = 0;
    expect_load_error(&bad, ST_USAGE, "8x0", "1 to 16384");
    bad = good;
    bad.path = scratch_name(path, state, "nothing");
    expect_load_error(&bad, ST_FAILED, "nothing", "No such file");
    bad.path = scratch_name(path, state, "t10k-labels-idx1-ubyte");
    expect_load_error(&bad, ST_USAGE, "t10k-labels-idx1-ubyte is not a folder", "");
}

static void sets_larger_than_the_machine_are_refused(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct image_set set;
    struct shape shape = {3, 4000, 5000};
    assert_int_equal(image_memory_check((size_t)1 << 40, shape, &e), ST_NOMEM);
    expect_text(&e, "1099511627776 images of 3x4000x5000 (channels, height, width) need 62914560000000 MiB");
    expect_text(&e, "this machine has");
    assert_int_equal(image_memory_check(10, (struct shape){3, 224, 224}, &e), ST_OK);
    assert_int_equal(image_set_alloc(&set, (size_t)1 << 40, shape, NULL), ST_NOMEM);
    assert_null(set.pixels);
}

static void put_idx(void **state, const uint8_t *pixels, const uint8_t *labels, uint8_t count)
{
    uint8_t images[16 + 64] = {0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 2};
    uint8_t classes[8 + 32] = {0, 0, 8, 1, 0, 0, 0, count};
    memcpy(images + 16, pixels, 2 * count);
    memcpy(classes + 8, labels, count);
    put_file(state, "train-images-idx3-ubyte", images, 16 + 2 * (size_t)count);
    put_file(state, "train-labels-idx1-ubyte", classes, 8 + (size_t)count);
    put_file(state, "t10k-images-idx3-ubyte", images, 16 + 2 * (size_t)count);
    put_file(state, "t10k-labels-idx1-ubyte", classes, 8 + (size_t)count);
}

/* Values 0, 51, 102, 255: mean 102, squared deviations 10404 + 2601 + 0 + 23409 = 36414, standard deviation
 * sqrt(36414 / 4) = 95.412, which is sqrt(0.14) of 255. */
static void statistics_are_those_of_the_training_split(void **state)
{
    const uint8_t pixels[] = {0, 51, 102, 255}, labels[] = {0, 1};
    struct data_source source = {.format = DATA_IDX, .path = *state};
    struct dataset d;
    float sample[2];
    put_idx(state, pixels, labels, 2);
    load_or_fail(&source, &d);
    assert_true(fabs(d.mean[0] - 0.4) < 1e-7);
    assert_true(fabs(d.stddev[0] - sqrt(0.14)) < 1e-6);
    assert_int_equal(dataset_sample(&d, SPLIT_TRAIN, 1, NULL, 0, 0, sample, 2), 1);
    assert_true(fabs(sample[0] - 0.0) < 1e-6);
    assert_true(fabs(sample[1] - 0.6 / sqrt(0.14)) < 1e-5);
    dataset_release(&d);
}

static void validation_images_do_not_count(void **state)
{
    const uint8_t pixels[] = {10, 10, 10, 10, 200, 200, 200, 200}, labels[] = {0, 0, 1, 1};
    struct data_source source = {.format = DATA_IDX, .path = *state, .val = 2, .train_limit = 1};
    struct dataset d;
    put_idx(state, pixels, labels, 4);
    load_or_fail(&source, &d); /* one image of class 0 is left: a constant */
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 1);
    assert_true(fabs(d.mean[0] - 10.0 / 255) < 1e-7);
    assert_true(d.stddev[0] == 1.0f / 255.0f);
    assert_true(fabs((double)d.normalised[0][11] - 1) < 1e-4);
    dataset_release(&d);
}

/* The pixels of image i are 2i and 2i + 1: each image of a split says where it stood in its file. */
static void images_know_their_place_in_the_files(void **state)
{
    enum { IMAGES = 30 };
    uint8_t pixels[2 * IMAGES], labels[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        pixels[2 * i] = (uint8_t)(2 * i);
        pixels[2 * i + 1] = (uint8_t)(2 * i + 1);
        labels[i] = (uint8_t)(i % 3);
    }
    put_idx(state, pixels, labels, IMAGES);
    struct data_source source = {.format = DATA_IDX, .path = *state};
    struct dataset d;
    load_or_fail(&source, &d);
    assert_null(d.sets[SPLIT_TEST].places);
    assert_int_equal(image_place(&d.sets[SPLIT_TEST], 7), 7);
    dataset_release(&d);
    source.val = 9;
    source.train_limit = 12;
    source.test_limit = 7;
    load_or_fail(&source, &d);
    const size_t counts[SPLIT_COUNT] = {[SPLIT_TRAIN] = 12, [SPLIT_VAL] = 9, [SPLIT_TEST] = 7};
    for (int s = 0; s < SPLIT_COUNT; s++) {
        assert_int_equal(d.sets[s].count, counts[s]);
        for (size_t i = 0; i < counts[s]; i++)
            assert_int_equal(d.sets[s].pixels[2 * i], 2 * image_place(&d.sets[s], i));
    }
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

static uint64_t fingerprint_of(const struct data_source *source)
{
    struct dataset d;
    load_or_fail(source, &d);
    uint64_t fingerprint = d.fingerprint;
    dataset_release(&d);
    return fingerprint;
}

static void fingerprints_see_pixels_labels_and_splits(void **state)
{
    uint8_t pixels[] = {1, 2, 3, 4, 5, 6, 7, 8}, labels[] = {0, 1, 0, 1};
    struct data_source source = {.format = DATA_IDX, .path = *state};
    uint64_t seen[6];
    put_idx(state, pixels, labels, 4);
    seen[0] = fingerprint_of(&source);
    assert_true(seen[0] == fingerprint_of(&source));
    pixels[7] = 9;
    put_idx(state, pixels, labels, 4);
    seen[1] = fingerprint_of(&source);
    labels[2] = 1;
    put_idx(state, pixels, labels, 4);
    seen[2] = fingerprint_of(&source);
    source.val = 1;
    seen[3] = fingerprint_of(&source);
    source.test_limit = 3;
    seen[4] = fingerprint_of(&source);
    labels[2] = 2;
    put_idx(state, pixels, labels, 4);
    seen[5] = fingerprint_of(&source);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
}

static void expect_look(const struct data_source *source, int channels)
{
    struct data_look look;
    struct dataset d;
    struct err e = ERR_INIT;
    if (dataset_look(source, &look, &e) != ST_OK)
        fail_msg("%s", e.text);
    load_or_fail(source, &d);
    assert_int_equal(look.classes, d.classes);
    assert_int_equal(look.image.c, channels);
    assert_int_equal(look.image.h, d.image.h);
    assert_int_equal(look.image.w, d.image.w);
    dataset_release(&d);
}

static void a_look_sees_what_loading_finds(void **state)
{
    scratch_path idx, cifar, folder;
    struct data_source source = {.format = DATA_IDX, .path = scratch_name(idx, state, "idx")};
    assert_int_equal(synthetic_idx(idx, 3, 4, 2, 5, 1, NULL), ST_OK);
    expect_look(&source, 1);
    source = (struct data_source){.format = DATA_CIFAR10, .path = scratch_name(cifar, state, "cifar")};
    assert_int_equal(synthetic_cifar10(cifar, 1, 1, 1, NULL), ST_OK);
    expect_look(&source, 3);
    source = (struct data_source){.format = DATA_IMAGE_FOLDER, .path = scratch_name(folder, state, "folder")};
    assert_int_equal(synthetic_image_folder(folder, 2, 4, 2, 9, 1, NULL), ST_OK);
    expect_look(&source, 3);
    source.resize_h = 7;
    source.resize_w = 6;
    expect_look(&source, 3);
    put_file(state, "folder/train/class00/0000.jpg", "x", 1);
    struct data_look look;
    assert_int_equal(dataset_look(&source, &look, NULL), ST_CORRUPT);
    source.skip_bad = true;
    expect_look(&source, 3);
}

static void a_look_reports_what_is_missing(void **state)
{
    struct data_look look;
    struct err e = ERR_INIT;
    struct data_source source = {.format = DATA_IDX, .path = *state};
    const uint8_t pixels[] = {1, 2, 3, 4}, labels[] = {0, 0};
    assert_int_equal(dataset_look(&source, &look, &e), ST_USAGE);
    expect_text(&e, "no file");
    put_idx(state, pixels, labels, 2);
    assert_int_equal(dataset_look(&source, &look, &e), ST_USAGE);
    expect_text(&e, "only one class");
    put_idx(state, pixels, (const uint8_t[]){0, 1}, 2);
    put_file(state, "train-images-idx3-ubyte", pixels, 4);
    assert_int_equal(dataset_look(&source, &look, &e), ST_CORRUPT);
    expect_text(&e, "train-images-idx3-ubyte: bad magic");
    source.format = DATA_CIFAR10;
    assert_int_equal(dataset_look(&source, &look, &e), ST_FAILED);
    expect_text(&e, "data_batch_1.bin");
    source = (struct data_source){.format = DATA_IMAGE_FOLDER, .path = *state};
    assert_int_equal(dataset_look(&source, &look, &e), ST_FAILED);
    expect_text(&e, "train: No such file");
    assert_int_equal(synthetic_image_folder(*state, 2, 1, 1, 9, 1, NULL), ST_OK);
    put_file(state, "test/other/0000.jpg", "x", 1);
    assert_int_equal(dataset_look(&source, &look, &e), ST_USAGE);
    expect_text(&e, "test/other is a class that train/ does not have");
}

/* Every allocation fails once: a clean error and nothing left, until all succeed. */
static void sweep(const struct data_source *source)
{
    enum status status = ST_NOMEM;
    size_t n = 1;
    for (; status != ST_OK; n++) {
        struct dataset d;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        status = dataset_load(source, &d, &e);
        mem_fail_after(0);
        if (status != ST_OK) {
            assert_int_equal(status, ST_NOMEM);
            assert_int_equal(e.status, ST_NOMEM);
            assert_non_null(strstr(e.text, "memory"));
            assert_null(d.class_names);
            assert_int_equal(mem_live(), 0);
        }
        dataset_release(&d);
        assert_int_equal(mem_live(), 0);
        assert_true(n < 2000);
    }
    assert_true(n > 20);
}

static void failed_allocations_leave_nothing(void **state)
{
    struct data_source source = {.path = *state, .val = 2, .train_limit = 4, .test_limit = 2};
    scratch_path idx, cifar, folder;
    source.format = DATA_IDX;
    source.path = scratch_name(idx, state, "idx");
    assert_int_equal(synthetic_idx(idx, 2, 4, 2, 5, 1, NULL), ST_OK);
    sweep(&source);
    source.format = DATA_CIFAR10;
    source.path = scratch_name(cifar, state, "cifar");
    assert_int_equal(synthetic_cifar10(cifar, 1, 1, 1, NULL), ST_OK);
    sweep(&source);
    source.format = DATA_IMAGE_FOLDER;
    source.path = scratch_name(folder, state, "folder");
    assert_int_equal(synthetic_image_folder(folder, 2, 4, 2, 9, 1, NULL), ST_OK);
    sweep(&source);
    source.resize_h = 5;
    source.resize_w = 4;
    source.skip_bad = true; /* an allocation that fails is no bad image */
    sweep(&source);
}

/* How many test images are nearest to the mean training image of their own class. */
static size_t count_nearest(const struct dataset *d)
{
    size_t n = (size_t)d->image.c * (size_t)d->image.h * (size_t)d->image.w, right = 0;
    const struct image_set *train = &d->sets[SPLIT_TRAIN], *test = &d->sets[SPLIT_TEST];
    double *means = calloc((size_t)d->classes * n, sizeof *means);
    assert_non_null(means);
    for (size_t i = 0; i < train->count; i++) {
        for (size_t k = 0; k < n; k++) {
            means[train->labels[i] * n + k] +=
                train->pixels[i * n + k] * (double)d->classes / (double)train->count;
        }
    }
    for (size_t i = 0; i < test->count; i++) {
        double best = INFINITY;
        int class = -1;
        for (int c = 0; c < d->classes; c++) {
            double distance = 0;
            for (size_t k = 0; k < n; k++)
                distance += pow(means[(size_t)c * n + k] - test->pixels[i * n + k], 2);
            if (distance < best) {
                best = distance;
                class = c;
            }
        }
        right += class == test->labels[i];
    }
    free(means);
    return right;
}

/* Others' tests train on these sets: they must be learnable, and the seed must matter. */
static void synthetic_sets_can_be_learnt(void **state)
{
    struct data_source source = {.path = *state};
    scratch_path idx, folder;
    struct dataset d;
    source.format = DATA_IDX;
    source.path = scratch_name(idx, state, "idx");
    assert_int_equal(synthetic_idx(idx, 5, 30, 10, 16, 7, NULL), ST_OK);
    load_or_fail(&source, &d);
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 150);
    assert_in_range(count_nearest(&d), 45, 50);
    uint64_t fingerprint = d.fingerprint;
    dataset_release(&d);
    assert_int_equal(synthetic_idx(idx, 5, 30, 10, 16, 7, NULL), ST_OK);
    assert_true(fingerprint_of(&source) == fingerprint);
    assert_int_equal(synthetic_idx(idx, 5, 30, 10, 16, 8, NULL), ST_OK);
    assert_true(fingerprint_of(&source) != fingerprint);
    source.format = DATA_IMAGE_FOLDER;
    source.path = scratch_name(folder, state, "folder");
    assert_int_equal(synthetic_image_folder(folder, 4, 20, 10, 16, 7, NULL), ST_OK);
    load_or_fail(&source, &d);
    assert_int_equal(d.image.c, 3);
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 80);
    assert_in_range(count_nearest(&d), 36, 40);
    dataset_release(&d);
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_spec),
        IN_SCRATCH(requests_are_checked),
        cmocka_unit_test(sets_larger_than_the_machine_are_refused),
        IN_SCRATCH(statistics_are_those_of_the_training_split),
        IN_SCRATCH(validation_images_do_not_count),
        IN_SCRATCH(images_know_their_place_in_the_files),
        IN_SCRATCH(fingerprints_see_pixels_labels_and_splits),
        IN_SCRATCH(a_look_sees_what_loading_finds),
        IN_SCRATCH(a_look_reports_what_is_missing),
        IN_SCRATCH(failed_allocations_leave_nothing),
        IN_SCRATCH(synthetic_sets_can_be_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
