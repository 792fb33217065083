/* What may have been meant by a word that is unknown, and short lists of many words. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "sweep/suggest.h"

static const char *const words[] = {"id",        "block",     "sr",        "val_top1", "val_top5",
                                    "test_top1", "test_top5", "model_mib", "epochs",   "lr",
                                    "seed",      "state",     "train_s",   "macs"};
enum { WORDS = sizeof words / sizeof *words };

static void test_texts(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"SRX", ", did you mean sr?"},
        {"sr", ", did you mean sr?"},
        {"epoch", ", did you mean epochs?"},
        {"xr", ", did you mean sr or lr?"},
        {"val_top", ", did you mean val_top1 or val_top5?"},
        {"top1", ", did you mean val_top1 or test_top1?"}, /* a part */
        {"top", ", did you mean val_top1, val_top5 or test_top1?"},
        {"model_mib_of_all_networks_there_are", ", did you mean model_mib?"},
        {"nonsense", ""},
        {"qq", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[SUGGEST_TEXT];
        if (strcmp(suggest_text(table[i][0], words, WORDS, out), table[i][1]) != 0)
            fail_msg("%s: \"%s\"", table[i][0], out);
    }
    assert_string_equal(suggest_word("xr", words, WORDS), "sr");
    assert_null(suggest_word("nonsense", words, WORDS));
}

static void test_lists(void **state)
{
    (void)state;
    char out[SUGGEST_LIST];
    assert_string_equal(suggest_list(words, 3, " elsewhere", out), "id, block, sr");
    assert_string_equal(
        suggest_list(words, WORDS, " elsewhere", out),
        "id, block, sr, val_top1, val_top5, test_top1, test_top5, model_mib, epochs, lr, seed, state "
        "and 2 more elsewhere");
    assert_string_equal(suggest_list(words, 0, "", out), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
