/* The bounds of the statistical tests are five or more standard deviations wide. The streams
 * are fixed, so a test that passes once passes always. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "cmocka_all.h"

enum { MANY = 200000 };

/* Philox4x32-10 once more, from the definition: x0' = high(B x2) ^ x1 ^ k0, x1' = low(B x2),
 * x2' = high(A x0) ^ x3 ^ k1, x3' = low(A x0), keys stepped between rounds; products by
 * long multiplication, bit by bit. */
static void long_multiply(uint32_t a, uint32_t b, uint32_t *high, uint32_t *low)
{
    *high = *low = 0;
    for (int bit = 31; bit >= 0; bit--) {
        *high = *high << 1 | *low >> 31;
        *low <<= 1;
        if (a >> bit & 1) {
            uint32_t sum = *low + b;
            *high += sum < b;
            *low = sum;
        }
    }
}

static void naive_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t x[4], k[2] = {key[0], key[1]};
    memcpy(x, counter, sizeof x);
    for (int round = 0; round < 10; round++) {
        uint32_t high_a, low_a, high_b, low_b;
        long_multiply(0xD2511F53u, x[0], &high_a, &low_a);
        long_multiply(0xCD9E8D57u, x[2], &high_b, &low_b);
        uint32_t next[4] = {high_b ^ x[1] ^ k[0], low_b, high_a ^ x[3] ^ k[1], low_a};
        memcpy(x, next, sizeof x);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    memcpy(out, x, sizeof x);
}

static void blocks_match_the_definition(void **state)
{
    (void)state;
    uint32_t bits = 1;
    for (int i = 0; i < 200; i++) {
        uint32_t word[6];
        for (int k = 0; k < 6; k++)
            word[k] = i == 0 ? 0 : i == 1 ? UINT32_MAX : (bits = bits * 1664525u + 1013904223u);
        struct rng r = {.key = {word[0], word[1]}, .counter = {9, word[3], word[4], word[5]}};
        uint32_t counter[4] = {word[2], word[3], word[4], word[5]}, expected[4], got[4];
        naive_philox(counter, word, expected);
        rng_block(&r, word[2], got);
        assert_memory_equal(got, expected, sizeof got);
    }
}

/* Which counter and key belong to a stream decides every trained weight: results of older versions depend on
 * it. */
static void arguments_have_their_places(void **state)
{
    (void)state;
    struct rng r = rng_stream(0x0123456789abcdefu, RNG_SPLIT, 17, 0xfffffffeu);
    for (uint32_t block = 0; block < 3; block++) {
        const uint32_t counter[4] = {block, 17, 0xfffffffeu, 5}, key[2] = {0x89abcdefu, 0x01234567u};
        uint32_t expected[4];
        naive_philox(counter, key, expected);
        for (int k = 0; k < 4; k++)
            assert_int_equal(rng_u32(&r), expected[k]);
    }
}

static void uniform_is_made_of_53_bits(void **state)
{
    (void)state;
    struct rng r = rng_stream(2, RNG_TEST, 0, 0), words = r;
    for (int i = 0; i < 1000; i++) {
        double high = floor(rng_u32(&words) / 32.0), low = floor(rng_u32(&words) / 64.0);
        assert_true(rng_uniform(&r) == (high * 67108864.0 + low) / 9007199254740992.0);
    }
}

static void stream_is_its_blocks_in_order(void **state)
{
    (void)state;
    struct rng r = rng_stream(77, RNG_TEST, 3, 4), untouched = r;
    for (uint32_t block = 0; block < 50; block++) {
        uint32_t expected[4];
        rng_block(&r, block, expected);
        for (int k = 0; k < 4; k++)
            assert_int_equal(rng_u32(&r), expected[k]);
    }
    uint32_t first[4], again[4];
    rng_block(&untouched, 0, first);
    rng_block(&r, 0, again); /* the position in the stream plays no part */
    assert_memory_equal(first, again, sizeof first);
}

static void call_order_changes_nothing(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct rng a = rng_stream(1, RNG_AUGMENT, 2, 3), b = rng_stream(1, RNG_AUGMENT, 2, 4);
    uint32_t alone[N];
    for (int i = 0; i < N; i++)
        alone[i] = rng_u32(&a);
    a = rng_stream(1, RNG_AUGMENT, 2, 3);
    for (int i = 0; i < N; i++) { /* interleaved with another stream */
        rng_normal(&b);
        assert_int_equal(rng_u32(&a), alone[i]);
    }
}

/* Correlation of two streams' uniforms; for independent ones about N(0, 1/n). */
static double correlation(struct rng a, struct rng b)
{
    double sum = 0;
    for (int i = 0; i < MANY; i++)
        sum += (rng_uniform(&a) - 0.5) * (rng_uniform(&b) - 0.5);
    return sum * 12 / MANY;
}

static void every_argument_makes_another_stream(void **state)
{
    (void)state;
    struct rng base = rng_stream(5, RNG_TEST, 6, 7);
    struct rng others[] = {
        rng_stream(4, RNG_TEST, 6, 7),  rng_stream(5 + (1ull << 32), RNG_TEST, 6, 7),
        rng_stream(5, RNG_BENCH, 6, 7), rng_stream(5, RNG_TEST, 7, 7),
        rng_stream(5, RNG_TEST, 6, 8),  rng_stream(5, RNG_TEST, 7, 6),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(fabs(correlation(base, others[i])) < 5 / sqrt(MANY));
    assert_true(correlation(base, base) > 0.99);
}

static void uniform_moments_and_range(void **state)
{
    (void)state;
    struct rng r = rng_stream(11, RNG_TEST, 0, 0);
    double sum = 0, squares = 0, least = 1, most = 0;
    for (int i = 0; i < MANY; i++) {
        double u = rng_uniform(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
        least = fmin(least, u);
        most = fmax(most, u);
    }
    assert_true(fabs(sum / MANY - 0.5) < 5 * sqrt(1.0 / 12 / MANY));
    assert_true(fabs(squares / MANY - 1.0 / 12) < 5 * sqrt(1.0 / 180 / MANY));
    assert_true(least < 1e-4 && most > 1 - 1e-4);
}

/* Chi-square statistic of counts that should all be equal. */
static double chi_square(const int *count, int bins, int n)
{
    double expected = (double)n / bins, sum = 0;
    for (int i = 0; i < bins; i++)
        sum += (count[i] - expected) * (count[i] - expected) / expected;
    return sum;
}

/* Mean of chi-square is its degrees of freedom, variance twice that; both tails count: too even is not
 * random. */
static void assert_plausible(double statistic, int bins)
{
    double freedom = bins - 1, spread = sqrt(2 * freedom);
    assert_true(statistic < freedom + 6 * spread + 10);
    assert_true(statistic >= freedom - 6 * spread); /* equal for one bin: both 0 */
}

static void all_bytes_are_equally_likely(void **state)
{
    (void)state;
    struct rng r = rng_stream(12, RNG_TEST, 0, 0);
    int count[4][256] = {{0}};
    for (int i = 0; i < MANY; i++) {
        uint32_t word = rng_u32(&r);
        for (int k = 0; k < 4; k++)
            count[k][word >> (8 * k) & 255]++;
    }
    for (int k = 0; k < 4; k++)
        assert_plausible(chi_square(count[k], 256, MANY), 256);
}

static void below_is_even(void **state)
{
    (void)state;
    struct rng r = rng_stream(13, RNG_TEST, 0, 0);
    static const uint32_t sizes[] = {1, 2, 3, 7, 10, 100, 256};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int count[256] = {0};
        for (int k = 0; k < MANY; k++) {
            uint32_t value = rng_below(&r, sizes[i]);
            assert_true(value < sizes[i]);
            count[value]++;
        }
        assert_plausible(chi_square(count, (int)sizes[i], MANY), (int)sizes[i]);
    }
}

/* With n = 3/4 of 2^32 and no rejection, a third of the results would come twice as often as the others. */
static void below_has_no_bias_for_large_n(void **state)
{
    (void)state;
    struct rng r = rng_stream(14, RNG_TEST, 0, 0);
    const uint32_t n = 3u << 30;
    int thirds[3] = {0}, residues[3] = {0};
    for (int i = 0; i < MANY; i++) {
        uint32_t value = rng_below(&r, n);
        assert_true(value < n);
        thirds[value >> 30]++;
        residues[value % 3]++;
    }
    assert_plausible(chi_square(thirds, 3, MANY), 3);
    assert_plausible(chi_square(residues, 3, MANY), 3);
}

static void normal_moments_and_tails(void **state)
{
    (void)state;
    struct rng r = rng_stream(15, RNG_TEST, 0, 0);
    double sum[5] = {0};
    int beyond_two = 0;
    for (int i = 0; i < MANY; i++) {
        double z = rng_normal(&r);
        assert_true(isfinite(z));
        for (int power = 1; power <= 4; power++)
            sum[power] += pow(z, power);
        beyond_two += fabs(z) > 2;
    }
    assert_true(fabs(sum[1] / MANY) < 5 / sqrt(MANY));
    assert_true(fabs(sum[2] / MANY - 1) < 5 * sqrt(2.0 / MANY));
    assert_true(fabs(sum[3] / MANY) < 5 * sqrt(15.0 / MANY));
    assert_true(fabs(sum[4] / MANY - 3) < 5 * sqrt(96.0 / MANY));
    double share = erfc(2 / sqrt(2)); /* P(|z| > 2) = 0.0455 */
    assert_true(fabs((double)beyond_two / MANY - share) < 5 * sqrt(share * (1 - share) / MANY));
}

static void permutations_are_complete(void **state)
{
    (void)state;
    enum { N = 10000 };
    static uint32_t order[N], second[N];
    static int seen[N];
    struct rng r = rng_stream(16, RNG_SHUFFLE, 1, 0);
    rng_permutation(&r, order, N);
    for (int i = 0; i < N; i++) {
        assert_true(order[i] < N);
        assert_int_equal(seen[order[i]]++, 0);
    }
    struct rng same = rng_stream(16, RNG_SHUFFLE, 1, 0), other = rng_stream(16, RNG_SHUFFLE, 2, 0);
    rng_permutation(&same, second, N);
    assert_memory_equal(order, second, sizeof order);
    rng_permutation(&other, second, N);
    assert_memory_not_equal(order, second, sizeof order);
    uint32_t guard = 99;
    rng_permutation(&r, &guard, 0);
    assert_int_equal(guard, 99);
    rng_permutation(&r, &guard, 1);
    assert_int_equal(guard, 0);
}

static void permutations_are_equally_likely(void **state)
{
    (void)state;
    enum { TRIES = 48000 };
    int count[256] = {0}, used[24] = {0}, kinds = 0;
    struct rng r = rng_stream(17, RNG_SHUFFLE, 0, 0);
    for (int i = 0; i < TRIES; i++) {
        uint32_t p[4];
        rng_permutation(&r, p, 4);
        count[p[0] << 6 | p[1] << 4 | p[2] << 2 | p[3]]++;
    }
    for (int i = 0; i < 256; i++) {
        if (count[i] > 0) {
            assert_true(kinds < 24);
            used[kinds++] = count[i];
        }
    }
    assert_int_equal(kinds, 24);
    assert_plausible(chi_square(used, 24, TRIES), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_match_the_definition),
        cmocka_unit_test(arguments_have_their_places),
        cmocka_unit_test(uniform_is_made_of_53_bits),
        cmocka_unit_test(stream_is_its_blocks_in_order),
        cmocka_unit_test(call_order_changes_nothing),
        cmocka_unit_test(every_argument_makes_another_stream),
        cmocka_unit_test(uniform_moments_and_range),
        cmocka_unit_test(all_bytes_are_equally_likely),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(below_has_no_bias_for_large_n),
        cmocka_unit_test(normal_moments_and_tails),
        cmocka_unit_test(permutations_are_complete),
        cmocka_unit_test(permutations_are_equally_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
