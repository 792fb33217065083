/* Conditions: values, precedence, units, and errors with their place. */
#include "../base/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sweep/expression.h"

/* A small scope of its own: the module knows no design space. */
static const struct expression_name names[] = {
    {.name = "SR", .type = EXPRESSION_NUMBER, .unit = UNIT_PLAIN},
    {.name = "params", .type = EXPRESSION_NUMBER, .unit = UNIT_PLAIN},
    {.name = "bytes", .type = EXPRESSION_NUMBER, .unit = UNIT_BYTES},
    {.name = "seconds", .type = EXPRESSION_NUMBER, .unit = UNIT_TIME},
    {.name = "bypass", .type = EXPRESSION_WORDS},
    {.name = "flip", .type = EXPRESSION_TRUTH},
    {.name = "unknown_time", .type = EXPRESSION_NUMBER},
    {.name = "other", .type = EXPRESSION_WORDS},
};

static bool canonical(const void *context, int name, const char *text, char out[EXPRESSION_TEXT])
{
    static const char *const words[] = {"none", "simple", "complex"};
    (void)context;
    (void)name;
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, words[i]) == 0 || (i == 0 && strcmp(text, "NONE") == 0)) {
            snprintf(out, EXPRESSION_TEXT, "%s", words[i]);
            return true;
        }
    }
    snprintf(out, EXPRESSION_TEXT, "allowed: none, simple or complex");
    return false;
}

static const struct expression_scope scope = {
    .count = sizeof names / sizeof *names, .names = names, .canonical = canonical};

static void lookup(const void *context, int name, struct expression_value *out)
{
    static const double numbers[] = {0.25, 1e6, 4 * 1048576.0, 7200, 0, 1, NAN, 0};
    (void)context;
    out->number = numbers[name];
    snprintf(out->text, sizeof out->text, "%s", name == 4 ? "simple" : "complex");
}

static enum status parse(const char *text, struct arena *arena, const struct expression **x, size_t *at,
                         struct err *e)
{
    arena_init(arena);
    return expression_parse(text, &scope, arena, x, at, e);
}

static bool holds(const char *text)
{
    struct arena arena;
    struct err e = ERR_INIT;
    const struct expression *x = NULL;
    size_t at;
    if (parse(text, &arena, &x, &at, &e) != ST_OK)
        fail_msg("%s: at %d: %s", text, (int)at, e.text);
    struct expression_fault fault;
    const bool result = expression_holds(x, lookup, NULL, &fault);
    if (fault.what)
        fail_msg("%s: %s", text, fault.what);
    arena_release(&arena);
    return result;
}

static void test_values(void **state)
{
    (void)state;
    static const char *const true_ones[] = {
        "SR == 0.25",
        "SR < 0.5",
        "not SR > 0.5",
        "params <= 1M",
        "params >= 1 M and params<=1e6",
        "bytes == 4MiB",
        "bytes == 4 MiB",
        "bytes < 5MB",
        "seconds == 2h",
        "seconds <= 1h60m",
        "seconds == 7200",
        "bypass == simple",
        "bypass == 'simple'",
        "bypass != \"none\"",
        "simple == bypass",
        "bypass in [none, simple]",
        "bypass not in [NONE, complex]",
        "bypass != other",
        "SR in (0.125, 0.25)",
        "flip",
        "flip == true",
        "not flip == false",
        "not not flip",
        "0.1 < SR < 0.5",
        "0.1 < SR <= 0.25 < 0.3 <= 1",
        "false or true and true",
        "true or true and false", /* and binds tighter */
        "not (true and false)",
        "not false and true",
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "10 - 3 - 2 == 5",
        "8 / 2 / 2 == 2",
        "-SR < 0 and - -SR > 0",
        "2 * -3 == -6",
        "bytes / 2 <= 2MiB",
        "bytes + 1MiB == 5MiB",
        "2 * bytes == 8MiB",
        "params * SR == 250K",
        ".25 == SR",
        "unknown_time != 1",
        "SR = 0.25 or 1 / (SR - SR) > params", /* not reached */
        "bytes < 5 * 1024 * 1024 and bytes = 50% * 8MiB",
        "bytes / params < 5 and seconds / 2 < 2h",
        "params / 1K <= 1000",
        "SR = 0.25",
        "SR = 25%  and SR<>.26",
        "flip && SR = 1 || params = 1M",
        "TRUE AND NOT FALSE",
        "unknown_time = null",
        "null != SR and bypass != null and flip != null",
        "bypass in ['simple', null]",
    };
    static const char *const false_ones[] = {
        "SR > 0.25",        "0.3 < SR < 0.5",           "0.1 < SR < 0.2",
        "bypass == none",   "bypass not in [simple]",   "SR in [1, 2]",
        "not flip",         "(true or true) and false", "not (false and true) and false",
        "unknown_time < 1", "unknown_time >= 1",        "unknown_time == unknown_time",
        "null = SR",        "unknown_time != null",
    };
    for (size_t i = 0; i < sizeof true_ones / sizeof *true_ones; i++)
        if (!holds(true_ones[i]))
            fail_msg("%s should hold", true_ones[i]);
    for (size_t i = 0; i < sizeof false_ones / sizeof *false_ones; i++)
        if (holds(false_ones[i]))
            fail_msg("%s should not hold", false_ones[i]);
}

/* What is wrong, and at which character. */
static const struct {
    const char *text;
    size_t at;
    const char *message;
} wrong_ones[] = {
    {"", 0, "ends too early, allowed: a name, a number"},
    {"SR <", 4, "ends too early"},
    {"SR < 1 1", 7, "\"1\" does not belong here, allowed: and, or, a further comparison, + - * / or the end"},
    {"SR 1", 3, "allowed: <, <=, >, >=, =, != (= null too), in, not in, + - * / or the end"},
    {"SR * 2 1", 7, "allowed: <, <=, >, >=, =, !=, in, not in, + - * / or the end"},
    {"SR is null", 3, "\"is\" does not belong here, allowed: <, <=, >, >=, =, != (= null too), in"},
    {"RS < 1", 0, "\"RS\" is unknown, did you mean SR?; allowed: SR, params, bytes"},
    {"SR < 1 and parms < 3", 11, "did you mean params?"},
    {"parms + 1 < 3", 0, "did you mean params?"},
    {"not flop", 4, "did you mean flip?"},
    {"nonsense", 0, "\"nonsense\" is unknown; allowed"},
    {"SR = fig3a-curve", 5, "\"fig3a\" is unknown (a text with - or / in it stands in quotes); allowed"},
    {"SR", 0, "\"SR\" alone is no condition: a comparison is missing, allowed: <, <=, >, >=, =, != or in"},
    {"1", 0, "\"1\" alone is no condition"},
    {"'x'", 0, "\"'x'\" alone is no condition"},
    {"SR + 1", 0, "\"SR + 1\" alone is no condition"},
    {"SR and flip", 0, "\"SR\" alone is no condition"},
    {"not SR", 4, "alone is no condition"},
    {"flip + 1 == 2", 0, "\"flip\" is true or false where a number is needed"},
    {"bypass + 1 == 2", 0, "\"bypass\" is a text where a number is needed"},
    {"bypass < simple", 0, "\"bypass\" has no order, allowed: = and !="},
    {"flip == 1", 8, "\"flip\" is true or false but \"1\" is a number"},
    {"bypass == 1", 10, "\"1\" is a number"},
    {"bypass == simpel", 10, "\"simpel\" is no value of bypass, allowed: none, simple or complex"},
    {"bypass == 'x'", 10, "is no value of bypass"},
    {"bypass in [none, simpel]", 17, "is no value of bypass"},
    {"bytes < 3s", 8, "\"bytes\" is bytes but \"3s\" is a time, allowed: 5, 5KB, 5MB"},
    {"params < 5MiB", 9, "\"params\" is a plain number but \"5MiB\" is bytes, allowed: 5, 50%, 5K, 5M or 5G"},
    {"5MiB > params", 0, "\"params\" is a plain number but \"5MiB\" is bytes"},
    {"params * 2 < 5MiB", 13, "\"params * 2\" is a plain number but \"5MiB\" is bytes"},
    {"bytes < params * 4", 8,
     "\"bytes\" is bytes but \"params * 4\" is a plain number, allowed: equal units"},
    {"bytes < 5M", 8, "\"bytes\" is bytes but \"5M\" is a plain number, allowed: 5, 5KB, 5MB, 5GB"},
    {"seconds < 5M", 10, "\"5M\" is a plain number, allowed: 5 (seconds), 5s, 5m"},
    {"seconds > 50%", 10, "\"50%\" is a plain number"},
    {"1 < (bytes + params) * 2", 13, "\"bytes\" is bytes but \"params\" is a plain number"},
    {"bytes < (params + 1)", 8, "\"bytes\" is bytes but \"(params + 1)\" is a plain number"},
    {"bytes + seconds > 1", 8, "equal units"},
    {"bytes < 5TB", 8, "\"5TB\" is no number, allowed: digits with an optional unit %, K, M"},
    {"SR < 1.2.3", 5, "is no number"},
    {"SR < 0x10", 5, "is no number"},
    {"other = 1x16x16", 8,
     "\"1x16x16\" is no number, allowed: digits with an optional unit %, K, M, G, KB, MB, GB, "
     "KiB, MiB, GiB, s, m, h or d; a text stands in quotes"},
    {"SR < 1 and flip = no", 18, "\"no\" is no value of flip, allowed: true or false"},
    {"SR < 1 & flip", 7, "\"&\" means nothing here"},
    {"1 / 0 > SR", 4, "division by zero"},
    {"SR < null", 5, "null has no order, allowed: = and !="},
    {"SR * null = 1", 5, "null stands only beside = and !="},
    {"null", 0, "null stands only beside = and !="},
    {"not null", 4, "null stands only beside = and !="},
    {"RS = null", 0, "did you mean SR?"},
    {"sr < 1", 0, "did you mean SR?"},
    {"SR < \xc3\xa4", 5, "\"\xc3\xa4\" means nothing here"},
    {"bypass == 'none", 10, "the quote is not closed"},
    {"(SR < 1", 7, "ends too early, allowed: and, or, a further comparison, + - * / or )"},
    {"SR < 1)", 6, "\")\" does not belong here"},
    {"SR in []", 7, "\"]\" does not belong here"},
    {"SR in [1, 2", 11, "ends too early, allowed: + - * /, a comma or ]"},
    {"SR in [1, 2)", 11, "\")\" does not belong here, allowed: + - * /, a comma or ]"},
    {"SR in 1", 6, "allowed: a list such as [1, 2, 4]"},
    {"SR not 1", 7, "allowed: in"},
    {"SR < and", 5, "\"and\" does not belong here"},
    {"SR < 1 or", 9, "ends too early"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_ones / sizeof *wrong_ones; i++) {
        struct arena arena;
        struct err e = ERR_INIT;
        const struct expression *x = NULL;
        size_t at = 999;
        enum status st = parse(wrong_ones[i].text, &arena, &x, &at, &e);
        if (st != ST_USAGE || at != wrong_ones[i].at || !strstr(e.text, wrong_ones[i].message))
            fail_msg("%s: status %d at %d \"%s\", expected at %d \"%s\"", wrong_ones[i].text, (int)st,
                     (int)at, e.text, (int)wrong_ones[i].at, wrong_ones[i].message);
        assert_null(x);
        arena_release(&arena);
    }
}

/* Numbers that do not exist are told, with the operation that has none. */
static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at, length;
        const char *what;
    } table[] = {
        {"SR < 1 and 1 / (SR - SR) > 3", 11, 13, "divides by zero"},
        {"not 0 / (SR - SR) = 0", 4, 13, "divides by zero"},
        {"SR != params / (SR - 0.25)", 6, 20, "divides by zero"},
        {"params * 1e308 > 1", 0, 14, "gives a number beyond all bounds"},
        {"unknown_time < 1", 0, 0, NULL},
        {"SR < 1 or 1 / (SR - SR) > 3", 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct arena arena;
        struct err e = ERR_INIT;
        struct expression_fault fault;
        const struct expression *x = NULL;
        size_t at = 0;
        assert_int_equal(parse(table[i].text, &arena, &x, &at, &e), ST_OK);
        expression_holds(x, lookup, NULL, &fault);
        if (!fault.what != !table[i].what || fault.at != table[i].at || fault.length != table[i].length)
            fail_msg("%s: %s at %d + %d", table[i].text, fault.what ? fault.what : "fine", (int)fault.at,
                     (int)fault.length);
        if (table[i].what)
            assert_string_equal(fault.what, table[i].what);
        arena_release(&arena);
    }
}

/* Nesting ends in an error, never in the stack. */
static void test_limits(void **state)
{
    (void)state;
    static const char *const pieces[] = {"(", "-", "not ", "1+", "flip and ", "1<"};
    char text[EXPRESSION_LENGTH_MAX + 100];
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (int fill = EXPRESSION_LENGTH_MAX - 20; fill <= EXPRESSION_LENGTH_MAX + 20; fill += 40) {
            struct arena arena;
            struct err e = ERR_INIT;
            const struct expression *x = NULL;
            size_t at = 0, n = 0;
            while (n + strlen(pieces[i]) < (size_t)fill) {
                snprintf(text + n, sizeof text - n, "%s", pieces[i]);
                n += strlen(pieces[i]);
            }
            snprintf(text + n, sizeof text - n, "%s", i == 4 ? "flip" : i == 5 ? "2" : "1 > 0");
            const bool flat = i >= 3, fits = strlen(text) <= EXPRESSION_LENGTH_MAX;
            enum status st = parse(text, &arena, &x, &at, &e);
            assert_int_equal(st, flat && fits ? ST_OK : ST_USAGE);
            assert_non_null(strstr(flat && fits ? "" : e.text, flat && fits ? ""
                                                               : fits       ? "too deeply"
                                                                            : "too long"));
            struct expression_fault fault;
            if (st == ST_OK)
                assert_int_equal(expression_holds(x, lookup, NULL, &fault), i != 5);
            arena_release(&arena);
        }
    }
}

static void test_uses(void **state)
{
    (void)state;
    struct arena arena;
    struct err e = ERR_INIT;
    const struct expression *x = NULL;
    size_t at;
    assert_int_equal(parse("not (1 < SR * 2 < 3) or bypass in [none, simple]", &arena, &x, &at, &e), ST_OK);
    for (int i = 0; i < scope.count; i++)
        assert_int_equal(expression_uses(x, i), i == 0 || i == 4);
    arena_release(&arena);
}

static void test_memory(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t n = 1; n < 100; n++) {
        struct arena arena;
        struct err e = ERR_INIT;
        const struct expression *x = NULL;
        size_t at;
        mem_fail_after(n);
        enum status st = parse("SR < 1 and bypass == none or 'none' == bypass", &arena, &x, &at, &e);
        mem_fail_after(0);
        arena_release(&arena);
        assert_int_equal(mem_live(), 0);
        if (st == ST_OK)
            break;
        assert_int_equal(st, ST_NOMEM);
        failures++;
    }
    assert_in_range(failures, 1, 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_errors), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_uses),   cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
