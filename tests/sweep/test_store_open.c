/* Opening: what is refused and left as it is, damaged files, readers beside a writer. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faulty_vfs.h"
#include "store_fixture.h"

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void copy(const char *from, const char *from_suffix, const char *to, const char *to_suffix)
{
    char source[600], target[600];
    size_t n = 0;
    snprintf(source, sizeof source, "%s%s", from, from_suffix);
    snprintf(target, sizeof target, "%s%s", to, to_suffix);
    char *bytes = slurp(source, &n);
    write_bytes(target, bytes, n);
    free(bytes);
}

/* Both ways of opening refuse the file, say why, and leave it and its folder as they are. */
static void assert_refused(const char *path, enum status expected, const char *words)
{
    size_t n = 0;
    char *bytes = slurp(path, &n);
    for (int readonly = 0; readonly < 2; readonly++) {
        struct err e = ERR_INIT;
        enum status status = open_and_close(path, readonly, &e);
        if (status != expected || !strstr(e.text, words) || !strstr(e.text, path))
            fail_msg("readonly %d: status %d: %s", readonly, (int)status, e.text);
        assert_same_bytes(path, bytes, n);
        assert_false(beside(path, "-wal") || beside(path, "-shm") || beside(path, "-journal"));
    }
    free(bytes);
}

static void test_create(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path;
    scratch_name(path, state, "new/folder/odd %41 ?name#=\xc3\xbc.db");
    struct store *s = NULL, *again = NULL;
    int64_t counts[TRIAL_STATE_COUNT];
    assert_ok(store_open(path, &s, &e));
    assert_int_equal(access(path, F_OK), 0);
    assert_ok(store_open(path, &again, &e)); /* a second one finds it complete */
    assert_ok(store_counts(again, NULL, counts, &e));
    assert_int_equal(counts[TRIAL_PENDING], 0);
    store_close(again);
    store_close(s);
    store_close(NULL);
    assert_false(beside(path, "-wal") || beside(path, "-shm"));
    assert_int_equal(plain_int(path, "SELECT user_version FROM pragma_user_version"), STORE_SCHEMA_VERSION);
}

/* A path relative to the working directory, and one that SQLite would take for a database in memory. */
static void test_relative_path(void **state)
{
    struct err e = ERR_INIT;
    int home = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(*state), 0);
    assert_ok(open_and_close(":memory:", false, &e));
    assert_int_equal(access("./:memory:", F_OK), 0);
    assert_ok(open_and_close(":memory:", true, &e));
    assert_int_equal(fchdir(home), 0);
    close(home);
}

static void test_empty_file(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path;
    scratch_write(scratch_name(path, state, "empty.db"), "");
    assert_int_equal(open_and_close(path, true, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "empty"));
    assert_ok(open_and_close(path, false, &e));
    assert_ok(open_and_close(path, true, &e));
}

static void test_foreign_files(void **state)
{
    scratch_path path;
    scratch_write(scratch_name(path, state, "short"), "x");
    assert_refused(path, ST_CORRUPT, "not a SQLite database");
    scratch_write(scratch_name(path, state, "notes.txt"),
                  "These are notes of mine, not a database at all.\n");
    assert_refused(path, ST_CORRUPT, "not a SQLite database");
    scratch_write(scratch_name(path, state, "half"), "SQLite format 3");
    assert_refused(path, ST_CORRUPT, "firesweep");
    scratch_name(path, state, "other.db");
    plain_exec(path, "CREATE TABLE precious(x); INSERT INTO precious VALUES (1)");
    assert_refused(path, ST_CORRUPT, "not one of firesweep");
    scratch_name(path, state, "wal.db");
    plain_exec(path, "PRAGMA journal_mode = WAL; PRAGMA user_version = 1; CREATE TABLE precious(x)");
    assert_refused(path, ST_CORRUPT, "not one of firesweep");
}

static void test_versions(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path;
    scratch_name(path, state, "results.db");
    assert_ok(open_and_close(path, false, &e));
    char newer[96];
    snprintf(newer, sizeof newer, "PRAGMA user_version = %d; CREATE TABLE of_the_future(x)",
             STORE_SCHEMA_VERSION + 1);
    plain_exec(path, newer);
    assert_refused(path, ST_FAILED, "is newer");
    plain_exec(path, "PRAGMA user_version = 0");
    assert_refused(path, ST_CORRUPT, "schema version 0");
}

/* Makes the file one of the first version, which had no leases and events, and no measurements, which its
 * views do not speak of. */
static void make_version_1(const char *path)
{
    plain_exec(path, "DROP VIEW pareto; DROP VIEW leaderboard; DROP VIEW curve; DROP TABLE deployment;"
                     "DROP TABLE rung; DROP TABLE lease; DROP TABLE event; DROP TABLE point;"
                     "CREATE VIEW curve AS SELECT 1 AS old; CREATE VIEW leaderboard AS SELECT 1 AS old;"
                     "CREATE VIEW pareto AS SELECT * FROM leaderboard; PRAGMA user_version = 1");
}

static int64_t first_int(struct store *s, const char *sql)
{
    struct store_query *q = NULL;
    struct err e = ERR_INIT;
    bool row = false;
    assert_ok(store_query_open(s, sql, &q, &e));
    assert_ok(store_query_next(q, &row, &e));
    assert_true(row);
    const int64_t value = store_query_cell(q, 0).i;
    store_query_close(q);
    return value;
}

/* A reader of an older file finds what is new in this version, empty but for the points that it has, and
 * leaves the file as it is. */
static void test_reader_of_older_version(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    scratch_path path;
    size_t n = 0, again = 0;
    struct store *s = NULL;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    make_version_1(path);
    char *before = slurp(path, &n);
    assert_ok(store_open_readonly(path, &s, &e));
    assert_int_equal(first_int(s, "SELECT count(*) FROM deployment"), 0);
    assert_int_equal(first_int(s, "SELECT count(*) FROM rung"), 0);
    assert_int_equal(first_int(s, "SELECT count(*) FROM event"), 0);
    assert_int_equal(first_int(s, "SELECT count(*) FROM point WHERE sr = 0.125"), 1);
    assert_int_equal(first_int(s, "SELECT sum(trials) FROM curve WHERE latency_ms IS NULL"), FIXTURE_MEMBERS);
    struct store_query *q = NULL;
    assert_int_equal(store_query_open(s, "INSERT INTO event(text) VALUES ('x')", &q, &e), ST_USAGE);
    store_query_close(q);
    store_close(s);
    char *after = slurp(path, &again);
    assert_int_equal(n, again);
    assert_memory_equal(before, after, n);
    free(after);
    free(before);
}

static void test_older_version(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    scratch_path path, kept;
    struct store *s = NULL;
    int64_t attempt = 0;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    scratch_name(kept, state, "results.db.v1.bak");
    make_version_1(path);
    plain_exec(path, "UPDATE trial SET state = 'running' WHERE id = 1"); /* as a killed run leaves it */
    char *before = plain_dump(path);

    /* Readers read it as it is. */
    assert_ok(open_and_close(path, true, &e));
    assert_int_equal(plain_int(path, "SELECT user_version FROM pragma_user_version"), 1);
    assert_false(beside(path, ".v1.bak"));

    assert_ok(store_open(path, &s, &e));
    assert_int_equal(plain_int(path, "SELECT user_version FROM pragma_user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(plain_int(path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
    char *copy = plain_dump(kept);
    assert_string_equal(copy, before);
    assert_int_equal(plain_int(kept, "SELECT user_version FROM pragma_user_version"), 1);
    assert_int_equal(plain_int(kept, "SELECT application_id FROM pragma_application_id"), 0x66737770);
    /* Nobody holds what was running. */
    int64_t recovered = 0;
    assert_ok(store_recover(s, &recovered, &e));
    assert_int_equal(recovered, 1);
    assert_ok(store_attempt_begin(s, f.ids[0], 1, 1, &attempt, &e));
    store_close(s);
    assert_false(beside(path, ".v1.bak.tmp"));

    free(copy);
    free(before);
}

/* Whatever the write that fails, the database is of one version or the other, whole, and the next try ends
 * well. */
static void test_upgrade_without_room(void **state)
{
    struct fixture f;
    scratch_path path;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    int failures = 0;
    for (long write = 1; write < 200; write++) {
        struct err e = ERR_INIT;
        if (plain_int(path, "SELECT user_version FROM pragma_user_version") > 1)
            make_version_1(path);
        faulty_writes(write, SQLITE_FULL);
        enum status status = open_and_close(path, false, &e);
        faulty_writes(0, 0);
        assert_string_equal(plain_text(path, "PRAGMA integrity_check"), "ok");
        assert_int_equal(plain_int(path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
        assert_int_equal(
            plain_int(path, "SELECT count(*) FROM sqlite_schema WHERE name IN ('lease', 'event', 'rung')"),
            plain_int(path, "SELECT user_version FROM pragma_user_version") == 1 ? 0 : 3);
        failures += status == ST_NOSPACE;
        if (status == ST_OK && write > 1 && failures > 0)
            break;
    }
    assert_true(failures > 5);
    struct err e = ERR_INIT;
    assert_ok(open_and_close(path, false, &e));
}

static void test_no_database(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path;
    scratch_name(path, state, "missing.db");
    assert_int_equal(open_and_close(path, true, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "no such database"));
    assert_false(beside(path, "") || beside(path, "-wal") || beside(path, "-shm"));
    scratch_name(path, state, "missing/folder.db");
    assert_int_equal(open_and_close(path, true, &e), ST_FAILED);
    assert_int_not_equal(access(scratch_name(path, state, "missing"), F_OK), 0);
    for (int readonly = 0; readonly < 2; readonly++) {
        assert_int_equal(open_and_close("", readonly, &e), ST_USAGE);
        assert_int_equal(open_and_close(*state, readonly, &e), ST_FAILED);
        assert_non_null(strstr(e.text, "folder"));
        assert_int_equal(open_and_close("/dev/null", readonly, &e), ST_FAILED);
        assert_non_null(strstr(e.text, "special file"));
    }
    scratch_write(scratch_name(path, state, "file"), "x");
    assert_int_equal(open_and_close(scratch_name(path, state, "file/results.db"), false, &e), ST_FAILED);
}

/* Any shorter version of the file is noticed, by the writer before it writes. */
static void test_truncated(void **state)
{
    struct fixture f;
    scratch_path path, cut;
    size_t n = 0;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    char *bytes = slurp(path, &n);
    scratch_name(cut, state, "cut.db");
    assert_true(n >= 20 * 4096);
    for (size_t length = 100; length < n; length += length < 5000 ? 700 : 4096) {
        write_bytes(cut, bytes, length);
        struct err e = ERR_INIT;
        if (open_and_close(cut, false, &e) != ST_CORRUPT)
            fail_msg("%zu bytes: %s", length, e.text);
        assert_non_null(strstr(e.text, cut));
        assert_int_equal(open_and_close(cut, true, &e), ST_CORRUPT);
        assert_same_bytes(cut, bytes, length);
    }
    free(bytes);
}

static void test_overwritten(void **state)
{
    struct fixture f;
    scratch_path path;
    size_t n = 0;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    char *bytes = slurp(path, &n);
    for (size_t page = 1; page < n / 4096; page++) {
        struct err e = ERR_INIT;
        char *damaged = malloc(n);
        memcpy(damaged, bytes, n);
        memset(damaged + page * 4096, 0xa5, 4096);
        write_bytes(path, damaged, n);
        assert_int_equal(open_and_close(path, false, &e), ST_CORRUPT);
        assert_non_null(strstr(e.text, "damaged"));
        free(damaged);
    }
    free(bytes);
}

/* An index that does not say what its table does: no page of it is damaged. */
static void test_index_that_is_wrong(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct store *s = NULL;
    scratch_path path;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    plain_exec(path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
                     " 'CREATE INDEX trial_by_state ON trial(seed)' WHERE name = 'trial_by_state'");
    assert_string_equal(plain_text(path, "PRAGMA quick_check(1)"), "ok");
    assert_int_equal(open_and_close(path, false, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text,
                           "the database is damaged (row 1 missing from index trial_by_state); make its"
                           " indexes anew with \"sqlite3 "));
    assert_ok(store_open_readonly(path, &s, &e));
    assert_int_equal(store_check_all(s, &e), ST_CORRUPT);
    store_close(s);
    plain_exec(path, "REINDEX");
    assert_ok(open_and_close(path, false, &e));
}

/* Also what nothing asks for now. */
static void test_missing_parts(void **state)
{
    static const char *const parts[] = {"TABLE event", "VIEW pareto", "INDEX trial_by_state"};
    static const char *const said[] = {"it has no table event", "it has no view pareto",
                                       "it has no index trial_by_state"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct err e = ERR_INIT;
        struct fixture f;
        scratch_path path;
        char name[32], sql[64];
        snprintf(name, sizeof name, "part-%zu.db", i);
        snprintf(sql, sizeof sql, "DROP %s", parts[i]);
        fixture_init(&f);
        store_close(fixture_open(&f, scratch_name(path, state, name)));
        plain_exec(path, sql);
        assert_int_equal(open_and_close(path, false, &e), ST_CORRUPT);
        assert_non_null(strstr(e.text, said[i]));
    }
}

/* A reader does not check everything at once: it meets the damage where it is. */
static void test_overwritten_for_readers(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct store *s = NULL;
    struct store_query *q = NULL;
    scratch_path path;
    bool row = true;
    size_t n = 0;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    int64_t page = plain_int(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'trial'");
    char *bytes = slurp(path, &n);
    memset(bytes + (page - 1) * 4096, 0xa5, 4096);
    write_bytes(path, bytes, n);
    free(bytes);
    assert_ok(store_open_readonly(path, &s, &e));
    enum status status = store_query_open(s, "SELECT * FROM trial", &q, &e);
    while (status == ST_OK && row)
        status = store_query_next(q, &row, &e);
    assert_int_equal(status, ST_CORRUPT);
    store_query_close(q);
    assert_int_equal(store_trial_state(s, f.ids[0], &(enum trial_state){0}, &e), ST_CORRUPT);
    store_close(s);
}

/* What a killed writer leaves behind: the database with its log. */
static void crash_copy(const char *path, const char *to)
{
    copy(path, "", to, "");
    copy(path, "-wal", to, "-wal");
}

static void test_after_a_crash(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    scratch_path path, crashed, torn;
    size_t n = 0;
    fixture_init(&f);
    struct store *s = fixture_open(&f, scratch_name(path, state, "results.db"));
    fixture_finish(s, f.ids[0], 0.5, 0.6);
    crash_copy(path, scratch_name(crashed, state, "crashed.db"));
    crash_copy(path, scratch_name(torn, state, "torn.db"));
    store_close(s);
    assert_ok(open_and_close(crashed, true, &e));
    assert_int_equal(plain_int(crashed, "SELECT count(*) FROM epoch"), 1);
    /* Killed while the log was merged: the first page already tells of pages that are not there yet. */
    char *bytes = slurp(path, &n);
    int fd = open(torn, O_WRONLY);
    assert_int_equal(pwrite(fd, bytes, 4096, 0), 4096);
    close(fd);
    free(bytes);
    assert_ok(open_and_close(torn, false, &e));
    assert_int_equal(plain_int(torn, "SELECT count(*) FROM epoch"), 1);
    assert_string_equal(plain_text(torn, "PRAGMA integrity_check"), "ok");
}

static int64_t reader_count(struct store *s, enum trial_state which)
{
    struct err e = ERR_INIT;
    int64_t counts[TRIAL_STATE_COUNT];
    assert_ok(store_counts(s, NULL, counts, &e));
    return counts[which];
}

static void test_reader_beside_writer(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct store *reader = NULL;
    scratch_path path;
    fixture_init(&f);
    struct store *writer = fixture_open(&f, scratch_name(path, state, "results.db"));
    sqlite3 *other = NULL;
    assert_ok(store_open_readonly(path, &reader, &e));
    assert_int_equal(reader_count(reader, TRIAL_DONE), 0);
    fixture_finish(writer, f.ids[0], 0.5, 0.6);
    assert_int_equal(reader_count(reader, TRIAL_DONE), 1);
    /* Not what is not committed; and opening does not wait for it. */
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other, "BEGIN IMMEDIATE; UPDATE trial SET state = 'failed'", NULL, NULL, NULL), 0);
    assert_int_equal(reader_count(reader, TRIAL_FAILED), 0);
    assert_ok(open_and_close(path, true, &e));
    sqlite3_close(other);
    /* A writer that goes away takes nothing from a reader. */
    store_close(writer);
    assert_int_equal(reader_count(reader, TRIAL_DONE), 1);
    store_close(reader);
    assert_false(beside(path, "-wal") || beside(path, "-shm"));
}

static void test_reader_leaves_no_trace(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct store *s = NULL;
    scratch_path path;
    size_t n = 0;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    char *bytes = slurp(path, &n);
    assert_ok(store_open_readonly(path, &s, &e));
    assert_int_equal(reader_count(s, TRIAL_PENDING), FIXTURE_TRIALS);
    store_close(s);
    assert_same_bytes(path, bytes, n);
    assert_false(beside(path, "-wal") || beside(path, "-shm"));
    free(bytes);
}

/* Permissions do not bind root, so root becomes nobody for a while. */
static void lock_folder(const char *folder)
{
    assert_int_equal(chmod(folder, 0555), 0);
    if (geteuid() == 0)
        assert_int_equal(setresuid(65534, 65534, 0), 0);
}

static void unlock_folder(const char *folder)
{
    uid_t real, effective, saved;
    assert_int_equal(getresuid(&real, &effective, &saved), 0);
    if (saved == 0)
        assert_int_equal(setresuid(0, 0, 0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
}

static void test_folder_that_cannot_be_written(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct store *s = NULL;
    scratch_path path, crashed, absent;
    fixture_init(&f);
    struct store *writer = fixture_open(&f, scratch_name(path, state, "results.db"));
    crash_copy(path, scratch_name(crashed, state, "crashed.db"));
    store_close(writer);
    lock_folder(*state);
    /* No assertion may leave this function while the folder is locked. */
    enum status read = store_open_readonly(path, &s, &e);
    int64_t pending = read == ST_OK ? reader_count(s, TRIAL_PENDING) : -1;
    store_close(s);
    struct err written = ERR_INIT, created = ERR_INIT, unmerged = ERR_INIT;
    enum status write = open_and_close(path, false, &written);
    enum status create = open_and_close(scratch_name(absent, state, "absent.db"), false, &created);
    enum status merge = open_and_close(crashed, true, &unmerged);
    unlock_folder(*state);
    assert_ok(read);
    assert_int_equal(pending, FIXTURE_TRIALS);
    assert_int_equal(write, ST_FAILED);
    assert_non_null(strstr(written.text, "cannot be written: Permission denied"));
    assert_int_equal(create, ST_FAILED);
    assert_non_null(strstr(created.text, *state));
    assert_int_equal(merge, ST_FAILED);
    assert_non_null(strstr(unmerged.text, "not merged"));
}

static void test_file_that_cannot_be_written(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    scratch_path path;
    fixture_init(&f);
    store_close(fixture_open(&f, scratch_name(path, state, "results.db")));
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(*state, 0777), 0);
    bool root = geteuid() == 0;
    if (root && setresuid(65534, 65534, 0) != 0)
        fail();
    enum status write = open_and_close(path, false, &e);
    struct err reading = ERR_INIT;
    enum status read = open_and_close(path, true, &reading);
    if (root && setresuid(0, 0, 0) != 0)
        fail();
    assert_int_equal(write, ST_FAILED);
    assert_non_null(strstr(e.text, "the database cannot be written: Permission denied"));
    assert_int_equal(read, ST_OK);
}

#define store(name) cmocka_unit_test_setup_teardown(name, faulty_setup, faulty_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store(test_create),
        store(test_relative_path),
        store(test_empty_file),
        store(test_foreign_files),
        store(test_versions),
        store(test_older_version),
        store(test_reader_of_older_version),
        store(test_upgrade_without_room),
        store(test_no_database),
        store(test_truncated),
        store(test_overwritten),
        store(test_index_that_is_wrong),
        store(test_missing_parts),
        store(test_overwritten_for_readers),
        store(test_after_a_crash),
        store(test_reader_beside_writer),
        store(test_reader_leaves_no_trace),
        store(test_folder_that_cannot_be_written),
        store(test_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
