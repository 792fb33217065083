/* docs/json.md: the keys in its tables are exactly those that its commands print. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "program.h"
#include "sandbox.h"
#include "speed.h"

enum { KEYS_MAX = 128, KEY_TEXT = 80 };

/* A set of keys such as "layers[].name". */
struct keys {
    int count;
    char key[KEYS_MAX][KEY_TEXT];
};

static bool has(const struct keys *k, const char *key)
{
    for (int i = 0; i < k->count; i++)
        if (strcmp(k->key[i], key) == 0)
            return true;
    return false;
}

static void add(struct keys *k, const char *key)
{
    if (has(k, key))
        return;
    assert_true(k->count < KEYS_MAX && strlen(key) < KEY_TEXT);
    snprintf(k->key[k->count++], KEY_TEXT, "%s", key);
}

/* All keys below a value. The keys of "axes" are those of the sweep, not the command's; an array of scalars
 * is one value; of an empty array nothing is known. */
static void collect(struct json_object *value, const char *path, struct keys *k)
{
    char below[KEY_TEXT];
    const size_t n = strlen(path);
    const bool axes = n >= 4 && strcmp(path + n - 4, "axes") == 0;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            struct json_object *item = json_object_array_get_idx(value, i);
            const bool scalar = !json_object_is_type(item, json_type_object);
            snprintf(below, sizeof below, "%s%s", path, scalar ? "" : "[]");
            collect(item, below, k);
        }
    } else if (json_object_is_type(value, json_type_object) && !axes) {
        json_object_object_foreach(value, key, member)
        {
            snprintf(below, sizeof below, "%s%s%s", path, n ? "." : "", key);
            collect(member, below, k);
        }
    } else
        add(k, path);
}

/* Runs "firesweep ..." and adds the keys of its answer. Problems of a spec are an answer, too. */
static void run_line(char *line, struct keys *k)
{
    const char *arguments[24];
    int count = 0;
    char *rest = NULL, *whole = strdup(line);
    assert_non_null(whole);
    strtok_r(line, " ", &rest);
    for (char *word; count < 23 && (word = strtok_r(NULL, " ", &rest));)
        arguments[count++] = word;
    arguments[count] = NULL;
    struct outcome o = program_run(arguments);
    struct json_object *answer = o.code <= 1 ? json_tokener_parse(o.out) : NULL;
    if (!answer)
        fail_msg("%s: exit status %d, %s\n%s", whole, o.code, o.err, o.out);
    collect(answer, "", k);
    json_object_put(answer);
    outcome_release(&o);
    free(whole);
}

/* The keys in the first cell of "| `a` `b` | meaning |". */
static void read_row(const char *line, struct keys *k)
{
    const char *end = strchr(line + 1, '|');
    for (const char *at = strchr(line, '`'); at && end && at < end;) {
        char key[KEY_TEXT];
        const char *close = strchr(at + 1, '`');
        assert_true(close && close < end && (size_t)(close - at) < sizeof key);
        snprintf(key, sizeof key, "%.*s", close ? (int)(close - at - 1) : 0, at + 1);
        if (has(k, key))
            fail_msg("docs/json.md has %s twice", key);
        add(k, key);
        at = close ? strchr(close + 1, '`') : NULL;
    }
}

static void compare(const char *section, const struct keys *documented, const struct keys *printed)
{
    char missing[4096] = "";
    size_t n = 0;
    for (int i = 0; i < printed->count && n < sizeof missing; i++)
        if (!has(documented, printed->key[i]))
            n += (size_t)snprintf(missing + n, sizeof missing - n, " %s", printed->key[i]);
    if (n > 0)
        fail_msg("docs/json.md, %s, lacks%s", section, missing);
    for (int i = 0; i < documented->count && n < sizeof missing; i++)
        if (!has(printed, documented->key[i]))
            n += (size_t)snprintf(missing + n, sizeof missing - n, " %s", documented->key[i]);
    if (n > 0)
        fail_msg("docs/json.md, %s: the command does not print%s", section, missing);
}

static void execute(const char *db, const char *sql)
{
    sqlite3 *connection = NULL;
    assert_int_equal(sqlite3_open(db, &connection), SQLITE_OK);
    if (sqlite3_exec(connection, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(connection));
    sqlite3_close(connection);
}

#define HEAD                                                                                        \
    "version: 1\nname: sweep\ndata: {format: idx, path: data, val: 80}\n"                           \
    "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 4, incr_e: 4}\n" \
    "constraints: [model_bytes <= 100KiB]\nseeds: [1, 2]\nrun: {measure: false}\n"

/* What the page's commands name: a spec with a point of every kind, its results, an edited, a wrong and a
 * short spec, a model, and a database that looks as if a run were at work. */
static int setup(void **state)
{
    if (sandbox_setup(state) != 0)
        return -1;
    text_write("sweep.yaml",
               HEAD "train: {epochs: 1, batch: 16, lr: 0.02, schedule: constant, warmup: 0}\n"
                    "sweep:\n  - {id: squeeze, grid: {SR: [0.125, 0.25, 0.5, 0.75, 1.0]}}\n"
                    "  - {id: again, grid: {SR: [0.5], base_e: [4, 128]}}\n"
                    "  - {id: rates, grid: {lr: [0.01, 0.02], SR: [0.25, 0.5, 1.0]}}\n"
                    "  - {id: drawn, random: {n: 1, seed: 1}, params: {SR: {uniform: [0.1, 0.9]}}, exclude: "
                    "[SR > 0.5]}\n");
    text_write("edited.yaml", HEAD "train: {epochs: 1, batch: 16, lr: 0.02, schedule: constant, warmup: 0}\n"
                                   "sweep: [{id: squeeze, grid: {SR: [0.5, 0.6]}}]\n");
    text_write("searched.yaml", HEAD "train: {epochs: 2}\nsearch: {eta: 2}\n"
                                     "sweep: [{id: squeeze, grid: {SR: [0.5, 0.6]}}]\n");
    text_write("bad.yaml", HEAD "train: {epoch: 1}\n");
    text_write("short.yaml", HEAD "sweep: [{id: few, random: {n: 4}, params: {freq: [1, 2]}}]\n");
    keep_speed(1e-9); /* plan has predicted times then */
    struct outcome o = RUN("run", "sweep.yaml");
    const int code = o.code;
    if (code != 0)
        fprintf(stderr, "%s", o.err);
    outcome_release(&o);
    if (code != 0 || system("cp results/sweep.checkpoints/$(ls results/sweep.checkpoints | grep -m1 "
                            "'safetensors$') model.safetensors && cp results/sweep.db busy.db") != 0)
        return -1;
    execute("busy.db",
            "UPDATE trial SET state = 'failed', message = 'as a test' WHERE id = 1;"
            "UPDATE trial SET state = 'running' WHERE id = 2;"
            "INSERT INTO event(trial_id, at_utc, text) VALUES(1, '2026-01-31T12:00:00Z', 'a test')");
    return 0;
}

static char *page; /* docs/json.md: read before the sandbox is entered */

static void test_keys(void **state)
{
    (void)state;
    static struct keys documented, printed;
    char section[64] = "";
    int sections = 0, commands = 0;
    char *rest = NULL;
    bool block = false;
    for (char *line = strtok_r(page, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "## ", 3) == 0) {
            if (commands > 0)
                compare(section, &documented, &printed);
            snprintf(section, sizeof section, "%s", line + 3);
            documented.count = printed.count = 0;
            sections++;
        } else if (strncmp(line, "```", 3) == 0)
            block = !block;
        else if (block && ++commands)
            run_line(line, &printed);
        else if (strncmp(line, "| `", 3) == 0)
            read_row(line, &documented);
    }
    compare(section, &documented, &printed);
    assert_true(sections >= 17 && commands >= sections);
}

/* No command that takes --format is left out. */
static void test_all_commands_are_there(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    struct err e = ERR_INIT;
    assert_int_equal(file_read(FIRESWEEP_DOCS "/json.md", 1 << 20, &text, &n, &e), ST_OK);
    struct outcome o = RUN("--help");
    char *rest = NULL;
    for (char *line = strtok_r(o.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[32] = "", shown[64];
        if (sscanf(line, "  %31[a-z]", name) != 1 || line[2] == ' ')
            continue;
        struct outcome help = RUN(name, "--help");
        snprintf(shown, sizeof shown, "firesweep %s ", name);
        if (strstr(help.out, "--format=") && !strstr(text, shown))
            fail_msg("docs/json.md lacks %s", name);
        outcome_release(&help);
    }
    outcome_release(&o);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys),
                                       cmocka_unit_test(test_all_commands_are_there)};
    struct err e = ERR_INIT;
    size_t n = 0;
    if (file_read(FIRESWEEP_DOCS "/json.md", 1 << 20, &page, &n, &e) != ST_OK) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    const int failed = cmocka_run_group_tests(tests, setup, sandbox_teardown);
    mem_free(page);
    return failed;
}
