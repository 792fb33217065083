/* Samplers: reproducible, and as even as they promise. */
#include "../base/cmocka_all.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "sweep/sampler.h"

enum { POINTS = 256 };

static void test_random(void **state)
{
    (void)state;
    double sum = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        double u = sampler_random(7, 42, i);
        assert_true(u >= 0 && u < 1 && u == sampler_random(7, 42, i));
        sum += u;
    }
    assert_true(fabs(sum / 10000 - 0.5) < 0.015); /* five standard deviations */
    assert_true(sampler_random(7, 42, 0) != sampler_random(8, 42, 0));
    assert_true(sampler_random(7, 42, 0) != sampler_random(7, 43, 0));
}

/* Every aligned 2^k numbers of a dimension fall one into each 2^-k. */
static void test_sobol_intervals(void **state)
{
    (void)state;
    for (int d = 0; d < SOBOL_DIMENSIONS; d++) {
        for (uint32_t size = 1; size <= POINTS; size *= 2) {
            for (uint32_t first = 0; first < POINTS; first += size) {
                unsigned char seen[POINTS] = {0};
                for (uint32_t i = first; i < first + size; i++) {
                    double u = sampler_sobol(3, (uint32_t)d, d, i);
                    assert_true(u > 0 && u < 1);
                    seen[(int)(u * size)]++;
                }
                for (uint32_t i = 0; i < size; i++)
                    assert_int_equal(seen[i], 1);
            }
        }
    }
}

/* Among the first 256 points of dimensions i and j each of the 2^a x 2^(8-t-a) boxes holds 2^t points: t of
 * two dimensions of Joe and Kuo's numbers is small, 0 for the first two. */
static int pair_quality(int i, int j)
{
    for (int t = 0; t <= 8; t++) {
        bool even = true;
        for (int a = 0; a <= 8 - t && even; a++) {
            int counts[POINTS] = {0}, rows = 1 << a, columns = 1 << (8 - t - a);
            for (uint32_t k = 0; k < POINTS; k++)
                counts[(int)(sampler_sobol(1, 0, i, k) * rows) * columns +
                       (int)(sampler_sobol(1, 0, j, k) * columns)]++;
            for (int box = 0; box < rows * columns; box++)
                even &= counts[box] == 1 << t;
        }
        if (even)
            return t;
    }
    return 9;
}

static void test_sobol_pairs(void **state)
{
    (void)state;
    assert_int_equal(pair_quality(0, 1), 0);
    for (int i = 0; i < SOBOL_DIMENSIONS; i++)
        for (int j = 0; j < i; j++)
            assert_in_range(pair_quality(i, j), 0, 6);
}

/* Against the published generator: without the shift, dimensions 1 to 5 of points 1 to 4 in natural order. */
static void test_sobol_published(void **state)
{
    (void)state;
    static const double expected[4][5] = {{0.5, 0.5, 0.5, 0.5, 0.5},
                                          {0.25, 0.75, 0.75, 0.75, 0.25},
                                          {0.75, 0.25, 0.25, 0.25, 0.75},
                                          {0.125, 0.625, 0.375, 0.125, 0.125}};
    for (uint32_t i = 1; i <= 4; i++) {
        for (int d = 0; d < 5; d++) {
            const uint32_t shift = (uint32_t)(sampler_sobol(9, 1, d, 0) * 0x1p32);
            const uint32_t x = (uint32_t)(sampler_sobol(9, 1, d, i) * 0x1p32) ^ shift;
            assert_true(x * 0x1p-32 == expected[i - 1][d]);
        }
    }
}

static void test_lhs(void **state)
{
    (void)state;
    enum { N = 37 };
    uint32_t strata[N], other[N], next[N];
    unsigned char seen[N] = {0};
    sampler_strata(5, 11, 0, N, strata);
    sampler_strata(5, 12, 0, N, other);
    sampler_strata(5, 11, 1, N, next);
    assert_memory_not_equal(strata, other, sizeof strata);
    assert_memory_not_equal(strata, next, sizeof strata);
    for (uint32_t i = 0; i < N; i++) {
        double u = sampler_lhs(5, 11, 0, N, strata, i);
        assert_true(u >= 0 && u < 1);
        seen[(int)(u * N)]++;
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),      cmocka_unit_test(test_sobol_intervals),
        cmocka_unit_test(test_sobol_pairs), cmocka_unit_test(test_sobol_published),
        cmocka_unit_test(test_lhs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
