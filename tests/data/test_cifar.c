#include "data/cifar.h"
#include "data_test.h"
#include "synthetic.h"

enum { RECORD10 = 1 + CIFAR_IMAGE, RECORD100 = 2 + CIFAR_IMAGE };

/* The value of pixel i, channel c, of record r: no two neighbours alike. */
static uint8_t value(size_t r, size_t i, size_t c)
{
    return (uint8_t)(i * 7 + c * 85 + r * 31);
}

/* A file with planes as CIFAR stores them; the label of record r is r, after `label_bytes` - 1 bytes of 19.
 */
static void fill_file(uint8_t *file, size_t records, size_t label_bytes)
{
    for (size_t r = 0; r < records; r++) {
        uint8_t *record = file + r * (label_bytes + CIFAR_IMAGE);
        memset(record, 19, label_bytes);
        record[label_bytes - 1] = (uint8_t)r;
        for (size_t c = 0; c < 3; c++)
            for (size_t i = 0; i < CIFAR_PLANE; i++)
                record[label_bytes + c * CIFAR_PLANE + i] = value(r, i, c);
    }
}

static void expect_image(const uint8_t *pixels, size_t r)
{
    for (size_t i = 0; i < CIFAR_PLANE; i++)
        for (size_t c = 0; c < 3; c++)
            assert_int_equal(pixels[i * 3 + c], value(r, i, c));
}

static void planes_become_channels(void **state)
{
    (void)state;
    enum data_format formats[] = {DATA_CIFAR10, DATA_CIFAR100};
    uint8_t file[3 * RECORD100], pixels[3 * CIFAR_IMAGE];
    uint16_t labels[3];
    for (size_t label_bytes = 1; label_bytes <= 2; label_bytes++) {
        struct cifar_layout layout = cifar_layout_of(formats[label_bytes - 1]);
        assert_int_equal(layout.label_bytes, label_bytes);
        fill_file(file, 3, label_bytes);
        assert_int_equal(cifar_parse(file, 3 * (label_bytes + CIFAR_IMAGE), layout, pixels, labels, NULL),
                         ST_OK);
        for (size_t r = 0; r < 3; r++) {
            assert_int_equal(labels[r], r);
            expect_image(pixels + r * CIFAR_IMAGE, r);
        }
    }
}

static void incomplete_records_are_refused(void **state)
{
    (void)state;
    size_t count = 99, bad[] = {0, 1, RECORD10 - 1, RECORD10 + 1, 2 * RECORD10 - 1, 5 * RECORD10 + 100};
    struct cifar_layout layout = cifar_layout_of(DATA_CIFAR10);
    struct err e = ERR_INIT;
    char part[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(cifar_count(bad[i], layout, &count, &e), ST_CORRUPT);
        snprintf(part, sizeof part, "truncated at byte %zu of %d", bad[i],
                 (int)(bad[i] / RECORD10 + 1) * RECORD10);
        expect_text(&e, part);
    }
    assert_int_equal(cifar_count(7 * RECORD10, layout, &count, NULL), ST_OK);
    assert_int_equal(count, 7);
}

static void labels_out_of_range_are_named(void **state)
{
    (void)state;
    uint8_t file[2 * RECORD100], pixels[2 * CIFAR_IMAGE];
    uint16_t labels[2];
    struct err e = ERR_INIT;
    fill_file(file, 2, 1);
    file[RECORD10] = 10;
    assert_int_equal(cifar_parse(file, 2 * RECORD10, cifar_layout_of(DATA_CIFAR10), pixels, labels, &e),
                     ST_CORRUPT);
    expect_text(&e, "label 10 at byte 3073 (image 1): allowed are 0 to 9");
    fill_file(file, 2, 2);
    file[RECORD100 + 1] = 100;
    assert_int_equal(cifar_parse(file, 2 * RECORD100, cifar_layout_of(DATA_CIFAR100), pixels, labels, &e),
                     ST_CORRUPT);
    expect_text(&e, "label 100 at byte 3075 (image 1): allowed are 0 to 99");
}

static void cifar10_folders_load(void **state)
{
    struct data_source source = {.format = DATA_CIFAR10, .path = *state, .val = 10};
    struct dataset d;
    scratch_path path;
    assert_int_equal(synthetic_cifar10(*state, 2, 3, 1, NULL), ST_OK);
    load_or_fail(&source, &d);
    assert_int_equal(d.classes, 10);
    assert_int_equal(d.image.c, 3);
    assert_int_equal(d.image.h, 32);
    assert_int_equal(d.image.w, 32);
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 90);
    assert_int_equal(d.sets[SPLIT_VAL].count, 10);
    assert_int_equal(d.sets[SPLIT_TEST].count, 30);
    assert_string_equal(d.class_names[0], "zero");
    assert_string_equal(d.class_names[9], "nine");
    dataset_release(&d);
    assert_int_equal(unlink(scratch_name(path, state, "batches.meta.txt")), 0);
    load_or_fail(&source, &d);
    assert_string_equal(d.class_names[9], "9");
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

/* Five files, one after the other: the order of images is that of the files. */
static void batches_are_joined_in_order(void **state)
{
    uint8_t file[RECORD10];
    char name[32];
    struct data_source source = {.format = DATA_CIFAR10, .path = *state};
    struct dataset d;
    for (size_t i = 0; i < 5; i++) {
        fill_file(file, 1, 1);
        file[0] = (uint8_t)(9 - i);
        file[1] = (uint8_t)(100 + i);
        snprintf(name, sizeof name, "data_batch_%zu.bin", i + 1);
        put_file(state, name, file, sizeof file);
    }
    put_file(state, "test_batch.bin", file, sizeof file);
    load_or_fail(&source, &d);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(d.sets[SPLIT_TRAIN].labels[i], 9 - i);
        assert_int_equal(d.sets[SPLIT_TRAIN].pixels[i * CIFAR_IMAGE], 100 + i);
    }
    dataset_release(&d);
}

static void cifar100_uses_fine_labels(void **state)
{
    uint8_t file[3 * RECORD100];
    char names[1000] = "";
    struct data_source source = {.format = DATA_CIFAR100, .path = *state};
    struct dataset d;
    fill_file(file, 3, 2);
    put_file(state, "train.bin", file, sizeof file);
    put_file(state, "test.bin", file, sizeof file);
    for (int k = 0; k < 100; k++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "fine%d\r\n", k);
    put_file(state, "fine_label_names.txt", names, strlen(names));
    load_or_fail(&source, &d);
    assert_int_equal(d.classes, 100);
    assert_string_equal(d.class_names[99], "fine99");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(d.sets[SPLIT_TRAIN].labels[i], i);
        expect_image(d.sets[SPLIT_TRAIN].pixels + i * CIFAR_IMAGE, i);
    }
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

static void damaged_folders_are_named(void **state)
{
    struct data_source source = {.format = DATA_CIFAR10, .path = *state};
    uint8_t file[2 * RECORD10];
    scratch_path path;
    assert_int_equal(synthetic_cifar10(*state, 1, 1, 1, NULL), ST_OK);
    fill_file(file, 2, 1);
    put_file(state, "data_batch_3.bin", file, sizeof file - 1);
    expect_load_error(&source, ST_CORRUPT, "data_batch_3.bin: truncated at byte 6145 of 6146", "3073");
    file[RECORD10] = 200;
    put_file(state, "data_batch_3.bin", file, sizeof file);
    expect_load_error(&source, ST_CORRUPT, "data_batch_3.bin: label 200", "");
    assert_int_equal(unlink(scratch_name(path, state, "data_batch_3.bin")), 0);
    expect_load_error(&source, ST_FAILED, "data_batch_3.bin", "No such file");
    fill_file(file, 2, 1);
    put_file(state, "data_batch_3.bin", file, sizeof file);
    put_file(state, "batches.meta.txt", "cat\ndog\n", 8);
    expect_load_error(&source, ST_CORRUPT, "batches.meta.txt: 2 class names, expected 10", "");
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_become_channels),        cmocka_unit_test(incomplete_records_are_refused),
        cmocka_unit_test(labels_out_of_range_are_named), IN_SCRATCH(cifar10_folders_load),
        IN_SCRATCH(batches_are_joined_in_order),         IN_SCRATCH(cifar100_uses_fine_labels),
        IN_SCRATCH(damaged_folders_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
