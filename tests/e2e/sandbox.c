#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "synthetic.h"

static const double PATIENCE_S = 60; /* a run that takes this long hangs */

int sandbox_setup(void **state)
{
    static char folder[64];
    struct err e = ERR_INIT;
    /* In memory where that exists: every checkpoint waits for the disk. */
    snprintf(folder, sizeof folder, "%s/firesweep-e2e-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    *state = folder;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!mkdtemp(folder) || chdir(folder) != 0 || setenv("XDG_CACHE_HOME", folder, 1) != 0)
        return -1;
    return synthetic_idx("data", 4, 100, 25, 12, 1, &e) == ST_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

int sandbox_teardown(void **state)
{
    return chdir("/") == 0 ? nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

void spec_write(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s.yaml", name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "version: 1\nname: %s\n"
            "data: {format: idx, path: data, val: 80}\n"
            "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4, SR: "
            "1.0}\n%s",
            name, text);
    assert_int_equal(fclose(f), 0);
}

void spec_write_four(const char *name, int epochs)
{
    char text[512];
    snprintf(text, sizeof text,
             "sweep:\n"
             "  - {id: sr, grid: {SR: [0.25, 0.5, 1.0]}}\n"
             "  - {id: pct, set: {SR: 0.5}, grid: {pct3x3: [0.25, 0.5]}}\n"
             "train: {epochs: %d, batch: 16, lr: 0.02, flip: true, crop_pad: 2, dropout: 0.3}\n"
             "run: {checkpoint: 0.02s}\n",
             epochs);
    spec_write(name, text);
}

static _Noreturn void become_run(const char *spec, const char *db, const char *const *more)
{
    char spec_path[128], db_path[128], out_path[128];
    const char *arguments[16] = {"firesweep", "run", spec_path};
    int count = 3;
    snprintf(spec_path, sizeof spec_path, "%s.yaml", spec);
    snprintf(db_path, sizeof db_path, "%s.db", db ? db : "");
    snprintf(out_path, sizeof out_path, "%s.out", db ? db : spec);
    if (db) {
        arguments[count++] = "--db";
        arguments[count++] = db_path;
    }
    for (; more && *more; more++)
        arguments[count++] = *more;
    int out = open(out_path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    setpgid(0, 0);
    if (out >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
        execv(FIRESWEEP_PROGRAM, (char *const *)arguments);
    _exit(127);
}

pid_t run_start_prepared(const char *spec, const char *db, const char *const *more,
                         void (*prepare)(void *context), void *context)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (prepare)
            prepare(context);
        become_run(spec, db, more);
    }
    setpgid(pid, pid); /* whoever is first */
    return pid;
}

pid_t run_start(const char *spec, const char *db, const char *const *more)
{
    return run_start_prepared(spec, db, more, NULL, NULL);
}

int run_wait_one(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_wait(pid_t pid)
{
    int code = run_wait_one(pid), orphan_status;
    while (waitpid(-1, &orphan_status, 0) > 0) {
    }
    assert_int_equal(errno, ECHILD);
    return code;
}

int run(const char *spec, const char *db)
{
    return run_wait(run_start(spec, db, NULL));
}

const char *output(const char *db)
{
    static char buffer[1 << 20];
    char path[128];
    snprintf(path, sizeof path, "%s.out", db);
    FILE *f = fopen(path, "r");
    if (!f)
        return "";
    size_t n = fread(buffer, 1, sizeof buffer - 1, f);
    fclose(f);
    buffer[n] = '\0';
    return buffer;
}

bool output_holds(const char *db, const char *text)
{
    return strstr(output(db), text) != NULL;
}

static sqlite3 *db_open(const char *db)
{
    char path[128];
    sqlite3 *connection = NULL;
    snprintf(path, sizeof path, "%s.db", db);
    if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        sqlite3_close(connection);
        return NULL;
    }
    sqlite3_busy_timeout(connection, 10000);
    return connection;
}

int64_t db_int(const char *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    sqlite3 *connection = db_open(db);
    if (connection && sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return value;
}

void db_change(const char *db, const char *sql)
{
    char path[64];
    sqlite3 *connection = NULL;
    snprintf(path, sizeof path, "%s.db", db);
    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    assert_int_equal(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
}

void db_assert_text(const char *db, const char *sql, const char *holds)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *connection = db_open(db);
    assert_non_null(connection);
    assert_int_equal(sqlite3_prepare_v2(connection, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    if (!text || !strstr(text, holds)) {
        print_error("%s: \"%s\" does not hold \"%s\"\n", sql, text ? text : "NULL", holds);
        fail();
    }
    sqlite3_finalize(statement);
    sqlite3_close(connection);
}

char *db_metrics(const char *db)
{
    char *text = NULL;
    size_t n = 0;
    sqlite3_stmt *statement = NULL;
    sqlite3 *connection = db_open(db);
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    assert_non_null(connection);
    assert_int_equal(sqlite3_prepare_v2(connection, "SELECT * FROM metrics", -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *name = sqlite3_column_name(statement, i);
            if (sqlite3_column_type(statement, i) == SQLITE_FLOAT) {
                fprintf(out, "%s=%a ", name, sqlite3_column_double(statement, i));
            } else {
                const char *value = (const char *)sqlite3_column_text(statement, i);
                fprintf(out, "%s=%s ", name, value ? value : "NULL");
            }
        }
        fputc('\n', out);
    }
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* To be asked before the condition that is waited for, which the end of the run may have made true. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Fails when the run had ended, which leaves the condition unmet for ever. */
static void keep_waiting(const char *what, double since, bool ended)
{
    if (ended)
        fail_msg("the run ended before: %s", what);
    if (clock_seconds() - since > PATIENCE_S)
        fail_msg("nothing came of: %s", what);
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

void wait_until(const char *db, const char *sql, int64_t least, pid_t pid)
{
    for (double since = clock_seconds();;) {
        bool ended = has_ended(pid);
        if (db_int(db, sql) >= least)
            return;
        keep_waiting(sql, since, ended);
    }
}

void wait_for_output(const char *db, const char *text, pid_t pid)
{
    signal_until_output(db, text, pid, 0);
}

void signal_until_output(const char *db, const char *text, pid_t pid, int signal_number)
{
    for (double since = clock_seconds();;) {
        bool ended = has_ended(pid);
        if (output_holds(db, text))
            return;
        kill(pid, signal_number);
        keep_waiting(text, since, ended);
    }
}

static bool thread_stopped(pid_t pid, const char *thread)
{
    char path[96], state = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%.32s/stat", (int)pid, thread);
    FILE *f = fopen(path, "r");
    if (f) {
        bool read = fscanf(f, "%*d (%*[^)]) %c", &state) == 1;
        fclose(f);
        return read && state == 'T';
    }
    return false;
}

/* Each of its threads: the last one to stop could still take a signal. */
static bool is_stopped(pid_t pid)
{
    char path[64];
    bool all = true;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *entry; d && (entry = readdir(d));)
        all = all && (entry->d_name[0] == '.' || thread_stopped(pid, entry->d_name));
    if (d)
        closedir(d);
    return d && all;
}

void stop_process(pid_t worker, pid_t sweep)
{
    assert_int_equal(kill(worker, SIGSTOP), 0);
    for (double since = clock_seconds(); !is_stopped(worker);)
        keep_waiting("a stopped worker", since, has_ended(sweep));
}

/* The first line in which two tables differ. */
static void print_difference(const char *expected, const char *found)
{
    size_t e = strcspn(expected, "\n"), f = strcspn(found, "\n");
    while (expected[e] && e == f && strncmp(expected, found, e) == 0) {
        expected += e + 1;
        found += f + 1;
        e = strcspn(expected, "\n");
        f = strcspn(found, "\n");
    }
    print_error("--- expected\n%.*s\n", (int)e, expected);
    print_error("--- found\n%.*s\n", (int)f, found);
}

void assert_complete(const char *db, const char *expected)
{
    char path[128];
    char *metrics = db_metrics(db);
    if (strcmp(metrics, expected) != 0) {
        print_difference(expected, metrics);
        fail_msg("%s: metrics differ", db);
    }
    free(metrics);
    assert_int_equal(db_int(db, "SELECT count(*) FROM trial WHERE state = 'done' AND test_count = 100"), 4);
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt WHERE outcome IS NULL OR ended_utc IS NULL"),
                     0);
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt WHERE outcome = 'done'"), 4);
    assert_int_equal(db_int(db, "SELECT count(*) FROM lease"), 0);
    snprintf(path, sizeof path, "%s.checkpoints", db);
    assert_int_equal(count_files(path, ".safetensors"), 4);
    assert_int_equal(count_files(path, ".previous"), 0);
    assert_int_equal(count_files(path, ".tmp"), 0);
}

bool exists(const char *stem, const char *ending)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", stem, ending);
    return lstat(path, &info) == 0;
}

int count_files(const char *folder, const char *holds)
{
    int count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));)
        count += entry->d_name[0] != '.' && strstr(entry->d_name, holds) != NULL;
    if (d)
        closedir(d);
    return count;
}

struct reference {
    void *sandbox;
    char *metrics;
};

static int reference_open(struct reference *r, void **state)
{
    *state = r;
    return sandbox_setup(&r->sandbox);
}

static int reference_run(struct reference *r, const char *spec)
{
    if (run(spec, "reference") != 0)
        return -1;
    r->metrics = db_metrics("reference");
    return 0;
}

int reference_setup(void **state)
{
    static struct reference r;
    if (reference_open(&r, state) != 0)
        return -1;
    spec_write_four("four", 8);
    return reference_run(&r, "four");
}

int reference_setup_of(void **state, const char *spec, const char *text)
{
    static struct reference r;
    if (reference_open(&r, state) != 0)
        return -1;
    spec_write(spec, text);
    return reference_run(&r, spec);
}

int reference_teardown(void **state)
{
    struct reference *r = *state;
    free(r->metrics);
    return sandbox_teardown(&r->sandbox);
}

const char *reference_metrics(void **state)
{
    return ((const struct reference *)*state)->metrics;
}
