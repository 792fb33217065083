/* New databases: made by one process, whole, where a link leads. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"

/* Results on another disk: the link stays. */
static void test_link_to_a_new_file(void **state)
{
    struct err e = ERR_INIT;
    struct stat info = {0};
    scratch_path path, target;
    scratch_name(target, state, "elsewhere.db");
    assert_int_equal(symlink(target, scratch_name(path, state, "link.db")), 0);
    assert_ok(open_and_close(path, false, &e));
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_ok(open_and_close(target, true, &e));
}

static void test_link_to_nowhere(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path, target;
    scratch_name(target, state, "no/such/folder.db");
    assert_int_equal(symlink(target, scratch_name(path, state, "link.db")), 0);
    assert_int_equal(open_and_close(path, false, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "link.db: cannot create the database: No such file or directory"));
}

/* What a killed process left of the file is no obstacle. */
static void test_leftover(void **state)
{
    struct err e = ERR_INIT;
    scratch_path path, temporary;
    scratch_name(path, state, "results.db");
    scratch_write(scratch_name(temporary, state, "results.db.tmp"), "SQLite format 3 and no more");
    assert_ok(open_and_close(path, false, &e));
    assert_ok(open_and_close(path, true, &e));
    assert_int_not_equal(access(temporary, F_OK), 0);
}

static _Noreturn void be_first(const char *path)
{
    struct err e = ERR_INIT;
    struct fixture f;
    struct store *s = NULL;
    fixture_init(&f);
    enum status status = store_open(path, &s, &e);
    if (status == ST_OK)
        status = store_sync(s, &f.spec, &f.space, &f.data, f.ids, &e);
    store_close(s);
    if (status != ST_OK)
        print_error("%s\n", e.text);
    _exit(status == ST_OK ? 0 : 1);
}

/* Many at once make it: nobody's rows are lost by another one's file. */
static void test_made_once(void **state)
{
    enum { WRITERS = 8 };
    scratch_path path, temporary;
    scratch_name(path, state, "shared.db");
    for (int i = 0; i < WRITERS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            be_first(path);
        assert_true(pid > 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(plain_int(path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
    assert_int_equal(plain_int(path, "SELECT user_version FROM pragma_user_version"), STORE_SCHEMA_VERSION);
    assert_int_not_equal(access(scratch_name(temporary, state, "shared.db.tmp"), F_OK), 0);
}

#define scratch(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch(test_link_to_a_new_file),
        scratch(test_link_to_nowhere),
        scratch(test_leftover),
        scratch(test_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
