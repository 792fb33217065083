/* A database that somebody else has a hand on while it is in use: locks, files removed or replaced. */
#include <sys/stat.h>
#include <unistd.h>

#include "faulty_vfs.h"
#include "store_fixture.h"

static void commit(void *connection)
{
    sqlite3_exec(connection, "COMMIT", NULL, NULL, NULL);
}

/* A store, and beside it a connection of somebody else to the same file. */
static struct store *open_beside(struct fixture *f, void **state, scratch_path path, sqlite3 **other)
{
    fixture_init(f);
    struct store *s = fixture_open(f, scratch_name(path, state, "results.db"));
    assert_int_equal(sqlite3_open(path, other), SQLITE_OK);
    return s;
}

static void test_second_writer_waits(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct epoch_metrics m = fixture_epoch(1, 1);
    sqlite3 *other = NULL;
    scratch_path path;
    struct store *s = open_beside(&f, state, path, &other);
    assert_int_equal(
        sqlite3_exec(other, "BEGIN IMMEDIATE; UPDATE trial SET seed = seed + 100", NULL, NULL, NULL), 0);
    faulty_wait(commit, other);
    assert_ok(store_epoch(s, f.ids[0], &m, &e));
    assert_int_equal(faulty_waited(), 1);
    assert_int_equal(plain_int(path, "SELECT min(seed) FROM trial"), 101);
    assert_int_equal(plain_int(path, "SELECT count(*) FROM epoch"), 1);
    sqlite3_close(other);
    store_close(s);
}

static void expect_rescued(void **state, const char *name, bool replaced)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct epoch_metrics first = fixture_epoch(1, 1), second = fixture_epoch(2, 1);
    scratch_path path;
    char rescued[sizeof path + 16], other[sizeof path + 16];
    fixture_init(&f);
    struct store *s = fixture_open(&f, scratch_name(path, state, name));
    assert_ok(store_epoch(s, f.ids[0], &first, &e));
    snprintf(rescued, sizeof rescued, "%s.rescued", path);
    snprintf(other, sizeof other, "%s.other", path);
    if (replaced) {
        FILE *foreign = fopen(other, "w");
        assert_non_null(foreign);
        fputs("somebody's", foreign);
        assert_int_equal(fclose(foreign), 0);
        assert_int_equal(rename(other, path), 0);
    } else {
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(store_epoch(s, f.ids[0], &second, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "removed or replaced"));
    assert_non_null(strstr(e.text, rescued));
    assert_int_equal(plain_int(rescued, "SELECT count(*) FROM epoch"), 1);
    store_close(s);
    struct stat info;
    if (replaced) { /* what is not ours stays as it is */
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, strlen("somebody's"));
    }
}

static void test_file_is_removed_while_in_use(void **state)
{
    expect_rescued(state, "removed.db", false);
}

static void test_file_is_replaced_while_in_use(void **state)
{
    expect_rescued(state, "replaced.db", true);
}

static void test_orphaned_log(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path;
    char wal[sizeof path + 16];
    snprintf(wal, sizeof wal, "%s-wal", scratch_name(path, state, "orphan.db"));
    FILE *f = fopen(wal, "w");
    assert_non_null(f);
    fputs("a log", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(open_and_close(path, false, &e), ST_FAILED);
    assert_non_null(strstr(e.text, wal));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(unlink(wal), 0);
    assert_ok(open_and_close(path, false, &e));
}

static bool give_up_after_a_second(void *context, double waited_s)
{
    *(double *)context = waited_s;
    return waited_s < 1;
}

static void test_wait_for_a_lock_can_be_ended(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct epoch_metrics m = fixture_epoch(1, 1);
    sqlite3 *other = NULL;
    double waited_s = 0;
    scratch_path path;
    struct store *s = open_beside(&f, state, path, &other);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_on_busy(s, give_up_after_a_second, &waited_s);
    assert_int_equal(store_epoch(s, f.ids[0], &m, &e), ST_FAILED);
    assert_true(waited_s >= 1 && waited_s < 2);
    assert_non_null(strstr(e.text, "locked by another process (another"));
    sqlite3_close(other);
    assert_ok(store_epoch(s, f.ids[0], &m, &e));
    store_close(s);
}

static void test_locked(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct epoch_metrics m = fixture_epoch(1, 1);
    sqlite3 *other = NULL;
    scratch_path path;
    struct store *s = open_beside(&f, state, path, &other);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    faulty_wait(NULL, NULL);
    assert_int_equal(store_epoch(s, f.ids[0], &m, &e), ST_FAILED);
    assert_true(faulty_waited() > 50);
    assert_non_null(strstr(e.text, "locked by another process for more than 60 s"));
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    assert_ok(store_epoch(s, f.ids[0], &m, &e));
    store_close(s);
    /* Someone who wants the file alone. */
    assert_int_equal(
        sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT", NULL, NULL, NULL), 0);
    assert_int_equal(open_and_close(path, false, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "locked"));
    assert_int_equal(open_and_close(path, true, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "locked"));
    sqlite3_close(other);
    assert_ok(open_and_close(path, false, &e));
}

#define store(name) cmocka_unit_test_setup_teardown(name, faulty_setup, faulty_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store(test_second_writer_waits),           store(test_file_is_removed_while_in_use),
        store(test_file_is_replaced_while_in_use), store(test_orphaned_log),
        store(test_wait_for_a_lock_can_be_ended),  store(test_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
