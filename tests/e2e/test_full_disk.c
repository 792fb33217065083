/* A full disk, as the kernel reports it to the real program: `run` waits and says so, goes on when there is
 * room, and ends with the metrics of a run that never had to wait; figures and reports fail with the file's
 * name and leave what was there. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "program.h"
#include "sandbox.h"
#include "trap.h"

static const char tiny[] = "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\n"
                           "train: {epochs: 2, batch: 80, lr: 0.02, dropout: 0.3}\n"
                           "run: {workers: 1, threads: 1, measure: false}\n";

/* The files whose path holds a text are on the full disk. */
struct disk {
    const char *files;
    int fits;          /* writes that succeed before it is full */
    const char *db;    /* the run whose output tells when: */
    const char *from;  /* it is full once the output holds this, NULL = from the start */
    const char *until; /* and has room again once it holds this, NULL = never */
    pid_t interrupt;   /* instead of room, the run gets SIGTERM, 0 = not */
    int written, refused;
    bool full, room;
};

static void look_at_output(struct disk *d)
{
    d->full = d->full || !d->from || output_holds(d->db, d->from);
    if (d->refused > 0 && !d->room && d->until && output_holds(d->db, d->until)) {
        d->room = true;
        if (d->interrupt > 0)
            kill(d->interrupt, SIGTERM);
    }
}

static enum trap_verdict write_to(void *context, const struct trap_call *c)
{
    struct disk *d = context;
    if (strcmp(c->name, "write") != 0 || !strstr(c->path, d->files))
        return TRAP_GO_ON;
    look_at_output(d);
    if (!d->full || (d->room && d->interrupt == 0) || ++d->written <= d->fits)
        return TRAP_GO_ON;
    d->refused++;
    return TRAP_NO_SPACE;
}

static int run_on(struct disk *d, bool interrupt)
{
    struct trap trap = {.judge = write_to, .context = d};
    trap_open(&trap);
    pid_t pid = run_start_prepared("tiny", d->db, NULL, trap_arm, &trap);
    d->interrupt = interrupt ? pid : 0;
    return trap_wait(&trap, pid);
}

static void assert_same_metrics(const char *db, void **state)
{
    char *metrics = db_metrics(db), folder[64];
    assert_string_equal(metrics, reference_metrics(state));
    free(metrics);
    snprintf(folder, sizeof folder, "%s.checkpoints", db);
    assert_int_equal(count_files(folder, ".tmp"), 0);
    assert_int_equal(count_files(folder, ".previous"), 0);
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt WHERE outcome = 'crashed'"), 0);
}

static const char waits_for_checkpoint[] = "no space for the checkpoint, training waits until there is";
static const char waits_for_database[] = "no space for the database, the run waits until there is";

static void test_checkpoint_waits_for_room(void **state)
{
    struct disk d = {.files = "waits.checkpoints", .fits = 1, .db = "waits", .until = waits_for_checkpoint};
    assert_int_equal(run_on(&d, false), 0);
    assert_true(d.refused > 0);
    assert_true(output_holds("waits", "waits.checkpoints/"));
    assert_true(output_holds("waits", "No space left on device"));
    assert_true(output_holds("waits", "there is space again, the checkpoint is saved"));
    db_assert_text("waits", "SELECT text FROM event ORDER BY id", waits_for_checkpoint);
    assert_int_equal(db_int("waits", "SELECT count(*) FROM attempt"), 2);
    assert_same_metrics("waits", state);
}

static void test_database_waits_for_room(void **state)
{
    struct disk d = {.files = "rows.db", .db = "rows", .from = "epoch 1/2", .until = waits_for_database};
    assert_int_equal(run_on(&d, false), 0);
    assert_true(d.refused > 0);
    assert_true(output_holds("rows", "rows.db: "));
    assert_true(output_holds("rows", "there is space for the database again"));
    assert_same_metrics("rows", state);
}

static void test_stopped_while_it_waits(void **state)
{
    struct disk d = {.files = "stopped.checkpoints", .db = "stopped", .until = waits_for_checkpoint};
    assert_int_equal(run_on(&d, true), 1);
    assert_true(output_holds("stopped", "SIGTERM: workers save their state and end"));
    assert_int_equal(db_int("stopped", "SELECT count(*) FROM trial WHERE state = 'pending'"), 2);
    assert_int_equal(db_int("stopped", "SELECT count(*) FROM attempt WHERE outcome <> 'interrupted'"), 0);
    assert_int_equal(run("tiny", "stopped"), 0);
    assert_same_metrics("stopped", state);
}

/* Before there is a database, there is nothing to wait for. */
static void test_no_room_for_a_new_database(void **state)
{
    struct disk d = {.files = "new.db", .db = "new"};
    assert_int_equal(run_on(&d, false), 1);
    assert_true(output_holds("new", "new.db: No space left on device"));
    assert_false(exists("new", ".db"));
    assert_false(exists("new", ".db.tmp"));
    assert_int_equal(run("tiny", "new"), 0);
    assert_same_metrics("new", state);
}

/* Runs a command on the full disk; what it prints goes to `said.out`. */
static int command_on(struct disk *d, const char *const *arguments)
{
    struct trap trap = {.judge = write_to, .context = d};
    FILE *said = fopen("said.out", "we");
    assert_non_null(said);
    trap_open(&trap);
    pid_t pid = fork();
    if (pid == 0) {
        trap_arm(&trap);
        program_become(fileno(said), fileno(said), arguments);
    }
    fclose(said);
    return trap_wait(&trap, pid);
}

static void assert_file(const char *path, const char *bytes, size_t n)
{
    char *now = NULL;
    size_t length = 0;
    struct err e = ERR_INIT;
    if (file_read(path, 1 << 24, &now, &length, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(length, n);
    assert_memory_equal(now, bytes, n);
    mem_free(now);
}

/* The disk fills at every write in turn, or at every `step`-th. The file named so stays as it is. */
static void fill_at_writes(const char *folder, const char *file, int step, const char *const *arguments)
{
    char *bytes = NULL;
    size_t n = 0;
    int code = 1, failures = 0;
    struct err e = ERR_INIT;
    assert_int_equal(file_read(file, 1 << 24, &bytes, &n, &e), ST_OK);
    for (int fits = 0; code != 0; fits += step) {
        struct disk d = {.files = folder, .fits = fits};
        code = command_on(&d, arguments);
        assert_int_equal(code, d.refused > 0 ? 1 : 0);
        if (code != 0) {
            failures++;
            if (!output_holds("said", "No space left on device") || !output_holds("said", folder))
                fail_msg("after %d writes: %s", fits, output("said"));
            assert_file(file, bytes, n);
        }
        assert_int_equal(count_files("figures", ".tmp") + count_files("pages", ".tmp"), 0);
    }
    assert_true(failures > 0);
    mem_free(bytes);
}

static void test_figures_on_a_full_disk(void **state)
{
    (void)state;
    static const char *const plot[] = {"plot", "reference.db", "curve", "-o", "figures", NULL};
    struct outcome o = program_run(plot);
    const bool drawn = o.code == 0;
    outcome_release(&o);
    assert_int_equal(count_files("figures", drawn ? ".svg" : ".csv"), 1);
    fill_at_writes("figures/", "figures/tiny-sr-curve.csv", 1, plot);
    if (drawn)
        fill_at_writes("figures/", "figures/tiny-sr-curve.svg", 1, plot);
}

static void test_report_on_a_full_disk(void **state)
{
    (void)state;
    static const char *const report[] = {"report", "reference.db", "-o", "pages/report.html", NULL};
    assert_int_equal(dir_create("pages", NULL), ST_OK);
    struct outcome o = program_run(report);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    fill_at_writes("pages/", "pages/report.html", 16, report);
}

static int setup(void **state)
{
    return reference_setup_of(state, "tiny", tiny);
}

int main(void)
{
    if (!trap_available()) {
        print_message("skipped: seccomp notifications are not allowed here\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_waits_for_room), cmocka_unit_test(test_database_waits_for_room),
        cmocka_unit_test(test_stopped_while_it_waits),    cmocka_unit_test(test_no_room_for_a_new_database),
        cmocka_unit_test(test_figures_on_a_full_disk),    cmocka_unit_test(test_report_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, setup, reference_teardown);
}
