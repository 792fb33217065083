/* Streamed image folders: the same data as in memory, and files that change meanwhile. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "data/image_set.h"
#include "data_test.h"
#include "encode_image.h"
#include "synthetic.h"

static const struct augmentation augmented = {.flip = true, .crop_pad = 2, .border = CROP_REFLECT};

static void expect_same_samples(const struct dataset *a, const struct dataset *b, enum split s)
{
    size_t row = (size_t)a->image.w * (size_t)a->image.c, n = row * (size_t)a->image.h;
    float *one = calloc(2 * n, sizeof *one), *other = one + n;
    assert_non_null(one);
    for (size_t i = 0; i < a->sets[s].count; i++) {
        const struct augmentation *how = s == SPLIT_TRAIN ? &augmented : NULL;
        int label = dataset_sample(a, s, i, how, 3, 1, one, row);
        assert_int_equal(dataset_sample(b, s, i, how, 3, 1, other, row), label);
        assert_memory_equal(one, other, n * sizeof *one);
        assert_string_equal(a->sets[s].names[i], b->sets[s].names[i]);
        assert_int_equal(image_place(&a->sets[s], i), image_place(&b->sets[s], i));
    }
    free(one);
}

/* Loads both ways and compares everything. */
static void expect_same_data(struct data_source source)
{
    struct dataset loaded, streamed;
    source.memory = DATA_LOAD;
    load_or_fail(&source, &loaded);
    source.memory = DATA_STREAM;
    load_or_fail(&source, &streamed);
    assert_null(loaded.stream);
    assert_non_null(streamed.stream);
    assert_true(dataset_memory(&loaded) > 0);
    assert_int_equal(dataset_memory(&streamed), 0);
    assert_memory_equal(&loaded.image, &streamed.image, sizeof loaded.image);
    assert_int_equal(loaded.classes, streamed.classes);
    assert_true(loaded.fingerprint == streamed.fingerprint);
    assert_memory_equal(loaded.mean, streamed.mean, sizeof loaded.mean);
    assert_memory_equal(loaded.stddev, streamed.stddev, sizeof loaded.stddev);
    assert_memory_equal(loaded.normalised, streamed.normalised, sizeof loaded.normalised);
    assert_int_equal(loaded.skipped, streamed.skipped);
    for (int s = 0; s < SPLIT_COUNT; s++) {
        assert_int_equal(loaded.sets[s].count, streamed.sets[s].count);
        assert_null(streamed.sets[s].pixels);
        expect_same_samples(&loaded, &streamed, (enum split)s);
    }
    assert_int_equal(dataset_failure(&loaded, NULL), ST_OK);
    assert_int_equal(dataset_failure(&streamed, NULL), ST_OK);
    dataset_release(&loaded);
    dataset_release(&streamed);
    assert_int_equal(mem_live(), 0);
}

static void streamed_samples_are_those_from_memory(void **state)
{
    struct data_source source = {.format = DATA_IMAGE_FOLDER, .path = *state};
    assert_int_equal(synthetic_image_folder(*state, 3, 150, 9, 9, 1, NULL), ST_OK); /* blocks of 256 */
    expect_same_data(source);
    source.val = 50;
    expect_same_data(source);
    source.train_limit = 300;
    source.test_limit = 5;
    expect_same_data(source);
}

/* Files eight times as large are decoded at a smaller scale, both ways. */
static void scaled_images_are_the_same(void **state)
{
    struct data_source source = {
        .format = DATA_IMAGE_FOLDER, .path = *state, .resize_h = 20, .resize_w = 17, .val = 4};
    assert_int_equal(synthetic_image_folder(*state, 2, 6, 2, 170, 1, NULL), ST_OK);
    expect_same_data(source);
    source.resize_h = 200; /* and larger than they are */
    expect_same_data(source);
}

/* A PNG of one value, gray or RGB. */
static void put_plain(void **state, const char *name, int side, int channels, int value)
{
    uint8_t pixels[16 * 16 * 3];
    struct bytes file;
    memset(pixels, value, sizeof pixels);
    assert_true(encode_png(pixels, side, side, (size_t)(side * channels),
                           (struct png_flavour){.color = channels == 3 ? 2 : 0, .depth = 8}, &file));
    put_file(state, name, file.data, file.n);
    free(file.data);
}

static const char *const plain_names[] = {"train/a/1.png", "train/a/2.png", "train/b/1.png",
                                          "train/b/2.png", "test/a/1.png",  "test/b/1.png"};
enum { PLAIN = 6, SIDE = 5 };

/* Six images; number `colour` is RGB, the others are gray. */
static struct data_source put_plain_folder(void **state, int colour)
{
    for (int i = 0; i < PLAIN; i++)
        put_plain(state, plain_names[i], SIDE, i == colour ? 3 : 1, 10 + 20 * i);
    return (struct data_source){.format = DATA_IMAGE_FOLDER, .path = *state};
}

static void colours_may_come_late(void **state)
{
    for (int colour = -1; colour < PLAIN; colour++) {
        struct data_source source = put_plain_folder(state, colour);
        expect_same_data(source);
        source.val = 1;
        expect_same_data(source);
    }
}

static void bad_files_are_left_out_or_errors(void **state)
{
    struct data_source source = put_plain_folder(state, 3);
    source.skip_bad = true;
    put_file(state, "train/a/0.png", "broken", 6); /* before the image that decides the size */
    put_file(state, "train/b/11.png", "", 0);
    put_file(state, "test/a/2.jpg", "broken", 6);
    expect_same_data(source);
    source.memory = DATA_STREAM;
    source.skip_bad = false;
    expect_load_error(&source, ST_CORRUPT, "train/a/0.png", "neither JPEG nor PNG");
    scratch_path path;
    assert_int_equal(remove(scratch_name(path, state, "train/a/0.png")), 0);
    expect_load_error(&source, ST_CORRUPT, "train/b/11.png", "empty");
    source.skip_bad = true;
    put_plain(state, "train/b/12.png", SIDE + 1, 3, 1);
    expect_load_error(&source, ST_USAGE, "train/b/12.png: image is 6x6", "first one 5x5");
    assert_int_equal(remove(scratch_name(path, state, "train/b/12.png")), 0);
    put_file(state, "test/a/1.png", "broken", 6);
    put_file(state, "test/b/1.png", "broken", 6);
    expect_load_error(&source, ST_CORRUPT, "no readable image in the test set", "train/b/11.png");
}

/* Training image 1 cannot be drawn any more, for the reason given; the others can. */
static void expect_lost(const struct data_source *source, void (*lose)(void **state), void **state,
                        enum status status, const char *reason)
{
    struct dataset d;
    struct err e = ERR_INIT;
    float sample[SIDE * SIDE * 3];
    const uint32_t all[] = {0, 1, 2, 3, 99};
    load_or_fail(source, &d);
    lose(state);
    dataset_ahead(&d, SPLIT_TRAIN, all, 5);
    assert_int_equal(dataset_failure(&d, &e), ST_OK);
    assert_int_equal(dataset_sample(&d, SPLIT_TRAIN, 0, NULL, 0, 0, sample, SIDE * 3), 0);
    assert_int_equal(dataset_sample(&d, SPLIT_TRAIN, 1, &augmented, 0, 0, sample, SIDE * 3), -1);
    assert_int_equal(dataset_sample(&d, SPLIT_TRAIN, 2, NULL, 0, 0, sample, SIDE * 3), 1);
    assert_int_equal(dataset_failure(&d, &e), status);
    expect_text(&e, "train/a/2.png");
    expect_text(&e, reason);
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

static void lose_by_removal(void **state)
{
    scratch_path path;
    assert_int_equal(remove(scratch_name(path, state, plain_names[1])), 0);
}

static void lose_by_truncation(void **state)
{
    scratch_path path;
    assert_int_equal(truncate(scratch_name(path, state, plain_names[1]), 40), 0);
}

static void lose_by_another_picture(void **state)
{
    put_plain(state, plain_names[1], SIDE, 3, 99);
}

static void lose_by_another_size(void **state)
{
    put_plain(state, plain_names[1], SIDE + 1, 3, 30);
}

static void lose_by_pipe(void **state)
{
    scratch_path path;
    lose_by_removal(state);
    assert_int_equal(mkfifo(scratch_name(path, state, plain_names[1]), 0600), 0);
}

static void files_lost_later_are_errors(void **state)
{
    struct data_source source = put_plain_folder(state, 1);
    source.memory = DATA_STREAM;
    source.skip_bad = true; /* is for what is bad from the start */
    expect_lost(&source, lose_by_truncation, state, ST_CORRUPT, "PNG image truncated at byte");
    put_plain_folder(state, 1);
    expect_lost(&source, lose_by_another_picture, state, ST_CORRUPT, "not what it was");
    put_plain_folder(state, 1);
    expect_lost(&source, lose_by_another_size, state, ST_USAGE, "image is 6x6");
    put_plain_folder(state, 1);
    expect_lost(&source, lose_by_pipe, state, ST_FAILED, "not a regular file");
    lose_by_removal(state);
    put_plain_folder(state, 1);
    expect_lost(&source, lose_by_removal, state, ST_FAILED, "No such file");
}

/* A gray set whose image has become coloured. */
static void a_gray_set_stays_gray(void **state)
{
    struct data_source source = put_plain_folder(state, -1);
    source.memory = DATA_STREAM;
    expect_lost(&source, lose_by_another_picture, state, ST_CORRUPT, "not what it was");
}

static void memory_decides_when_asked(void **state)
{
    struct data_source source = put_plain_folder(state, 0);
    struct dataset d;
    load_or_fail(&source, &d); /* auto; this fits everywhere */
    assert_null(d.stream);
    dataset_release(&d);
    struct shape shape = {3, 100, 100};
    assert_false(image_memory_is_short(10, shape, 600000));
    assert_true(image_memory_is_short(10, shape, 599999));
    assert_false(image_memory_is_short((size_t)1 << 40, shape, 0)); /* unknown */
    assert_string_equal(data_memory_name(DATA_AUTO), "auto");
    assert_string_equal(data_memory_name(DATA_LOAD), "load");
    assert_string_equal(data_memory_name(DATA_STREAM), "stream");
}

enum { LARGE = 96, LARGE_SIDE = 1024, LARGE_MIB = 3 * LARGE }; /* decoded */

static void put_large(void **state)
{
    uint8_t *pixels = calloc(LARGE_SIDE, 3 * LARGE_SIDE);
    assert_non_null(pixels);
    for (int i = 0; i < LARGE; i++) {
        struct bytes file;
        char name[32];
        pixels[i] = 255;
        assert_true(encode_png(pixels, LARGE_SIDE, LARGE_SIDE, 3 * LARGE_SIDE,
                               (struct png_flavour){.color = 2, .depth = 8}, &file));
        snprintf(name, sizeof name, "%s/%d/%02d.png", i < LARGE - 4 ? "train" : "test", i % 2, i);
        put_file(state, name, file.data, file.n);
        free(file.data);
    }
    free(pixels);
}

/* Loads and draws every sample; exit code 0 if that works. */
static _Noreturn void use_large(const char *folder)
{
    struct data_source source = {.format = DATA_IMAGE_FOLDER, .path = folder, .memory = DATA_STREAM};
    size_t row = (size_t)3 * LARGE_SIDE;
    float *sample = calloc(LARGE_SIDE, row * sizeof *sample);
    struct dataset d;
    bool good = sample && dataset_load(&source, &d, NULL) == ST_OK;
    for (uint32_t i = 0; good && i < d.sets[SPLIT_TRAIN].count; i++) {
        dataset_ahead(&d, SPLIT_TRAIN, &(uint32_t){i + 8}, 1);
        good = dataset_sample(&d, SPLIT_TRAIN, i, &augmented, 1, 1, sample, row) >= 0;
    }
    _exit(good ? 0 : 1);
}

/* A set goes through that takes far more memory decoded than the process ever has. */
static void memory_is_bounded(void **state)
{
    put_large(state);
    int status = -1;
    struct rusage usage;
    pid_t child = fork();
    if (child == 0)
        use_large(*state);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    /* Sanitizers take memory of their own; clang does not say in this way that it uses one. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ && !defined __clang__
    assert_in_range(usage.ru_maxrss / 1024, 1, LARGE_MIB * 3 / 4);
#endif
}

static void only_folders_can_be_streamed(void **state)
{
    struct data_source source = {.format = DATA_IDX, .path = *state, .memory = DATA_STREAM};
    assert_int_equal(synthetic_idx(*state, 2, 3, 1, 4, 1, NULL), ST_OK);
    expect_load_error(&source, ST_USAGE, "only images of an image-folder can be streamed", "not of idx");
}

static void failed_allocations_leave_nothing(void **state)
{
    struct data_source source = {.format = DATA_IMAGE_FOLDER,
                                 .path = *state,
                                 .val = 2,
                                 .skip_bad = true,
                                 .memory = DATA_STREAM,
                                 .resize_h = 5,
                                 .resize_w = 4};
    assert_int_equal(synthetic_image_folder(*state, 2, 4, 2, 9, 1, NULL), ST_OK);
    enum status status = ST_NOMEM;
    for (size_t n = 1; status != ST_OK; n++) {
        struct dataset d;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        status = dataset_load(&source, &d, &e);
        mem_fail_after(0);
        if (status != ST_OK) {
            assert_int_equal(status, ST_NOMEM);
            expect_text(&e, "memory");
        }
        dataset_release(&d);
        assert_int_equal(mem_live(), 0);
        assert_true(n < 4000);
    }
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(streamed_samples_are_those_from_memory),
        IN_SCRATCH(scaled_images_are_the_same),
        IN_SCRATCH(colours_may_come_late),
        IN_SCRATCH(bad_files_are_left_out_or_errors),
        IN_SCRATCH(files_lost_later_are_errors),
        IN_SCRATCH(a_gray_set_stays_gray),
        IN_SCRATCH(memory_decides_when_asked),
        IN_SCRATCH(memory_is_bounded),
        IN_SCRATCH(only_folders_can_be_streamed),
        IN_SCRATCH(failed_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
