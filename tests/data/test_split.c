#include "data/split.h"
#include "data_test.h"

enum { MOST = 2000, CLASSES_MOST = 12 };

/* Labels of classes with these sizes, mixed up by a stride that visits each place once. */
static size_t make_labels(const size_t *sizes, int classes, uint16_t *labels)
{
    size_t total = 0, stride = 7;
    for (int k = 0; k < classes; k++)
        total += sizes[k];
    while (total % stride == 0) {
        stride += 2;
        assert_true(stride < 100);
    }
    size_t place = 0;
    for (int k = 0; k < classes; k++)
        for (size_t i = 0; i < sizes[k]; i++, place = (place + 11) % total)
            labels[place] = (uint16_t)k;
    return total;
}

static void count_marks(const uint8_t *choice, const uint16_t *labels, size_t n, uint8_t marked,
                        size_t *counts)
{
    memset(counts, 0, CLASSES_MOST * sizeof *counts);
    for (size_t i = 0; i < n; i++)
        counts[labels[i]] += choice[i] == marked;
}

static size_t sum(const size_t *counts)
{
    size_t total = 0;
    for (int k = 0; k < CLASSES_MOST; k++)
        total += counts[k];
    return total;
}

/* Worked out by hand. Sizes 5, 3, 2 of 10: 4 images are 2.0, 1.2, 0.8, so 2, 1, 1; what is left is 3, 2, 1,
 * of which 3 are 1.5, 1.0, 0.5: the tie goes to the lower class, 2, 1, 0. */
static void quotas_follow_the_largest_remainder(void **state)
{
    (void)state;
    const size_t sizes[] = {5, 3, 2};
    uint16_t labels[10];
    uint8_t choice[10];
    size_t counts[CLASSES_MOST], n = 0;
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < sizes[k]; i++)
            labels[n++] = (uint16_t)k;
    struct data_source source = {.path = "p", .val = 4, .train_limit = 3};
    assert_int_equal(split_training(labels, n, 3, &source, choice, NULL), ST_OK);
    count_marks(choice, labels, n, SPLIT_VAL, counts);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 1);
    count_marks(choice, labels, n, SPLIT_TRAIN, counts);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 0);
    count_marks(choice, labels, n, SPLIT_COUNT, counts);
    assert_int_equal(sum(counts), 3);
}

/* Every class is within one image of its exact share, and the total is exact. */
static void shares_are_balanced(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 100, 37, 0, 256, 3, 90, 90, 11};
    uint16_t labels[MOST];
    uint8_t choice[MOST];
    size_t counts[CLASSES_MOST], n = make_labels(sizes, 9, labels);
    for (int val = 0; val < (int)n; val += 13) {
        struct data_source source = {.path = "p", .val = val, .val_seed = (uint64_t)val};
        assert_int_equal(split_training(labels, n, 9, &source, choice, NULL), ST_OK);
        count_marks(choice, labels, n, SPLIT_VAL, counts);
        assert_int_equal(sum(counts), val);
        for (int k = 0; k < 9; k++) {
            double exact = (double)val * (double)sizes[k] / (double)n;
            assert_true((double)counts[k] > exact - 1 && (double)counts[k] < exact + 1);
        }
        count_marks(choice, labels, n, SPLIT_TRAIN, counts);
        assert_int_equal(sum(counts), n - (size_t)val);
    }
}

static void validation_does_not_depend_on_the_limit(void **state)
{
    (void)state;
    const size_t sizes[] = {60, 60, 60, 60};
    uint16_t labels[MOST];
    uint8_t all[MOST], limited[MOST], more[MOST];
    size_t counts[CLASSES_MOST], n = make_labels(sizes, 4, labels);
    struct data_source source = {.path = "p", .val = 40, .val_seed = 3};
    assert_int_equal(split_training(labels, n, 4, &source, all, NULL), ST_OK);
    source.train_limit = 80;
    assert_int_equal(split_training(labels, n, 4, &source, limited, NULL), ST_OK);
    source.train_limit = 120;
    assert_int_equal(split_training(labels, n, 4, &source, more, NULL), ST_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(all[i] == SPLIT_VAL, limited[i] == SPLIT_VAL);
        if (limited[i] == SPLIT_TRAIN) /* a smaller set is part of a larger one */
            assert_int_equal(more[i], SPLIT_TRAIN);
    }
    count_marks(limited, labels, n, SPLIT_TRAIN, counts);
    for (int k = 0; k < 4; k++)
        assert_int_equal(counts[k], 20);
    source.train_limit = 1000; /* more than there is: all */
    assert_int_equal(split_training(labels, n, 4, &source, limited, NULL), ST_OK);
    assert_memory_equal(limited, all, n);
}

static void the_seed_decides(void **state)
{
    (void)state;
    const size_t sizes[] = {100, 100};
    uint16_t labels[MOST];
    uint8_t first[MOST], again[MOST], other[MOST];
    size_t n = make_labels(sizes, 2, labels), differing = 0, shared = 0;
    struct data_source source = {.path = "p", .val = 100, .val_seed = 1};
    assert_int_equal(split_training(labels, n, 2, &source, first, NULL), ST_OK);
    assert_int_equal(split_training(labels, n, 2, &source, again, NULL), ST_OK);
    source.val_seed = 2;
    assert_int_equal(split_training(labels, n, 2, &source, other, NULL), ST_OK);
    assert_memory_equal(first, again, n);
    for (size_t i = 0; i < n; i++) {
        differing += first[i] != other[i];
        shared += first[i] == SPLIT_VAL && i % 2 == 0;
    }
    assert_true(differing > 50);             /* about 100 when the two are independent */
    assert_true(shared > 25 && shared < 75); /* not the first half, nor every other image */
}

static void test_sets_are_limited_alike(void **state)
{
    (void)state;
    const size_t sizes[] = {10, 20, 30};
    uint16_t labels[MOST];
    uint8_t choice[MOST];
    size_t counts[CLASSES_MOST], n = make_labels(sizes, 3, labels);
    struct data_source source = {.path = "p", .test_limit = 12};
    assert_int_equal(split_test(labels, n, 3, &source, choice, NULL), ST_OK);
    count_marks(choice, labels, n, SPLIT_TEST, counts);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 4);
    assert_int_equal(counts[2], 6);
    source.test_limit = 0;
    assert_int_equal(split_test(labels, n, 3, &source, choice, NULL), ST_OK);
    count_marks(choice, labels, n, SPLIT_TEST, counts);
    assert_int_equal(sum(counts), 60);
}

static void validation_must_leave_training_images(void **state)
{
    (void)state;
    uint16_t labels[] = {0, 1, 0, 1};
    uint8_t choice[4];
    struct err e = ERR_INIT;
    struct data_source source = {.path = "the/path", .val = 4};
    assert_int_equal(split_training(labels, 4, 2, &source, choice, &e), ST_USAGE);
    expect_text(&e, "val is 4, but the/path has 4 training images: allowed are 0 to 3");
    source.val = 3;
    assert_int_equal(split_training(labels, 4, 2, &source, choice, &e), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotas_follow_the_largest_remainder),
        cmocka_unit_test(shares_are_balanced),
        cmocka_unit_test(validation_does_not_depend_on_the_limit),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(test_sets_are_limited_alike),
        cmocka_unit_test(validation_must_leave_training_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
