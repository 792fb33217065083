#include <sys/stat.h>
#include <zlib.h>

#include "data/gzip.h"
#include "data/idx.h"
#include "data_test.h"

/* Two images of 2 rows and 3 columns. */
static const uint8_t images[] = {0, 0, 8,  3,  0,  0,  0,  2,  0,  0,  0,  2,  0,  0,
                                 0, 3, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0};

struct buffer {
    uint8_t bytes[1024];
    size_t n;
};

/* Compresses to one gzip member. */
static struct buffer gzip(const uint8_t *in, size_t n)
{
    struct buffer out = {{0}, 0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)in;
    z.avail_in = (uInt)n;
    z.next_out = out.bytes;
    z.avail_out = sizeof out.bytes;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.n = z.total_out;
    deflateEnd(&z);
    return out;
}

static void expect_parse_error(const uint8_t *file, size_t n, bool compressed, int dimensions,
                               enum status status, const char *part)
{
    struct idx_array a = {{9, 9, 9}, NULL};
    struct err e = ERR_INIT;
    uint8_t *exact = malloc(n ? n : 1); /* of the exact length: a sanitizer sees reads past the end */
    memcpy(exact, file, n);
    assert_int_equal(idx_parse(exact, n, compressed, dimensions, &a, &e), status);
    expect_text(&e, part);
    assert_null(a.bytes);
    assert_int_equal(mem_live(), 0);
    free(exact);
}

static void arrays_hold_what_the_file_says(void **state)
{
    (void)state;
    struct idx_array a;
    struct buffer zipped = gzip(images, sizeof images);
    for (int compressed = 0; compressed < 2; compressed++) {
        assert_int_equal(idx_parse(compressed ? zipped.bytes : images, compressed ? zipped.n : sizeof images,
                                   compressed, 3, &a, NULL),
                         ST_OK);
        assert_int_equal(a.size[0], 2);
        assert_int_equal(a.size[1], 2);
        assert_int_equal(a.size[2], 3);
        assert_memory_equal(a.bytes, images + 16, 12);
        idx_array_release(&a);
    }
    assert_int_equal(idx_parse(labels, sizeof labels, false, 1, &a, NULL), ST_OK);
    assert_int_equal(a.size[0], 2);
    assert_int_equal(a.size[1] * a.size[2], 1);
    assert_memory_equal(a.bytes, labels + 8, 2);
    idx_array_release(&a);
    assert_int_equal(mem_live(), 0);
}

static void every_truncation_is_named(void **state)
{
    (void)state;
    char part[64];
    for (size_t n = 0; n < sizeof images; n++) {
        snprintf(part, sizeof part,
                 n < 16 ? "truncated at byte %zu: an IDX header has 16" : "truncated at byte %zu of 28", n);
        expect_parse_error(images, n, false, 3, ST_CORRUPT, part);
        struct buffer zipped = gzip(images, n); /* a complete .gz of a truncated file */
        expect_parse_error(zipped.bytes, zipped.n, true, 3, ST_CORRUPT, part);
    }
    for (size_t n = 0; n < sizeof labels; n++)
        expect_parse_error(labels, n, false, 1, ST_CORRUPT, "truncated at byte");
}

static void every_truncated_gz_is_refused(void **state)
{
    (void)state;
    struct buffer zipped = gzip(images, sizeof images);
    for (size_t n = 0; n < zipped.n; n++)
        expect_parse_error(zipped.bytes, n, true, 3, ST_CORRUPT, "compressed data truncated at byte");
}

static void damaged_gz_is_refused(void **state)
{
    (void)state;
    struct buffer zipped = gzip(images, sizeof images), damaged = zipped;
    damaged.bytes[zipped.n - 5] ^= 1; /* the checksum's last byte */
    expect_parse_error(damaged.bytes, damaged.n, true, 3, ST_CORRUPT, "damaged at byte");
    expect_parse_error(images, sizeof images, true, 3, ST_CORRUPT, "damaged at byte");
    memcpy(zipped.bytes + zipped.n, "junk behind the member", 22);
    expect_parse_error(zipped.bytes, zipped.n + 22, true, 3, ST_CORRUPT, "compressed data");
}

static void gz_members_are_joined(void **state)
{
    (void)state;
    struct buffer first = gzip(images, 20), second = gzip(images + 20, sizeof images - 20);
    struct idx_array a;
    memcpy(first.bytes + first.n, second.bytes, second.n);
    assert_int_equal(idx_parse(first.bytes, first.n + second.n, true, 3, &a, NULL), ST_OK);
    assert_memory_equal(a.bytes, images + 16, 12);
    idx_array_release(&a);
}

static void headers_are_checked(void **state)
{
    (void)state;
    uint8_t file[sizeof images + 1];
    struct {
        size_t at;
        uint8_t value;
        enum status status;
        const char *part;
    } cases[] = {
        {0, 0x1f, ST_CORRUPT, "bad magic 1f000803 at byte 0"},
        {1, 1, ST_CORRUPT, "bad magic 00010803"},
        {2, 0x0d, ST_USAGE, "element type 0x0d at byte 2"},
        {3, 1, ST_USAGE, "1 dimensions at byte 3, expected 3"},
        {3, 4, ST_USAGE, "4 dimensions at byte 3, expected 3"},
        {7, 0, ST_CORRUPT, "dimension 1 at byte 4 is 0"},
        {7, 3, ST_CORRUPT, "truncated at byte 28 of 34"},
        {7, 1, ST_CORRUPT, "trailing bytes: the header announces 22 bytes, there are 28"},
        {11, 0, ST_CORRUPT, "dimension 2 at byte 8 is 0"},
        {10, 0x40, ST_CORRUPT, "dimension 2 at byte 8 is 16386, allowed are 1 to 16384"},
        {12, 0x80, ST_CORRUPT, "dimension 3 at byte 12 is 2147483651"},
        {4, 0xff, ST_CORRUPT, "truncated at byte 28 of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(file, images, sizeof images);
        file[cases[i].at] = cases[i].value;
        expect_parse_error(file, sizeof images, false, 3, cases[i].status, cases[i].part);
    }
    memcpy(file, images, sizeof images);
    file[sizeof images] = 0;
    expect_parse_error(file, sizeof file, false, 3, ST_CORRUPT, "trailing bytes");
    struct buffer zipped = gzip(file, sizeof file);
    expect_parse_error(zipped.bytes, zipped.n, true, 3, ST_CORRUPT, "trailing bytes");
}

/* A tiny .gz that announces 64 TiB must not even ask for the memory. */
static void announced_sizes_cost_nothing(void **state)
{
    (void)state;
    const uint8_t bomb[16] = {0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x40, 0, 0, 0, 0x40, 0};
    struct buffer zipped = gzip(bomb, sizeof bomb);
    expect_parse_error(zipped.bytes, zipped.n, true, 3, ST_CORRUPT, "compressed bytes cannot hold");
}

static void put_set(void **state, const char *images_name, const void *image_bytes, size_t image_n,
                    const char *labels_name, const void *label_bytes, size_t label_n)
{
    put_file(state, images_name, image_bytes, image_n);
    put_file(state, labels_name, label_bytes, label_n);
}

static struct data_source put_folder(void **state)
{
    put_set(state, "train-images-idx3-ubyte", images, sizeof images, "train-labels-idx1-ubyte", labels,
            sizeof labels);
    put_set(state, "t10k-images-idx3-ubyte", images, sizeof images, "t10k-labels-idx1-ubyte", labels,
            sizeof labels);
    return (struct data_source){.format = DATA_IDX, .path = *state};
}

static void folders_load(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset d;
    load_or_fail(&source, &d);
    assert_int_equal(d.image.c, 1);
    assert_int_equal(d.image.h, 2);
    assert_int_equal(d.image.w, 3);
    assert_int_equal(d.classes, 2);
    assert_string_equal(d.class_names[0], "0");
    assert_string_equal(d.class_names[1], "1");
    assert_int_equal(d.sets[SPLIT_TRAIN].count, 2);
    assert_int_equal(d.sets[SPLIT_VAL].count, 0);
    assert_int_equal(d.sets[SPLIT_TEST].count, 2);
    assert_memory_equal(d.sets[SPLIT_TRAIN].pixels, images + 16, 12);
    assert_int_equal(d.sets[SPLIT_TRAIN].labels[0], 1);
    assert_int_equal(d.sets[SPLIT_TRAIN].labels[1], 0);
    assert_null(d.sets[SPLIT_TRAIN].names);
    dataset_release(&d);
    assert_int_equal(mem_live(), 0);
}

static void gz_is_the_same_and_plain_wins(void **state)
{
    struct data_source source = put_folder(state);
    struct dataset plain, mixed;
    scratch_path path;
    struct buffer zipped_images = gzip(images, sizeof images), zipped_labels = gzip(labels, sizeof labels);
    load_or_fail(&source, &plain);
    put_file(state, "t10k-images-idx3-ubyte.gz", "broken", 6); /* not read: the plain file is there */
    assert_int_equal(unlink(scratch_name(path, state, "train-images-idx3-ubyte")), 0);
    assert_int_equal(unlink(scratch_name(path, state, "train-labels-idx1-ubyte")), 0);
    put_file(state, "train-images-idx3-ubyte.gz", zipped_images.bytes, zipped_images.n);
    put_file(state, "train-labels-idx1-ubyte.gz", zipped_labels.bytes, zipped_labels.n);
    load_or_fail(&source, &mixed);
    assert_true(plain.fingerprint == mixed.fingerprint);
    dataset_release(&plain);
    dataset_release(&mixed);
    put_file(state, "train-images-idx3-ubyte.gz", zipped_images.bytes, zipped_images.n - 4);
    expect_load_error(&source, ST_CORRUPT, "train-images-idx3-ubyte.gz: ", "truncated at byte");
}

static void files_that_do_not_fit_together_are_named(void **state)
{
    struct data_source source = put_folder(state);
    const uint8_t one_label[] = {0, 0, 8, 1, 0, 0, 0, 1, 1};
    const uint8_t large_label[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 2};
    const uint8_t one_class[] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 0};
    uint8_t turned[sizeof images];
    memcpy(turned, images, sizeof images);
    turned[11] = 3;
    turned[15] = 2;
    put_file(state, "train-labels-idx1-ubyte", one_label, sizeof one_label);
    expect_load_error(&source, ST_CORRUPT, "train-labels-idx1-ubyte has 1 labels",
                      "train-images-idx3-ubyte has 2 images");
    put_folder(state);
    put_file(state, "t10k-labels-idx1-ubyte", large_label, sizeof large_label);
    expect_load_error(&source, ST_CORRUPT, "t10k-labels-idx1-ubyte: label 2 at byte 9", "end at 1");
    put_folder(state);
    put_file(state, "t10k-images-idx3-ubyte", turned, sizeof turned);
    expect_load_error(&source, ST_CORRUPT, "t10k-images-idx3-ubyte: images are 3x2", "2x3");
    put_folder(state);
    put_file(state, "train-labels-idx1-ubyte", one_class, sizeof one_class);
    put_file(state, "t10k-labels-idx1-ubyte", one_class, sizeof one_class);
    expect_load_error(&source, ST_USAGE, "only one class", "");
}

static void missing_and_strange_files_are_named(void **state)
{
    struct data_source source = put_folder(state);
    scratch_path path;
    assert_int_equal(unlink(scratch_name(path, state, "t10k-labels-idx1-ubyte")), 0);
    expect_load_error(&source, ST_USAGE, "t10k-labels-idx1-ubyte", ".gz");
    assert_int_equal(mkfifo(path, 0600), 0); /* opening it would wait forever */
    expect_load_error(&source, ST_FAILED, "t10k-labels-idx1-ubyte", "not a regular file");
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_hold_what_the_file_says),
        cmocka_unit_test(every_truncation_is_named),
        cmocka_unit_test(every_truncated_gz_is_refused),
        cmocka_unit_test(damaged_gz_is_refused),
        cmocka_unit_test(gz_members_are_joined),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(announced_sizes_cost_nothing),
        IN_SCRATCH(folders_load),
        IN_SCRATCH(gz_is_the_same_and_plain_wins),
        IN_SCRATCH(files_that_do_not_fit_together_are_named),
        IN_SCRATCH(missing_and_strange_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
