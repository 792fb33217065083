/* Full disks, broken disks and missing memory, at every point in turn: the right status, nothing lost,
 * nothing half done. */
#include <signal.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "faulty_vfs.h"
#include "store_fixture.h"

/* SQLite's own allocations, counted and failed like those of base/mem.h. */
static struct {
    sqlite3_mem_methods below;
    long countdown; /* 0: never fail */
    long count;
} heap;

static bool heap_fails(void)
{
    heap.count++;
    return heap.countdown > 0 && heap.count >= heap.countdown;
}

static void *heap_alloc(int n)
{
    return heap_fails() ? NULL : heap.below.xMalloc(n);
}

static void *heap_realloc(void *p, int n)
{
    return heap_fails() ? NULL : heap.below.xRealloc(p, n);
}

static void heap_install(void)
{
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &heap.below), SQLITE_OK);
    sqlite3_mem_methods methods = heap.below;
    methods.xMalloc = heap_alloc;
    methods.xRealloc = heap_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
}

static void heap_fail_at(long n)
{
    heap.countdown = n;
    heap.count = 0;
}

/* One trial from start to end, twice where asked; stops at the first failure. */
static enum status life(struct store *s, int64_t trial, struct err *e)
{
    int64_t attempt = 0;
    struct epoch_metrics m = fixture_epoch(1, 1);
    struct attempt_end end = {.state = TRIAL_DONE, .outcome = "done", .diverged_step = -1};
    enum status status = store_attempt_begin(s, trial, 1, 1, &attempt, e);
    if (status == ST_OK)
        status = store_epoch(s, trial, &m, e);
    return status == ST_OK ? store_attempt_end(s, trial, attempt, &end, e) : status;
}

/* Opening, recording the sweep, one trial, closing. */
static enum status everything(struct fixture *f, const char *path, struct err *e)
{
    struct store *s = NULL;
    enum status status = store_open(path, &s, e);
    if (status == ST_OK)
        status = store_sync(s, &f->spec, &f->space, &f->data, f->ids, e);
    if (status == ST_OK)
        status = life(s, f->ids[0], e);
    store_close(s);
    return status;
}

/* After a failure: the file is sound, and holds all of a transaction or nothing of it. */
static void assert_sound(struct fixture *f, const char *path)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;
    int64_t recovered = 0;
    assert_ok(store_open(path, &s, &e));
    assert_string_equal(plain_text(path, "PRAGMA integrity_check"), "ok");
    assert_int_equal(plain_int(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    int64_t trials = plain_int(path, "SELECT count(*) FROM trial");
    assert_true(trials == 0 || trials == FIXTURE_TRIALS);
    assert_int_equal(plain_int(path, "SELECT count(*) FROM block_trial"), trials ? FIXTURE_MEMBERS : 0);
    assert_int_equal(
        plain_int(path, "SELECT (SELECT count(*) FROM attempt WHERE ended_utc IS NULL) = (SELECT count(*)"
                        " FROM trial WHERE state = 'running')"),
        1);
    assert_ok(store_recover(s, &recovered, &e));
    assert_ok(store_sync(s, &f->spec, &f->space, &f->data, f->ids, &e));
    assert_ok(life(s, f->ids[1], &e));
    store_close(s);
}

static void fail_every_write(void **state, int code, long step, enum status expected, const char *words)
{
    struct fixture f;
    bool failed = true;
    long n = 0;
    fixture_init(&f);
    while (failed) {
        struct err e = ERR_INIT;
        scratch_path path;
        char name[32];
        n += step;
        snprintf(name, sizeof name, "write-%ld.db", n);
        scratch_name(path, state, name);
        faulty_writes(n, code);
        enum status status = everything(&f, path, &e);
        failed = faulty_written() >= n;
        faulty_writes(0, 0);
        /* Failures after the last commit, when the log is merged at the end, harm nobody. */
        if (status != ST_OK && (status != expected || !strstr(e.text, words)))
            fail_msg("write %ld: status %d: %s", n, (int)status, e.text);
        if (status == ST_OK)
            assert_int_equal(plain_int(path, "SELECT count(*) FROM trial WHERE state = 'done'"), 1);
        assert_sound(&f, path);
    }
    assert_true(n > 20);
}

static void test_full_disk(void **state)
{
    fail_every_write(state, SQLITE_FULL, 1, ST_NOSPACE, "the disk is full");
}

static void test_broken_disk(void **state)
{
    fail_every_write(state, SQLITE_IOERR_WRITE, 5, ST_FAILED, "disk I/O error");
}

/* A sweep pauses on a full disk and goes on when there is room: the same call works then. */
static void test_room_again(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    scratch_path path;
    struct epoch_metrics m = fixture_epoch(1, 1);
    int64_t attempt = 0;
    struct attempt_end end = {.state = TRIAL_DONE, .outcome = "done", .diverged_step = -1};
    fixture_init(&f);
    struct store *s = fixture_open(&f, scratch_name(path, state, "results.db"));
    assert_ok(store_attempt_begin(s, f.ids[0], 1, 1, &attempt, &e));
    for (int epoch = 1; epoch <= 2; epoch++) {
        m = fixture_epoch(epoch, 1);
        faulty_writes(1, SQLITE_FULL);
        assert_int_equal(store_epoch(s, f.ids[0], &m, &e), ST_NOSPACE);
        assert_int_equal(store_attempt_end(s, f.ids[0], attempt, &end, &e), ST_NOSPACE);
        faulty_writes(0, 0);
        assert_ok(store_epoch(s, f.ids[0], &m, &e));
    }
    assert_ok(store_attempt_end(s, f.ids[0], attempt, &end, &e));
    store_close(s);
    assert_int_equal(plain_int(path, "SELECT count(*) FROM epoch"), 2);
    assert_string_equal(plain_text(path, "PRAGMA integrity_check"), "ok");
}

/* A limit of the system, as a quota sets it: SQLite calls that an I/O error. */
static void test_file_size_limit(void **state)
{
    struct err e = ERR_INIT;
    struct fixture f;
    scratch_path path;
    struct rlimit before, small;
    fixture_init(&f);
    struct store *s = fixture_open(&f, scratch_name(path, state, "results.db"));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = life(s, f.ids[0], &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, ST_NOSPACE);
    assert_non_null(strstr(e.text, "File too large"));
    assert_ok(life(s, f.ids[0], &e));
    store_close(s);
}

/* Recording, reading and naming queries with the n-th allocation and all later ones failing, for every n. */
static enum status use(struct fixture *f, const char *path, struct err *e)
{
    struct store *s = NULL;
    struct store_query *q = NULL;
    bool row = true;
    int64_t counts[TRIAL_STATE_COUNT];
    enum status status = everything(f, path, e);
    if (status == ST_OK)
        status = store_open_readonly(path, &s, e);
    if (status == ST_OK)
        status = store_counts(s, "demo", counts, e);
    if (status == ST_OK)
        status = store_query_open(s, "SELECT *, x'0102' FROM curve", &q, e);
    while (status == ST_OK && row)
        status = store_query_next(q, &row, e);
    store_query_close(q);
    store_close(s);
    return status;
}

static void fail_every_allocation(void **state, void (*fail_at)(long), long step, long least)
{
    struct fixture f;
    scratch_path path;
    enum status status = ST_NOMEM;
    long n = 0;
    size_t live = mem_live();
    fixture_init(&f);
    scratch_name(path, state, "results.db");
    while (status != ST_OK) {
        struct err e = ERR_INIT;
        n += step;
        remove(path);
        sqlite3_int64 used = sqlite3_memory_used();
        fail_at(n);
        status = use(&f, path, &e);
        fail_at(0);
        if (status != ST_OK && status != ST_NOMEM)
            fail_msg("allocation %ld: status %d: %s", n, (int)status, e.text);
        assert_int_equal(mem_live(), live);
        assert_int_equal(sqlite3_memory_used(), used);
        assert_sound(&f, path);
    }
    assert_true(n > least);
}

static void mem_fail_at(long n)
{
    mem_fail_after((size_t)n);
}

static void test_no_memory(void **state)
{
    fail_every_allocation(state, mem_fail_at, 1, 20);
}

static void test_no_memory_in_sqlite(void **state)
{
    fail_every_allocation(state, heap_fail_at, 397, 1000);
}

#define faulty(name) cmocka_unit_test_setup_teardown(name, faulty_setup, faulty_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        faulty(test_full_disk),       faulty(test_broken_disk), faulty(test_room_again),
        faulty(test_file_size_limit), faulty(test_no_memory),   faulty(test_no_memory_in_sqlite),
    };
    heap_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
