#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "scratch.h"

static void assert_content(const char *path, const char *expected)
{
    char *text;
    size_t n;
    struct err e = ERR_INIT;
    assert_int_equal(file_read(path, 1 << 20, &text, &n, &e), ST_OK);
    assert_int_equal(n, strlen(expected));
    assert_string_equal(text, expected);
    mem_free(text);
}

static void read_whole_file(void **state)
{
    scratch_path path;
    scratch_name(path, state, "read");
    scratch_write(path, "");
    assert_content(path, "");
    scratch_write(path, "one\ntwo");
    assert_content(path, "one\ntwo");
    FILE *f = fopen(path, "w"); /* zero bytes and more than one block */
    for (int i = 0; i < 100000; i++)
        fputc(i % 251, f);
    fclose(f);
    char *text;
    size_t n;
    assert_int_equal(file_read(path, 100000, &text, &n, NULL), ST_OK);
    assert_int_equal(n, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal((unsigned char)text[i], i % 251);
    assert_int_equal(text[n], 0);
    mem_free(text);
}

static void read_refuses_longer_files(void **state)
{
    scratch_path path;
    scratch_write(scratch_name(path, state, "long"), "12345");
    char *text;
    size_t n;
    struct err e = ERR_INIT;
    assert_int_equal(file_read(path, 4, &text, &n, &e), ST_USAGE);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, "4 bytes"));
    assert_int_equal(file_read(path, 5, &text, &n, &e), ST_OK);
    assert_string_equal(text, "12345");
    mem_free(text);
}

/* Size unknown beforehand, data arriving in pieces. */
static void read_from_a_pipe(void **state)
{
    int ends[2];
    char name[64], block[3000];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    memset(block, 'p', sizeof block);
    for (int i = 0; i < 5; i++)
        assert_int_equal(write(ends[1], block, sizeof block), sizeof block);
    close(ends[1]);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    char *text;
    size_t n;
    assert_int_equal(file_read(name, 1 << 20, &text, &n, NULL), ST_OK);
    assert_int_equal(n, 15000);
    assert_int_equal(strspn(text, "p"), 15000);
    mem_free(text);
    close(ends[0]);
}

/* Nobody writes: there is nothing to wait for. */
static void read_from_a_pipe_without_writer(void **state)
{
    char *text = NULL;
    size_t n = 1;
    scratch_path path;
    assert_int_equal(mkfifo(scratch_name(path, state, "pipe-alone"), 0600), 0);
    alarm(20);
    assert_int_equal(file_read(path, 100, &text, &n, NULL), ST_OK);
    alarm(0);
    assert_int_equal(n, 0);
    mem_free(text);
}

static void read_errors_name_the_path(void **state)
{
    scratch_path path;
    char *text;
    size_t n;
    struct err e = ERR_INIT;
    assert_int_equal(file_read(scratch_name(path, state, "absent"), 10, &text, &n, &e), ST_FAILED);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, strerror(ENOENT)));
    assert_int_equal(file_read(*state, 10, &text, &n, &e), ST_FAILED);
    assert_non_null(strstr(e.text, strerror(EISDIR)));
}

static void commit_replaces_and_abort_does_not(void **state)
{
    scratch_path path, temporary;
    scratch_name(path, state, "target");
    scratch_name(temporary, state, "target.tmp");
    scratch_write(path, "old");
    struct atomic_file a;
    assert_int_equal(atomic_open(&a, path, NULL), ST_OK);
    fputs("half", a.f);
    fflush(a.f);
    assert_content(path, "old");
    atomic_abort(&a);
    assert_content(path, "old");
    assert_false(file_exists(temporary));

    assert_int_equal(atomic_open(&a, path, NULL), ST_OK);
    fputs("new", a.f);
    assert_content(path, "old");
    assert_int_equal(atomic_commit(&a, NULL), ST_OK);
    atomic_abort(&a);
    assert_content(path, "new");
    assert_false(file_exists(temporary));
    assert_int_equal(mem_live(), 0);
}

static void permissions_follow_the_umask(void **state)
{
    scratch_path path;
    struct atomic_file a;
    struct stat info;
    mode_t old = umask(027);
    assert_int_equal(atomic_open(&a, scratch_name(path, state, "mode"), NULL), ST_OK);
    assert_int_equal(atomic_commit(&a, NULL), ST_OK);
    umask(old);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void two_writers_exclude_each_other(void **state)
{
    scratch_path path;
    struct atomic_file first, second;
    struct err e = ERR_INIT;
    scratch_name(path, state, "shared");
    assert_int_equal(atomic_open(&first, path, NULL), ST_OK);
    fputs("first", first.f);
    assert_int_equal(atomic_open(&second, path, &e), ST_BUSY);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(atomic_commit(&first, NULL), ST_OK);
    assert_content(path, "first");
    assert_int_equal(atomic_open(&second, path, NULL), ST_OK);
    fputs("2", second.f);
    assert_int_equal(atomic_commit(&second, NULL), ST_OK);
    assert_content(path, "2");
}

static void leftovers_of_a_killed_writer_vanish(void **state)
{
    scratch_path path, temporary;
    struct atomic_file a;
    scratch_name(path, state, "stale");
    scratch_write(scratch_name(temporary, state, "stale.tmp"), "much longer than what follows");
    assert_int_equal(atomic_open(&a, path, NULL), ST_OK);
    fputs("short", a.f);
    assert_int_equal(atomic_commit(&a, NULL), ST_OK);
    assert_content(path, "short");
    assert_false(file_exists(temporary));
}

static void open_and_rename_errors(void **state)
{
    scratch_path path, temporary;
    struct atomic_file a;
    struct err e = ERR_INIT;
    assert_int_equal(atomic_open(&a, scratch_name(path, state, "no/such/folder"), &e), ST_FAILED);
    assert_non_null(strstr(e.text, path));
    assert_null(a.f);
    atomic_abort(&a);

    scratch_name(path, state, "folder"); /* a folder in the place of the file: rename must fail */
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(atomic_open(&a, path, NULL), ST_OK);
    assert_int_equal(atomic_commit(&a, &e), ST_FAILED);
    assert_false(file_exists(scratch_name(temporary, state, "folder.tmp")));
    assert_int_equal(mem_live(), 0);
}

/* Writes `bytes` through an atomic file whose disk is full (/dev/full) and expects ST_NOSPACE. */
static void write_to_full_disk(void **state, size_t bytes)
{
    scratch_path path, temporary;
    struct atomic_file a;
    struct err e = ERR_INIT;
    scratch_write(scratch_name(path, state, "full"), "old");
    assert_int_equal(atomic_open(&a, path, NULL), ST_OK);
    a.f = freopen("/dev/full", "w", a.f);
    assert_non_null(a.f);
    for (size_t i = 0; i < bytes; i++)
        fputc('x', a.f);
    assert_int_equal(atomic_commit(&a, &e), ST_NOSPACE);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, strerror(ENOSPC)));
    assert_content(path, "old");
    assert_false(file_exists(scratch_name(temporary, state, "full.tmp")));
}

static void full_disk_is_noticed(void **state)
{
    if (access("/dev/full", W_OK) != 0)
        skip();
    write_to_full_disk(state, 10);      /* fails when the buffer is flushed */
    write_to_full_disk(state, 1 << 20); /* fails long before, in a write nobody checked */
}

/* A real file that cannot grow beyond 10000 bytes: part of the data is written. With `recovers`, there is
 * room again before the commit, which must not pass a file with a hole. */
static void write_beyond_limit(void **state, bool recovers)
{
    scratch_path path, temporary;
    struct rlimit old, small;
    struct atomic_file a;
    struct err e = ERR_INIT;
    scratch_write(scratch_name(path, state, "limit"), "old");
    assert_int_equal(atomic_open(&a, path, NULL), ST_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){10000, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 100000; i++)
        fputc('x', a.f);
    if (recovers)
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    enum status status = atomic_commit(&a, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, recovers ? ST_FAILED : ST_NOSPACE);
    assert_non_null(strstr(e.text, strerror(recovers ? EIO : EFBIG)));
    assert_content(path, "old");
    assert_false(file_exists(scratch_name(temporary, state, "limit.tmp")));
}

static void file_size_limit_is_noticed(void **state)
{
    write_beyond_limit(state, false);
    write_beyond_limit(state, true);
}

static void folders_with_parents(void **state)
{
    scratch_path path, file;
    struct err e = ERR_INIT;
    scratch_name(path, state, "a//b/c/");
    assert_int_equal(dir_create(path, NULL), ST_OK);
    assert_true(file_exists(path));
    assert_int_equal(dir_create(path, NULL), ST_OK);
    assert_int_equal(dir_create("/", NULL), ST_OK);
    assert_int_equal(dir_create(".", NULL), ST_OK);
    scratch_write(scratch_name(file, state, "a/file"), "");
    assert_int_equal(dir_create(file, &e), ST_FAILED);
    assert_non_null(strstr(e.text, file));
    assert_int_equal(dir_create(scratch_name(file, state, "a/file/below"), &e), ST_FAILED);
}

static void modification_times(void **state)
{
    scratch_path path;
    assert_true(file_mtime_ns(scratch_name(path, state, "never")) == -1);
    scratch_write(scratch_name(path, state, "timed"), "");
    const struct timespec times[2] = {{1700000000, 123456789}, {1700000000, 123456789}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_true(file_mtime_ns(path) == 1700000000123456789ll);
}

/* Everything that allocates, with the n-th allocation failing. */
static enum status use_everything(const char *path, const char *folder)
{
    struct atomic_file a;
    char *text;
    size_t n;
    enum status status = atomic_open(&a, path, NULL);
    if (status != ST_OK)
        return status;
    fputs("text", a.f);
    status = atomic_commit(&a, NULL);
    if (status == ST_OK)
        status = dir_create(folder, NULL);
    if (status == ST_OK) {
        status = file_read(path, 100, &text, &n, NULL);
        if (status == ST_OK)
            mem_free(text);
    }
    return status;
}

static void no_memory_is_an_error_everywhere(void **state)
{
    scratch_path path, folder;
    scratch_name(path, state, "memory");
    scratch_name(folder, state, "m/e/m");
    size_t failing = 0;
    enum status status;
    do {
        mem_fail_after(++failing);
        status = use_everything(path, folder);
        mem_fail_after(0);
        assert_true(status == ST_OK || status == ST_NOMEM);
        assert_int_equal(mem_live(), 0);
    } while (status != ST_OK && failing < 100);
    assert_true(failing > 4 && failing < 100);
}

/* What somebody put at the temporary file's place leads to no other file and holds nobody up. */
static void links_and_pipes_are_refused(void **state)
{
    scratch_path path, temporary, victim;
    struct atomic_file a;
    struct err e = ERR_INIT;
    char *text;
    size_t n;
    scratch_name(path, state, "aim");
    scratch_name(temporary, state, "aim.tmp");
    scratch_write(scratch_name(victim, state, "victim"), "kept");
    assert_int_equal(symlink(victim, temporary), 0);
    assert_int_equal(atomic_open(&a, path, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "aim.tmp"));
    assert_int_equal(unlink(temporary), 0);
    assert_int_equal(mkfifo(temporary, 0600), 0);
    assert_int_equal(atomic_open(&a, path, &e), ST_FAILED);
    assert_int_equal(unlink(temporary), 0);
    /* A link at the file's own place is replaced. */
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(atomic_open(&a, path, &e), ST_OK);
    fputs("new", a.f);
    assert_int_equal(atomic_commit(&a, &e), ST_OK);
    assert_int_equal(file_read(victim, 100, &text, &n, &e), ST_OK);
    assert_string_equal(text, "kept");
    mem_free(text);
    assert_int_equal(file_read(path, 100, &text, &n, &e), ST_OK);
    assert_string_equal(text, "new");
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_whole_file),
        cmocka_unit_test(read_refuses_longer_files),
        cmocka_unit_test(read_from_a_pipe),
        cmocka_unit_test(read_from_a_pipe_without_writer),
        cmocka_unit_test(read_errors_name_the_path),
        cmocka_unit_test(commit_replaces_and_abort_does_not),
        cmocka_unit_test(permissions_follow_the_umask),
        cmocka_unit_test(two_writers_exclude_each_other),
        cmocka_unit_test(leftovers_of_a_killed_writer_vanish),
        cmocka_unit_test(open_and_rename_errors),
        cmocka_unit_test(links_and_pipes_are_refused),
        cmocka_unit_test(full_disk_is_noticed),
        cmocka_unit_test(file_size_limit_is_noticed),
        cmocka_unit_test(folders_with_parents),
        cmocka_unit_test(modification_times),
        cmocka_unit_test(no_memory_is_an_error_everywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
