/* Queries: values, refusals, messages. */
#include <float.h>
#include <unistd.h>

#include "store_fixture.h"

/* Runs a query to its end; *rows (may be NULL) counts them. */
static enum status run(struct store *s, const char *sql, int *rows, struct err *e)
{
    struct store_query *q = NULL;
    enum status status = store_query_open(s, sql, &q, e);
    bool row = true;
    int count = 0;
    while (status == ST_OK && row) {
        status = store_query_next(q, &row, e);
        count += status == ST_OK && row;
    }
    store_query_close(q);
    if (rows)
        *rows = count;
    return status;
}

static void test_values(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    bool row = false;
    assert_ok(store_query_open(
        c->s,
        "SELECT NULL AS absent, -9223372036854775807 - 1 AS least, 0.1 + 0.2, 'grün' AS text,"
        " x'00ff7A' AS bytes, x'' UNION ALL SELECT 1, 2, 3.0, '', 1e999, 6",
        &q, &e));
    assert_int_equal(store_query_columns(q), 6);
    assert_string_equal(store_query_column(q, 0), "absent");
    assert_string_equal(store_query_column(q, 2), "0.1 + 0.2");
    assert_ok(store_query_next(q, &row, &e));
    assert_true(row);
    assert_int_equal(store_query_cell(q, 0).type, CELL_NULL);
    assert_int_equal(store_query_cell(q, 1).type, CELL_INT);
    assert_true(store_query_cell(q, 1).i == INT64_MIN);
    assert_int_equal(store_query_cell(q, 2).type, CELL_REAL);
    assert_true(store_query_cell(q, 2).r == 0.1 + 0.2);
    assert_int_equal(store_query_cell(q, 3).type, CELL_TEXT);
    assert_string_equal(store_query_cell(q, 3).text, "grün");
    assert_int_equal(store_query_cell(q, 4).type, CELL_TEXT);
    assert_string_equal(store_query_cell(q, 4).text, "00ff7a");
    assert_string_equal(store_query_cell(q, 5).text, "");
    assert_ok(store_query_next(q, &row, &e));
    assert_true(row);
    assert_int_equal(store_query_cell(q, 0).i, 1);
    assert_string_equal(store_query_cell(q, 3).text, "");
    assert_true(store_query_cell(q, 4).r > DBL_MAX);
    for (int i = 0; i < 3; i++) { /* the end stays the end */
        assert_ok(store_query_next(q, &row, &e));
        assert_false(row);
    }
    store_query_close(q);
    store_query_close(NULL);
}

static const char *const allowed[] = {
    "SELECT 1",
    "SELECT 1;",
    "  SELECT 1 ; ; -- that is all",
    "/* first */ SELECT count(*) FROM trial /* last */",
    "VALUES (1)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT max(i) FROM n",
    "SELECT sql FROM sqlite_schema LIMIT 1",
    "PRAGMA user_version",
    "SELECT name FROM pragma_table_info('trial') LIMIT 1",
    "SELECT value FROM json_each('[7]')",
    "PRAGMA quick_check(1)",
    "SELECT axes ->> '$.SR', sqrt(2.0), val_top1_stddev FROM curve LIMIT 1",
};

static const struct {
    const char *sql, *words; /* that the message has */
} refused[] = {
    {"", "empty"},
    {"  \n", "empty"},
    {"-- nothing", "empty"},
    {"SELECT 1; SELECT 2", "one statement"},
    {"SELECT 1; DROP TABLE trial", "one statement"},
    {"SELECT 1; blah", "blah"},
    {"SELECT 1 blah blah", "\"blah\""},
    {"SELEC 1", "near \"SELEC\": syntax error"},
    {"SELECT 'open", "unrecognized token"},
    {"SELECT * FROM nowhere", "no such table: nowhere"},
    {"SELECT absent FROM trial", "no such column: absent"},
    {"SELECT abs(-9223372036854775807 - 1)", "integer overflow"},
    {"INSERT INTO sweep(name) VALUES ('x')", "INSERT into sweep refused"},
    {"UPDATE trial SET state = 'done'", "UPDATE of trial refused"},
    {"UPDATE sqlite_schema SET sql = 'x'", "sqlite_master may not be modified"},
    {"DELETE FROM sqlite_schema", "sqlite_master may not be modified"},
    {"DELETE FROM trial", "DELETE from trial refused"},
    {"WITH x AS (SELECT 1) DELETE FROM trial WHERE id IN x", "DELETE from trial refused"},
    {"REPLACE INTO epoch(trial_id) VALUES (1)", "INSERT into epoch refused"},
    {"EXPLAIN DELETE FROM trial", "DELETE from trial refused"},
    {"CREATE TABLE t(x)", "change of the schema refused"},
    {"CREATE TEMP TABLE t(x)", "change of the schema refused"},
    {"CREATE VIEW v AS SELECT 1", "change of the schema refused"},
    {"DROP TABLE trial", "change of the schema refused"},
    {"ALTER TABLE trial RENAME TO t", "refused"},
    {"CREATE VIRTUAL TABLE t USING fts5(x)", "change of the schema refused"},
    {"ATTACH 'attached.db' AS a", "ATTACH attached.db refused"},
    {"DETACH main", "DETACH main refused"},
    {"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode refused"},
    {"PRAGMA user_version = 7", "PRAGMA user_version refused"},
    {"PRAGMA application_id(7)", "PRAGMA application_id refused"},
    {"PRAGMA writable_schema = ON", "PRAGMA writable_schema refused"},
    {"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint refused"},
    {"PRAGMA query_only = OFF", "PRAGMA query_only refused"},
    {"PRAGMA optimize", "PRAGMA optimize refused"},
    {"VACUUM", "only reading"},
    {"VACUUM INTO 'vacuumed.db'", "only reading"},
    {"REINDEX", "only reading"},
    {"ANALYZE", "refused"},
    {"BEGIN", "transaction BEGIN refused"},
    {"BEGIN EXCLUSIVE", "transaction BEGIN refused"},
    {"COMMIT", "transaction COMMIT refused"},
    {"SAVEPOINT p", "transaction BEGIN refused"},
    {"SELECT load_extension('x')", "load_extension"},
    {"SELECT fts3_tokenizer('simple')", "fts3_tokenizer"},
};

static void check_statements(struct store *s)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        struct err e = ERR_INIT;
        int rows = 0;
        if (run(s, allowed[i], &rows, &e) != ST_OK)
            fail_msg("%s: %s", allowed[i], e.text);
        assert_int_equal(rows, 1);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct err e = ERR_INIT;
        enum status status = run(s, refused[i].sql, NULL, &e);
        if (status != ST_USAGE || !strstr(e.text, refused[i].words))
            fail_msg("%s: status %d: %s", refused[i].sql, (int)status, e.text);
        assert_null(strchr(e.text, '\n'));
    }
    assert_int_not_equal(access("attached.db", F_OK), 0);
    assert_int_not_equal(access("vacuumed.db", F_OK), 0);
}

static void test_statements_of_a_reader(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store *reader = NULL;
    char *before = plain_dump(c->path);
    assert_ok(store_open_readonly(c->path, &reader, &e));
    check_statements(reader);
    store_close(reader);
    char *after = plain_dump(c->path);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* Even the writer's connection only reads for a query, and writes around it. */
static void test_statements_of_a_writer(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    bool row = false;
    char *before = plain_dump(c->path);
    check_statements(c->s);
    char *after = plain_dump(c->path);
    assert_string_equal(after, before);
    free(before);
    free(after);
    assert_ok(store_query_open(c->s, "SELECT state FROM trial ORDER BY id", &q, &e));
    assert_ok(store_query_next(q, &row, &e));
    fixture_finish(c->s, c->f.ids[5], 0.5, 0.6);
    assert_ok(store_query_next(q, &row, &e));
    assert_true(row);
    store_query_close(q);
    assert_string_equal(plain_text(c->path, with("SELECT state FROM trial WHERE id = %lld", c->f.ids[5])),
                        "done");
}

static void test_readers_refuse_to_write(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store *reader = NULL;
    struct epoch_metrics m = fixture_epoch(1, 1);
    struct attempt_end end = {.state = TRIAL_DONE, .outcome = "done", .diverged_step = -1};
    int64_t attempt = 0, recovered = 0, ids[FIXTURE_TRIALS], counts[TRIAL_STATE_COUNT];
    assert_ok(store_attempt_begin(c->s, c->f.ids[0], 1, 1, &attempt, &e));
    plain_exec(c->path,
               "UPDATE lease SET run_start = 1, worker_start = 1"); /* there is something to recover */
    char *before = plain_dump(c->path);
    assert_ok(store_open_readonly(c->path, &reader, &e));
    c->f.data.fingerprint++;
    enum status statuses[] = {
        store_sync(reader, &c->f.spec, &c->f.space, &c->f.data, ids, &e),
        store_attempt_begin(reader, c->f.ids[1], 1, 1, &attempt, &e),
        store_epoch(reader, c->f.ids[0], &m, &e),
        store_attempt_end(reader, c->f.ids[0], attempt, &end, &e),
        store_recover(reader, &recovered, &e),
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_int_equal(statuses[i], ST_FAILED);
    assert_non_null(strstr(e.text, "for reading only"));
    assert_ok(store_counts(reader, NULL, counts, &e));
    assert_int_equal(counts[TRIAL_RUNNING], 1);
    store_close(reader);
    char *after = plain_dump(c->path);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* Between begin and end a reader sees one moment, whatever others write. */
static void test_readers_keep_their_moment(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store *reader = NULL;
    int64_t counts[TRIAL_STATE_COUNT];
    assert_ok(store_open_readonly(c->path, &reader, &e));
    assert_ok(store_read_begin(reader, &e));
    fixture_finish(c->s, c->f.ids[0], 0.5, 0.5);
    assert_ok(store_counts(reader, NULL, counts, &e));
    assert_int_equal(counts[TRIAL_DONE], 0);
    store_read_end(reader);
    assert_ok(store_counts(reader, NULL, counts, &e));
    assert_int_equal(counts[TRIAL_DONE], 1);
    store_read_end(reader); /* once too often is fine */
    store_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_values),
        store_test(test_statements_of_a_reader),
        store_test(test_statements_of_a_writer),
        store_test(test_readers_refuse_to_write),
        store_test(test_readers_keep_their_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
