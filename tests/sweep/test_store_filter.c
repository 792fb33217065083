/* Filters of queries: what they select, what they refuse and how they say so. */
#include "store_fixture.h"

#include "sweep/store_filter.h"

static const char numbers[] =
    "SELECT 1 AS id, 0.25 AS \"SR\", 'done' AS state, 5242880 AS bytes, NULL AS note"
    " UNION ALL SELECT 2, 0.5, 'done', 100, 'it''s \"x\"'"
    " UNION ALL SELECT 3, 1.0, 'failed', 7, NULL ORDER BY id";

/* The ids that a filter leaves, as text; or its error. */
static const char *ids(struct store *s, struct store_filter f)
{
    static char text[1100];
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    bool row = true;
    size_t n = 0;
    text[0] = '\0';
    enum status st = store_query_open_filtered(s, numbers, &f, &q, &e);
    for (; st == ST_OK && row;) {
        st = store_query_next(q, &row, &e);
        if (st == ST_OK && row)
            n += (size_t)snprintf(text + n, sizeof text - n, "%lld", (long long)store_query_cell(q, 0).i);
    }
    store_query_close(q);
    if (st != ST_OK) {
        assert_int_equal(st, ST_USAGE);
        snprintf(text, sizeof text, "%s", e.text);
    }
    return text;
}

static const char *where(struct store *s, const char *condition)
{
    return ids(s, (struct store_filter){.where = condition, .limit = -1});
}

static void test_conditions(void **state)
{
    static const char *const expected[][2] = {
        {"SR < 0.5", "1"},
        {"sr<=.5", "12"},
        {"0.5 < sr", "3"},
        {"state = 'done' and SR > 0.25", "2"},
        {"state == \"failed\" OR id = 1", "13"},
        {"not state = 'done'", "3"},
        {"not (id = 1 or id = 2)", "3"},
        {"bytes >= 5MiB", "1"},
        {"SR >= 50%", "23"},
        {"SR * 2 = 1", "2"},
        {"id / 2 < 1", "1"},
        {"id + 1 * 2 = 4", "2"},
        {"- id < -2", "3"},
        {"--id = 2", "2"},
        {"id - -1 = 3", "2"},
        {"id = 1 or id = 2 and SR = 1", "1"}, /* and binds tighter */
        {"note = null", "13"},
        {"note != null", "2"},
        {"note != 'a'", "123"}, /* what has no value differs */
        {"note = 'it''s \"x\"'", "2"},
        {"note = \"it's \"\"x\"\"\"", "2"},
        {"SR = 2.5e-1", "1"},
        {"note = 'done''; DROP TABLE trial; --'", ""},
        {"state = done", "12"}, /* as in a spec: a word is a text, chains, lists, no order of names' case */
        {"done = state", "12"},
        {"0.25 < SR < 1", "2"},
        {"Id in [1, 3] && state <> failed", "1"},
        {"id not in (1, 2)", "3"},
        {"state in [failed, 'pruned'] || id == 2", "23"},
        {"note < 'z'", "2"},
        {"not note < 'a'", "123"}, /* the opposite of what does not hold for an absent value */
        {"id = true", "1"},
        {"note = null and (not (SR > 0 and note = 'x')) = true", "13"},
        {"id - (1 - (2 - 3)) = 1 and id / (2 / 2) = 3 and 12 / 2 / 3 = 2", "3"},
        {"8 - 2 - 3 = 3 and id = 1", "1"},
        {"id - 1 != 0", "23"},
        {"1 / (id - 2) < 0", "1"}, /* a quotient by zero has no value */
        {"1 / (id - 2) = null", "2"},
        {"null = note and null != id", "13"},
        {"null = null and id = 2", "2"},
    };
    struct context *c = *state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *got = where(c->s, expected[i][0]);
        if (strcmp(got, expected[i][1]) != 0)
            fail_msg("%s: %s, not %s", expected[i][0], got, expected[i][1]);
    }
}

static void test_refusals(void **state)
{
    static const char *const expected[][2] = {
        {"SRX < 1",
         "--where: character 1: \"SRX\" is unknown, did you mean SR?; allowed: id, SR, state, bytes, "
         "note"},
        {"id = 1 and lr > 2", "--where: character 12: \"lr\" is unknown, did you mean SR?; allowed: id,"},
        {"id = 1; DROP TABLE trial", "--where: character 7: \";\" means nothing here"},
        {"note = '\xc3\xbc' and lr > 2", "--where: character 16: \"lr\" is unknown"},
        {"id = 1 -- x", "--where: character 11: \"x\" is unknown"},
        {"id = (SELECT 1)", "--where: character 14: \"1\" does not belong here, allowed: <,"},
        {"load_extension('x')", "--where: character 15: \"(\" does not belong here"},
        {"(id = 1", "--where: character 8: the condition ends too early, allowed: and, or, a further "},
        {"id = 1)", "--where: character 7: \")\" does not belong here"},
        {"id =", "--where: character 5: the condition ends too early"},
        {"id = 'x", "--where: character 6: the quote is not closed"},
        {"id = 0x10", "--where: character 6: \"0x10\" is no number"},
        {"id = 1e999", "--where: character 6: \"1e999\" is no number"},
        {"id = 1 2", "--where: character 8: \"2\" does not belong here"},
        {"id = ?1", "--where: character 6: \"?\" means nothing here"},
        {"id $ 1", "--where: character 4: \"$\" means nothing here"},
        {"id / 0 = 1", "--where: character 6: division by zero"},
        {"bytes < x", "--where: character 9: \"x\" is unknown"},
        {"note < null", "--where: character 8: null has no order, allowed: = and !="},
        {"id + null = 1", "--where: character 6: null stands only beside = and !="},
        {"nothing", "--where: character 1: \"nothing\" is unknown"},
        {"", "--where: the condition is empty, allowed: a comparison such as id = 1"},
        {" ", "--where: the condition is empty"},
        {"1", "--where: character 1: \"1\" alone is no condition: a comparison is missing"},
        {"SR", "--where: character 1: \"SR\" alone is no condition"},
        {"note", "--where: character 1: \"note\" alone is no condition"},
        {"id = 1 or SR", "--where: character 11: \"SR\" alone is no condition"},
        {"id - 1", "--where: character 1: \"id - 1\" alone is no condition"},
        {"state = 'don'",
         "--where: character 9: \"'don'\" is no value of state, did you mean done?; allowed: "
         "pending, running, done, diverged, failed, timed_out, pruned or skipped"},
        {"state in [done, lost]", "--where: character 17: \"lost\" is no value of state, allowed: pending,"},
        {"id < 5MiB",
         "--where: character 6: \"id\" is a plain number but \"5MiB\" is bytes, allowed: 5, 50%, "},
        {"id < 5s", "--where: character 6: \"id\" is a plain number but \"5s\" is a time"},
        {"SR > 5h", "--where: character 6: \"SR\" is a plain number but \"5h\" is a time"},
    };
    struct context *c = *state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *got = where(c->s, expected[i][0]);
        if (strncmp(got, expected[i][1], strlen(expected[i][1])) != 0)
            fail_msg("%s: %s", expected[i][0], got);
    }
}

/* What SQLite would compare by its order of types, all rows or none, is refused; what has no declared type is
 * not. */
static void test_kinds(void **state)
{
    static const char sql[] =
        "SELECT pools, params, model_bytes / 1048576.0 AS model_mib, 1 AS one, bypass, conv10_relu, "
        "model_bytes,"
        " model_bytes_8bit, model_bytes_6bit, realised_sr, macs, 1.5 AS latency_ms,"
        " 0.5 AS test_top1, 0.5 AS VAL_TOP5, 0.1 AS val_top1_ci95 FROM variant";
    static const char *const expected[][2] = {
        {"pools < 3", "character 9: \"pools\" is a text but \"3\" is a number"},
        {"'a' = params", "character 7: \"'a'\" is a text but \"params\" is a number"},
        {"a = params", "character 1: \"a\" is unknown"},
        {"not (1 = 1 and (pools) = 1)", "character 26: \"pools\" is a text but \"1\" is a number"},
        {"pools + 1 = 2", "character 1: \"pools\" is a text where a number is needed"},
        {"2 * (1 - pools) = 2", "character 10: \"pools\" is a text where a number is needed"},
        {"model_mib < 5s", "character 13: \"model_mib\" is MiB but \"5s\" is a time"},
        {"5e6B < model_mib", "character 1: \"5e6B\" is no number"},
        {"model_mib < 5MiB and model_mib + 1KiB > 100 KB and 2KiB = 2KiB + 0 * model_mib", NULL},
        {"pools != null and null = params", NULL},
        {"model_mib < 5 and params < 5K and model_mib * 2 > 1.5", NULL},
        {"params < 5KB", "character 10: \"params\" is a plain number but \"5KB\" is bytes"},
        {"model_mib > params", "character 13: \"model_mib\" is MiB but \"params\" is a plain number"},
        {"model_mib < 5M",
         "character 13: \"model_mib\" is MiB but \"5M\" is a plain number, allowed: 5 (MiB),"},
        {"one = 1", NULL},
        {"one", "character 1: \"one\" alone is no condition"},
        {"one < 5MiB", "character 7: \"one\" is a plain number but \"5MiB\" is bytes"},
        {"bypass = 'simpel'",
         "character 10: \"'simpel'\" is no value of bypass, did you mean simple?; allowed: "
         "none, simple or complex"},
        {"bypass in [simple, 'none'] and not conv10_relu or conv10_relu = 1", NULL},
        {"model_bytes < 5MiB and model_bytes_8bit < 1MB and model_bytes_6bit < 3", NULL},
        {"model_bytes_8bit < 5M", "character 20: \"model_bytes_8bit\" is bytes but \"5M\" is a plain number"},
        {"realised_SR < 50% and macs < 5M", NULL},
        {"latency_ms < 1s and latency_ms < 900", NULL},
        {"latency_ms < 50%", "character 14: \"latency_ms\" is milliseconds but \"50%\" is a plain number"},
        {"model_mib = 2MiB / 1MiB and model_mib * 1MiB < 5MiB", NULL},
        {"test_top1 > 20", "character 13: \"20\" is no value of test_top1, a share from 0 to 1, allowed: 0.2 "
                           "or 20% for 20 percent"},
        {"0 < VAL_TOP5 <= 150%", "character 17: \"150%\" is no value of VAL_TOP5, a share from 0 to 1"},
        {"1.5 >= val_top1_ci95", "character 1: \"1.5\" is no value of val_top1_ci95, a share"},
        {"test_top1 > 20% and VAL_TOP5 <= 1 and test_top1 * 100 > 20 and val_top1_ci95 != 0", NULL},
        {"one = 'x' or one = x or one = 1 or 'x' != one", NULL},
        {"pools = 'conv1' or 'a' < 'b'", NULL},
        {"bypass < simple", "character 1: \"bypass\" has no order, allowed: = and !="},
        {"'none' >= BYPASS", "character 11: \"BYPASS\" has no order, allowed: = and !="},
    };
    struct context *c = *state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct err e = ERR_INIT;
        struct store_query *q = NULL;
        const struct store_filter f = {.where = expected[i][0], .limit = -1};
        const enum status st = store_query_open_filtered(c->s, sql, &f, &q, &e);
        store_query_close(q);
        if (st != (expected[i][1] ? ST_USAGE : ST_OK) || (expected[i][1] && !strstr(e.text, expected[i][1])))
            fail_msg("%s: %s", expected[i][0], e.text);
    }
}

/* MiB and bytes mean the same amount; whole numbers keep all their digits; a label of one's own. */
static void test_amounts(void **state)
{
    static const char sql[] = "SELECT 1 AS id, 2.5 AS model_mib, 9007199254740993 AS seed, 90.0 AS train_s,"
                              " 1500.0 AS latency_ms";
    static const struct {
        const char *where;
        int rows;
    } expected[] = {
        {"model_mib = 2560KiB", 1},
        {"model_mib < 2559KiB", 0},
        {"2MiB < model_mib < 3MiB", 1},
        {"model_mib - 1.5 = 1", 1},
        {"model_mib - 1MiB = 1.5MiB", 1},
        {"model_mib = 2.5", 1},
        {"seed = 9007199254740993", 1},
        {"seed = 9007199254740992", 0},
        {"train_s = 1m30s", 1},
        {"train_s > 90 or train_s > 2m", 0},
        {"id = 100%", 1},
        {"latency_ms = 1.5s and latency_ms = 1500", 1},
        {"latency_ms < 1s", 0},
    };
    struct context *c = *state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct err e = ERR_INIT;
        struct store_query *q = NULL;
        bool row = false;
        const struct store_filter f = {.where = expected[i].where, .limit = -1};
        if (store_query_open_filtered(c->s, sql, &f, &q, &e) != ST_OK ||
            store_query_next(q, &row, &e) != ST_OK || row != expected[i].rows)
            fail_msg("%s: %d %s", expected[i].where, row, e.text);
        store_query_close(q);
    }
    assert_string_equal(ids(c->s, (struct store_filter){.where = "id < x", .label = "A: ", .limit = -1}),
                        "A: character 6: \"x\" is unknown; allowed: id, SR, state, bytes, note");
}

static void test_limits(void **state)
{
    struct context *c = *state;
    char deep[400] = "";
    for (int i = 0; i < 300; i++)
        deep[i] = "(-"[i % 2];
    assert_non_null(strstr(where(c->s, deep), "nested too deeply"));
    for (int i = 0; i < 300; i++)
        deep[i] = "not "[i % 4];
    assert_non_null(strstr(where(c->s, deep), "nested too deeply"));
    /* What lists and chains repeat does not outgrow its place, nor all measure. */
    char big[2000];
    size_t n = 0;
    n += (size_t)snprintf(big + n, sizeof big - n, "(1");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, "+1");
    n += (size_t)snprintf(big + n, sizeof big - n, ") in [0");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",1");
    snprintf(big + n, sizeof big - n, "]");
    assert_non_null(strstr(where(c->s, big), "--where: character 1: the condition is too large"));
    n = 0;
    for (int i = 0; i < 22; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, "id<(");
    n += (size_t)snprintf(big + n, sizeof big - n, "id");
    for (int i = 0; i < 22; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ")<id");
    assert_non_null(strstr(where(c->s, big), "the condition is too large"));
    assert_string_equal(where(c->s, "1<(1<(1<(1<(1<(1<(1<(1<2)<1)<1)<1)<1)<1)<1)<1"), "");
    /* What is long but flat is fine. */
    n = (size_t)snprintf(big, sizeof big, "id in [1");
    for (int i = 0; i < 480; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",%d", i % 3 ? 2 : 7);
    snprintf(big + n, sizeof big - n, "]");
    assert_string_equal(where(c->s, big), "12");
    n = (size_t)snprintf(big, sizeof big, "id=9");
    for (int i = 0; i < 240; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, " or id=3");
    assert_string_equal(where(c->s, big), "3");
    n = (size_t)snprintf(big, sizeof big, "id");
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, "+1-1");
    snprintf(big + n, sizeof big - n, "=2 and id*2/2*2/2=2");
    assert_string_equal(where(c->s, big), "2");
    char many[4096] = "id = 1";
    for (size_t i = 0; i < 300; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), " or id=%zu", i);
    assert_non_null(strstr(where(c->s, many), "at most 2000 characters"));
}

static void test_order_limit_columns(void **state)
{
    struct context *c = *state;
    assert_string_equal(ids(c->s, (struct store_filter){.sort = "sr:desc", .limit = 2}), "32");
    assert_string_equal(ids(c->s, (struct store_filter){.sort = "state:desc, id:DESC", .limit = -1}), "321");
    assert_string_equal(ids(c->s, (struct store_filter){.sort = "note", .limit = -1}),
                        "213"); /* no value: last */
    assert_string_equal(ids(c->s, (struct store_filter){.limit = 0}), "");
    assert_string_equal(
        ids(c->s, (struct store_filter){.columns = "bytes,id", .where = "id = 2", .limit = -1}), "100");
    assert_string_equal(ids(c->s, (struct store_filter){.shown = "bytes", .where = "id = 3", .limit = -1}),
                        "7");
    assert_string_equal(
        ids(c->s, (struct store_filter){.shown = "bytes", .columns = "all", .where = "id = 3", .limit = -1}),
        "3");
    assert_non_null(
        strstr(ids(c->s, (struct store_filter){.columns = "id,,SR", .limit = -1}), "no column \"\""));
    assert_non_null(
        strstr(ids(c->s, (struct store_filter){.columns = "id:desc", .limit = -1}), "\":desc\" is behind"));
    assert_non_null(strstr(ids(c->s, (struct store_filter){.sort = "id:down", .limit = -1}),
                           "allowed are :asc and :desc"));
    assert_non_null(strstr(ids(c->s, (struct store_filter){.sort = "random()", .limit = -1}),
                           "--sort: there is no column \"random()\"; allowed: id, SR"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_conditions), store_test(test_refusals), store_test(test_kinds),
        store_test(test_amounts),    store_test(test_limits),   store_test(test_order_limit_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
