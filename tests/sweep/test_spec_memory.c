/* Every allocation of reading and expanding a spec fails in turn: a clean error, nothing left behind. */
#include "../base/cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "sweep/space.h"
#include "sweep/spec.h"

static const char text[] =
    "version: 1\n"
    "name: t\n"
    "data: {format: image-folder, path: &p d, val: 10, resize: 32x32}\n"
    "base: {preset: squeezenet-1.1, pools: [conv1, fire5], SR: 0.5, input: 3x32x32}\n"
    "train: {epochs: 3, lr: 0.1}\n"
    "sweep:\n"
    "  - {id: a, set: {batch: 7}, grid: {SR: {from: 0.02, to: 1, step: 0.02}, base_e: [8, 16, 32]}}\n"
    "  - {id: b, zip: {base_e: [8, 16], incr_e: [8, 16]}}\n"
    "  - {id: c, list: [{fires: [[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]]}, {preset: "
    "small32}]}\n"
    "constraints: ['params < 1M', macs > 5]\n"
    "seeds: [1, 2]\n"
    "budget: {wall: 3h}\n"
    "run: {workers: 2}\n"
    "plots: [{kind: curve, block: a, x: SR, y: test_top1}]\n";

/* One attempt in which allocation number n fails; false when there were fewer. */
static bool attempt(size_t n, enum status *parse_status, enum status *build_status, struct err *e)
{
    struct spec spec;
    struct space space;
    *build_status = ST_OK;
    mem_fail_after(n);
    *parse_status = spec_parse(text, sizeof text - 1, "t.yaml", &spec, e);
    if (*parse_status == ST_OK) {
        *build_status = space_build(&spec, &space, e);
        if (*build_status == ST_OK)
            assert_int_equal(space.membership_count, 2 * (50 * 3 + 2 + 2));
        space_release(&space);
    }
    spec_release(&spec);
    mem_fail_after(0);
    assert_int_equal(mem_live(), 0);
    return *parse_status != ST_OK || *build_status != ST_OK;
}

static void test_parse_and_build(void **state)
{
    (void)state;
    int in_parse = 0, in_build = 0;
    for (size_t n = 1;; n++) {
        struct err e = ERR_INIT;
        enum status parse, build;
        if (!attempt(n, &parse, &build, &e))
            break;
        in_parse += parse != ST_OK;
        in_build += build != ST_OK;
        assert_int_equal(parse != ST_OK ? parse : build, ST_NOMEM);
        assert_string_equal(e.text, "t.yaml: out of memory");
        assert_int_equal(e.status, ST_NOMEM);
    }
    /* The test is void if the sweep never reached them. */
    assert_true(in_parse > 5);
    assert_true(in_build > 5);
}

static void test_reference(void **state)
{
    (void)state;
    enum status st = ST_NOMEM;
    for (size_t n = 1; st != ST_OK; n++) {
        char *reference = NULL;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        st = spec_reference(&reference, &e);
        mem_fail_after(0);
        assert_true(st == ST_OK ? n > 3 : st == ST_NOMEM && reference == NULL);
        mem_free(reference);
        assert_int_equal(mem_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_build),
        cmocka_unit_test(test_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
