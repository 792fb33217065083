#include <sys/stat.h>

#include "data_test.h"
#include "encode_image.h"

enum { SIDE = 4 };

/* An image whose pixels all have this value (RGB: value, value + 1, value + 2); PNG, so that it is exact. */
static struct bytes make_png(int h, int w, int channels, int value)
{
    uint8_t pixels[64 * 64 * 3];
    struct bytes file;
    for (int i = 0; i < h * w * channels; i++)
        pixels[i] = (uint8_t)(value + i % channels);
    assert_true(encode_png(pixels, h, w, (size_t)(w * channels),
                           (struct png_flavour){.color = channels == 3 ? 2 : 0, .depth = 8}, &file));
    return file;
}

static void put_png(void **state, const char *name, int h, int w, int channels, int value)
{
    struct bytes file = make_png(h, w, channels, value);
    put_file(state, name, file.data, file.n);
    free(file.data);
}

static void put_jpeg(void **state, const char *name, int channels)
{
    uint8_t pixels[SIDE * SIDE * 4];
    struct bytes file;
    memset(pixels, 90, sizeof pixels);
    assert_true(encode_jpeg(pixels, SIDE, SIDE, channels, (struct jpeg_flavour){.quality = 100}, &file));
    put_file(state, name, file.data, file.n);
    free(file.data);
}

static void drop(void **state, const char *name)
{
    scratch_path path;
    assert_int_equal(remove(scratch_name(path, state, name)), 0);
}

/* Two classes, RGB; the names are such that their order is that of bytes, not of a dictionary. */
static struct data_source put_folder(void **state)
{
    put_png(state, "train/dog/b.png", SIDE, SIDE, 3, 10);
    put_png(state, "train/dog/B.PNG", SIDE, SIDE, 3, 20);
    put_png(state, "train/Cat/10.png", SIDE, SIDE, 3, 30);
    put_png(state, "train/Cat/9.png", SIDE, SIDE, 3, 40);
    put_png(state, "test/dog/x.png", SIDE, SIDE, 3, 50);
    put_png(state, "test/Cat/y.png", SIDE, SIDE, 3, 60);
    return (struct data_source){.format = DATA_IMAGE_FOLDER, .path = *state};
}

static void expect_image(const struct dataset *d, enum split s, size_t i, const char *name, int label,
                         int value)
{
    const struct image_set *set = &d->sets[s];
    int channels = d->image.c;
    size_t n = (size_t)d->image.h * (size_t)d->image.w * (size_t)channels;
    assert_true(i < set->count);
    assert_string_equal(set->names[i], name);
    assert_int_equal(set->labels[i], label);
    for (size_t k = 0; k < n; k++)
        assert_int_equal(set->pixels[i * n + k], value + (int)(k % (size_t)channels));
}

static void images_are_in_order(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset d;
    load_or_fail(&source, &d);
    assert_int_equal(d.image.c, 3);
    assert_int_equal(d.image.h, SIDE);
    assert_int_equal(d.image.w, SIDE);
    assert_int_equal(d.classes, 2);
    assert_string_equal(d.class_names[0], "Cat");
    assert_string_equal(d.class_names[1], "dog");
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 4);
    expect_image(&d, SPLIT_TRAIN, 0, "train/Cat/10.png", 0, 30);
    expect_image(&d, SPLIT_TRAIN, 1, "train/Cat/9.png", 0, 40);
    expect_image(&d, SPLIT_TRAIN, 2, "train/dog/B.PNG", 1, 20);
    expect_image(&d, SPLIT_TRAIN, 3, "train/dog/b.png", 1, 10);
    assert_int_equal(d.sets[SPLIT_TEST].count, 2);
    expect_image(&d, SPLIT_TEST, 0, "test/Cat/y.png", 0, 60);
    expect_image(&d, SPLIT_TEST, 1, "test/dog/x.png", 1, 50);
    assert_int_equal(d.skipped, 0);
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

static void val_serves_as_test_only_where_there_is_none(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset d;
    put_png(state, "val/dog/v.png", SIDE, SIDE, 3, 70);
    put_png(state, "val/Cat/v.png", SIDE, SIDE, 3, 80);
    load_or_fail(&source, &d);
    expect_image(&d, SPLIT_TEST, 0, "test/Cat/y.png", 0, 60);
    dataset_release(&d);
    drop(state, "test/dog/x.png");
    drop(state, "test/Cat/y.png");
    drop(state, "test/dog");
    drop(state, "test/Cat");
    drop(state, "test");
    load_or_fail(&source, &d);
    expect_image(&d, SPLIT_TEST, 0, "val/Cat/v.png", 0, 80);
    dataset_release(&d);
}

/* The split is the same whether it is done before or after decoding, and files left out are not read. */
static void splits_choose_before_reading(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset d;
    source.val = 2;
    load_or_fail(&source, &d);
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 2);
    assert_int_equal(d.sets[SPLIT_VAL].count, 2);
    assert_int_equal(d.sets[SPLIT_VAL].labels[0], 0);
    assert_int_equal(d.sets[SPLIT_VAL].labels[1], 1);
    assert_string_not_equal(d.sets[SPLIT_VAL].names[0], d.sets[SPLIT_TRAIN].names[0]);
    static const char *const files[] = {"train/Cat/10.png", "train/Cat/9.png", "train/dog/B.PNG",
                                        "train/dog/b.png"};
    for (size_t i = 0; i < 4; i++) {
        const struct image_set *set = &d.sets[i / 2 ? SPLIT_VAL : SPLIT_TRAIN];
        assert_string_equal(set->names[i % 2], files[image_place(set, i % 2)]);
    }
    char *left_out =
        mem_strdup(d.sets[SPLIT_TRAIN].names[0]); /* class 0; the limit of 1 will keep one of the two */
    dataset_release(&d);
    source.train_limit = 1;
    source.test_limit = 1;
    load_or_fail(&source, &d);
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 1);
    assert_int_equal(d.sets[SPLIT_TEST].count, 1);
    assert_string_equal(d.sets[SPLIT_TRAIN].names[0], left_out);
    dataset_release(&d);
    mem_free(left_out);
    put_file(state, "test/dog/x.png", "broken", 6); /* class 0 gets the only place in the test set */
    load_or_fail(&source, &d);
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

static void gray_stays_gray(void **state)
{
    struct data_source source = put_folder(state);
    static const char *const names[] = {"train/dog/b.png", "train/dog/B.PNG", "train/Cat/10.png",
                                        "train/Cat/9.png", "test/dog/x.png",  "test/Cat/y.png"};
    struct dataset d;
    for (int i = 0; i < 6; i++)
        put_png(state, names[i], SIDE, SIDE, 1, 10 * i);
    load_or_fail(&source, &d);
    assert_int_equal(d.image.c, 1);
    expect_image(&d, SPLIT_TRAIN, 3, "train/dog/b.png", 1, 0);
    expect_image(&d, SPLIT_TEST, 0, "test/Cat/y.png", 0, 50);
    dataset_release(&d);
}

/* Wherever the only colour image comes, all are RGB with equal channels. */
static void one_colour_image_makes_all_rgb(void **state)
{
    static const char *const names[] = {"train/Cat/10.png", "train/Cat/9.png", "train/dog/B.PNG",
                                        "train/dog/b.png",  "test/Cat/y.png",  "test/dog/x.png"};
    struct data_source source = put_folder(state);
    for (size_t colour = 0; colour < 6; colour++) {
        struct dataset d;
        for (size_t i = 0; i < 6; i++)
            put_png(state, names[i], SIDE, SIDE, i == colour ? 3 : 1, (int)(10 * i));
        load_or_fail(&source, &d);
        assert_int_equal(d.image.c, 3);
        for (size_t i = 0; i < 6; i++) {
            const struct image_set *set = &d.sets[i < 4 ? SPLIT_TRAIN : SPLIT_TEST];
            const uint8_t *image = set->pixels + (i < 4 ? i : i - 4) * SIDE * SIDE * 3;
            for (size_t k = 0; k < SIDE * SIDE * 3; k++)
                assert_int_equal(image[k], 10 * i + (i == colour ? k % 3 : 0));
        }
        dataset_release(&d);
    }
    assert_int_equal(mem_live(), 0);
}

static void other_files_are_ignored(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset with, without;
    scratch_path target, link;
    load_or_fail(&source, &without);
    put_file(state, "train/readme.txt", "x", 1);
    put_file(state, "train/lonely.png", "x", 1);
    put_file(state, "train/.hidden/a.png", "x", 1);
    put_file(state, "train/dog/notes.txt", "x", 1);
    put_file(state, "train/dog/png", "x", 1);
    put_file(state, "train/dog/b.png.bak", "x", 1);
    put_file(state, "train/dog/._b.png", "x", 1);
    put_file(state, "train/dog/sub/c.png", "x", 1);
    load_or_fail(&source, &with);
    assert_true(with.fingerprint == without.fingerprint);
    dataset_release(&with);
    /* Links to files and to folders are as good as the real thing. */
    assert_int_equal(rename(scratch_name(target, state, "train/dog"), scratch_name(link, state, "elsewhere")),
                     0);
    assert_int_equal(symlink("../elsewhere", target), 0);
    assert_int_equal(
        rename(scratch_name(target, state, "test/dog/x.png"), scratch_name(link, state, "moved.png")), 0);
    assert_int_equal(symlink("../../moved.png", target), 0);
    load_or_fail(&source, &with);
    assert_true(with.fingerprint == without.fingerprint);
    dataset_release(&with);
    dataset_release(&without);
}

static void sizes_must_agree_unless_resized(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset d;
    put_png(state, "train/dog/b.png", 6, 12, 3, 10);
    expect_load_error(&source, ST_USAGE, "train/dog/b.png: image is 6x12 (height x width), the first one 4x4",
                      "resize");
    source.skip_bad = true; /* it can be read: leaving it out would hide a mistake */
    expect_load_error(&source, ST_USAGE, "train/dog/b.png", "6x12");
    source.resize_h = 3;
    source.resize_w = 5;
    load_or_fail(&source, &d);
    assert_int_equal(d.image.h, 3);
    assert_int_equal(d.image.w, 5);
    expect_image(&d, SPLIT_TRAIN, 3, "train/dog/b.png", 1, 10);
    expect_image(&d, SPLIT_TRAIN, 0, "train/Cat/10.png", 0, 30);
    dataset_release(&d);
}

/* Each kind of bad file, in the middle of the training set. */
static void check_bad(void **state, const char *name, enum status status, const char *part)
{
    struct data_source source = {.format = DATA_IMAGE_FOLDER, .path = *state};
    struct dataset d;
    expect_load_error(&source, status, name, part);
    source.skip_bad = true;
    load_or_fail(&source, &d);
    assert_int_equal(d.skipped, 1);
    assert_non_null(strstr(d.first_skipped, name));
    assert_non_null(strstr(d.first_skipped, part));
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 4);
    expect_image(&d, SPLIT_TRAIN, 0, "train/Cat/10.png", 0, 30);
    expect_image(&d, SPLIT_TRAIN, 3, "train/dog/b.png", 1, 10);
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
    drop(state, name);
}

static void bad_files_are_errors_or_counted(void **state)
{
    scratch_path path;
    put_folder(state);
    struct bytes png = make_png(SIDE, SIDE, 3, 1);
    put_file(state, "train/Cat/a.png", png.data, png.n - 20);
    check_bad(state, "train/Cat/a.png", ST_CORRUPT, "PNG image truncated at byte");
    put_file(state, "train/Cat/a.jpg", png.data, png.n);
    check_bad(state, "train/Cat/a.jpg", ST_CORRUPT, "is a PNG image, but its name says JPEG");
    free(png.data);
    put_jpeg(state, "train/Cat/a.png", 3);
    check_bad(state, "train/Cat/a.png", ST_CORRUPT, "is a JPEG image, but its name says PNG");
    put_jpeg(state, "train/Cat/a.JPEG", 4);
    check_bad(state, "train/Cat/a.JPEG", ST_CORRUPT, "CMYK");
    put_file(state, "train/Cat/a.jpeg", "<html>", 6);
    check_bad(state, "train/Cat/a.jpeg", ST_CORRUPT, "neither JPEG nor PNG");
    put_file(state, "train/Cat/a.jpeg", "", 0);
    check_bad(state, "train/Cat/a.jpeg", ST_CORRUPT, "empty");
    put_file(state, "train/Cat/0.png", "broken", 6); /* before the image that decides the size */
    check_bad(state, "train/Cat/0.png", ST_CORRUPT, "neither JPEG nor PNG");
    assert_int_equal(mkdir(scratch_name(path, state, "train/Cat/folder.png"), 0700), 0);
    check_bad(state, "train/Cat/folder.png", ST_FAILED, "not a regular file");
    assert_int_equal(mkfifo(scratch_name(path, state, "train/Cat/pipe.png"), 0600), 0);
    check_bad(state, "train/Cat/pipe.png", ST_FAILED, "not a regular file");
    assert_int_equal(symlink("nowhere", scratch_name(path, state, "train/Cat/link.png")), 0);
    check_bad(state, "train/Cat/link.png", ST_FAILED, "No such file");
}

static void a_set_without_readable_images_is_an_error(void **state)
{
    struct data_source source = put_folder(state);
    source.skip_bad = true;
    put_file(state, "test/dog/x.png", "broken", 6);
    put_file(state, "test/Cat/y.png", "broken", 6);
    expect_load_error(&source, ST_CORRUPT, "no readable image in the test set", "test/Cat/y.png: neither");
}

static void incomplete_folders_are_named(void **state)
{
    struct data_source source = put_folder(state);
    scratch_path path;
    assert_int_equal(mkdir(scratch_name(path, state, "train/empty"), 0700), 0);
    expect_load_error(&source, ST_USAGE, "no images in", "train/empty");
    drop(state, "train/empty");
    put_png(state, "test/bird/a.png", SIDE, SIDE, 3, 1);
    expect_load_error(&source, ST_USAGE, "test/bird is a class that train/ does not have", "");
    drop(state, "test/bird/a.png");
    drop(state, "test/bird");
    drop(state, "test/dog/x.png");
    expect_load_error(&source, ST_USAGE, "no images in", "test/dog");
    drop(state, "test/dog");
    expect_load_error(&source, ST_FAILED, "test/dog", "No such file");
    drop(state, "test/Cat/y.png");
    drop(state, "test/Cat");
    drop(state, "test");
    expect_load_error(&source, ST_USAGE, "no test set in", "expected a folder test or val");
    drop(state, "train/dog/b.png");
    drop(state, "train/dog/B.PNG");
    drop(state, "train/dog");
    expect_load_error(&source, ST_USAGE, "1 class folders in", "allowed are 2 to");
    assert_int_equal(symlink("nowhere", scratch_name(path, state, "train/dog")), 0);
    expect_load_error(&source, ST_FAILED, "train/dog", "No such file");
}

static void missing_train_is_named(void **state)
{
    struct data_source source = {.format = DATA_IMAGE_FOLDER, .path = *state};
    expect_load_error(&source, ST_FAILED, "/train", "No such file");
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(images_are_in_order),
        IN_SCRATCH(val_serves_as_test_only_where_there_is_none),
        IN_SCRATCH(splits_choose_before_reading),
        IN_SCRATCH(gray_stays_gray),
        IN_SCRATCH(one_colour_image_makes_all_rgb),
        IN_SCRATCH(other_files_are_ignored),
        IN_SCRATCH(sizes_must_agree_unless_resized),
        IN_SCRATCH(bad_files_are_errors_or_counted),
        IN_SCRATCH(a_set_without_readable_images_is_an_error),
        IN_SCRATCH(incomplete_folders_are_named),
        IN_SCRATCH(missing_train_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
