/* run.keep and `firesweep gc`: what stays on the disk, and what never goes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"

static void write_spec(const char *name, const char *run)
{
    char text[512];
    snprintf(text, sizeof text,
             "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\n"
             "train: {epochs: 3, batch: 16, lr: 0.02}\nrun: {%s}\n",
             run);
    spec_write(name, text);
}

/* `firesweep gc DB ... --format json` */
#define GC(...) JSON("gc", __VA_ARGS__, "--format", "json")

static void test_keep_decides_what_a_run_leaves(void **state)
{
    (void)state;
    write_spec("last", "workers: 2");
    write_spec("best", "workers: 2, keep: best");
    write_spec("all", "workers: 2, keep: all");
    write_spec("none", "workers: 2, keep: none");
    static const struct {
        const char *name;
        int files, best, epochs, recorded;
    } table[] = {{"last", 2, 0, 0, 2}, {"best", 4, 2, 0, 2}, {"all", 10, 2, 6, 2}, {"none", 0, 0, 0, 0}};
    char *metrics = NULL, folder[64];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(folder, sizeof folder, "%s.checkpoints", table[i].name);
        assert_int_equal(run(table[i].name, table[i].name), 0);
        assert_int_equal(count_files(folder, ".safetensors"), table[i].files);
        assert_int_equal(count_files(folder, ".best."), table[i].best);
        assert_int_equal(count_files(folder, ".epoch-"), table[i].epochs);
        assert_int_equal(count_files(folder, ".tmp"), 0);
        assert_int_equal(db_int(table[i].name, "SELECT count(checkpoint) FROM trial"), table[i].recorded);
        /* What is kept has no influence on what is trained. */
        char *now = db_metrics(table[i].name);
        if (metrics) {
            assert_string_equal(now, metrics);
            free(now);
        } else {
            metrics = now;
        }
    }
    free(metrics);
    /* A run of what is done does not train it again for its lost weights. */
    assert_int_equal(run("none", "none"), 0);
    assert_int_equal(db_int("none", "SELECT count(*) FROM attempt"), 2);
}

static void test_kept_epochs_verify_from_the_middle(void **state)
{
    (void)state;
    write_spec("middle", "keep: all");
    assert_int_equal(run("middle", "middle"), 0);
    for (const char *const *epoch = (const char *const[]){"1", "2", "3", NULL}; *epoch; epoch++) {
        struct outcome o = RUN("verify", "middle.db", "--from-epoch", *epoch);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
    }
}

/* Which there are is said in order, without gaps and repetitions. */
static void test_kept_epochs_are_listed(void **state)
{
    (void)state;
    write_spec("listed", "keep: all");
    assert_int_equal(run("listed", "listed"), 0);
    assert_int_equal(
        system("rm listed.checkpoints/*.epoch-2.safetensors listed.checkpoints/*.best.safetensors"), 0);
    struct outcome o = RUN("verify", "listed.db", "1", "--from-epoch", "2", "--format", "json");
    assert_int_equal(o.code, 1);
    assert_holds(o.out, "no checkpoint after epoch 2 is kept; there are those after epoch 1, 3\"");
    outcome_release(&o);
    o = RUN("verify", "listed.db", "1", "--from-epoch", "9", "--format", "json");
    assert_holds(o.out, "there are those after epoch 1, 3\"");
    outcome_release(&o);
}

static void test_gc_removes_step_by_step(void **state)
{
    (void)state;
    write_spec("steps", "keep: all");
    assert_int_equal(run("steps", "steps"), 0);
    char *metrics = db_metrics("steps");
    /* As recorded: nothing to do. Foreign files are counted, never touched. */
    FILE *foreign = fopen("steps.checkpoints/notes.txt", "w");
    assert_non_null(foreign);
    fclose(foreign);
    struct json_object *answer = GC("steps.db");
    assert_string_equal(json_text_at(answer, "totals.keep"), "all");
    assert_int_equal(json_int_at(answer, "totals.files_removed"), 0);
    assert_int_equal(json_int_at(answer, "totals.files_kept"), 10);
    assert_int_equal(json_int_at(answer, "totals.files_not_ours"), 1);
    json_object_put(answer);
    /* A dry run says what a real one does, and does nothing. */
    answer = GC("steps.db", "--keep", "best", "--dry-run");
    int64_t bytes = json_int_at(answer, "totals.bytes_removed");
    assert_int_equal(json_int_at(answer, "totals.files_removed"), 6);
    assert_true(bytes > 0);
    assert_string_equal(json_text_at(json_row(json_at(answer, "kinds"), 2), "kind"), "epoch");
    json_object_put(answer);
    assert_int_equal(count_files("steps.checkpoints", ".safetensors"), 10);
    answer = GC("steps.db", "--keep", "best");
    assert_int_equal(json_int_at(answer, "totals.bytes_removed"), bytes);
    json_object_put(answer);
    assert_int_equal(count_files("steps.checkpoints", ".safetensors"), 4);
    assert_int_equal(db_int("steps", "SELECT count(checkpoint) FROM trial"), 2);
    answer = GC("steps.db", "--keep", "none");
    assert_int_equal(json_int_at(answer, "totals.files_kept"), 0);
    json_object_put(answer);
    assert_int_equal(count_files("steps.checkpoints", ""), 1); /* notes.txt */
    assert_int_equal(db_int("steps", "SELECT count(checkpoint) FROM trial"), 0);
    char *after = db_metrics("steps");
    assert_string_equal(after, metrics);
    free(after);
    free(metrics);
}

/* One trial is done, the other one is stopped on its way. */
static void test_gc_leaves_what_may_go_on(void **state)
{
    (void)state;
    spec_write("open", "sweep: [{id: sr, grid: {SR: [0.25, 1.0]}}]\n"
                       "train: {epochs: 40, batch: 16, lr: 0.02}\nrun: {workers: 2, checkpoint: 0.01s}\n");
    pid_t pid = run_start("open", "open", NULL);
    wait_until("open", "SELECT min(epochs_done) FROM trial", 2, pid);
    /* While it runs: nothing of a running trial goes, and the run does not notice. */
    struct json_object *answer = GC("open.db", "--keep", "none");
    json_object_put(answer);
    kill(pid, SIGINT);
    assert_int_equal(run_wait(pid), 1);
    int files = count_files("open.checkpoints", ".safetensors");
    assert_int_equal(db_int("open", "SELECT count(*) FROM trial WHERE state = 'pending'"), 2);
    assert_true(files >= 2);
    answer = GC("open.db", "--keep", "none");
    assert_int_equal(json_int_at(answer, "totals.files_removed"), 0);
    assert_int_equal(json_int_at(answer, "totals.files_kept"), files);
    json_object_put(answer);
    assert_int_equal(count_files("open.checkpoints", ".safetensors"), files);
    assert_int_equal(db_int("open", "SELECT count(*) FROM event"), 0);
    assert_int_equal(run("open", "open"), 0);
    assert_true(output_holds("open", "continues after epoch"));
}

static void test_gc_of_trials_unknown_and_leftovers(void **state)
{
    (void)state;
    write_spec("left", "keep: last");
    assert_int_equal(run("left", "left"), 0);
    /* What a killed writer and a killed supervisor may leave of done trials, and a file of no trial here. */
    assert_int_equal(system("cd left.checkpoints && for f in *s1.safetensors; do cp $f $f.tmp;"
                            " cp $f ${f%.safetensors}.previous.safetensors; done;"
                            " cp $(ls *s1.safetensors | head -n 1)"
                            " 0000000000000000-0000000000000000-0000000000000000-s1.safetensors"),
                     0);
    struct json_object *answer = GC("left.db");
    assert_int_equal(json_int_at(answer, "totals.files_removed"), 4);
    assert_int_equal(json_int_at(answer, "totals.files_kept"), 2);
    assert_int_equal(json_int_at(answer, "totals.files_not_ours"), 1);
    json_object_put(answer);
    assert_int_equal(count_files("left.checkpoints", ".safetensors"), 3);
}

/* What could not be removed is not counted as removed. */
static void test_gc_tells_what_stays(void **state)
{
    (void)state;
    write_spec("stuck", "keep: last");
    assert_int_equal(run("stuck", "stuck"), 0);
    db_change("stuck", "CREATE TRIGGER fixed BEFORE UPDATE ON trial BEGIN SELECT RAISE(ABORT, 'fixed'); END");
    struct outcome o = RUN("gc", "stuck.db", "--keep", "none");
    assert_int_equal(o.code, 1);
    assert_holds(o.out, "0 files, 0.0 MiB (2 could not be removed)");
    assert_holds(o.out, "not removed");
    assert_holds(o.err, "firesweep: gc: 2 of the files could not be removed: stuck.db: ");
    outcome_release(&o);
    assert_int_equal(count_files("stuck.checkpoints", ".safetensors"), 2);
}

static void test_gc_usage(void **state)
{
    (void)state;
    EXPECT_ERROR(1, "no such database", "gc", "none-there.db");
    EXPECT_ERROR(2, "allowed: last, best, all or none", "gc", "x.db", "--keep", "some");
}

/* An estimate that no disk holds: a warning, before anything is trained. */
static void test_disk_is_checked_before_a_run(void **state)
{
    (void)state;
    spec_write("huge", "sweep: [{id: lr, set: {base_e: 64, incr_e: 32},"
                       " grid: {lr: {from: 0.001, to: 1.0, step: 0.001}}}]\n"
                       "train: {epochs: 100000}\nrun: {keep: all, workers: 1}\nbudget: {wall: 0.001s}\n");
    assert_int_equal(run("huge", "huge"), 1);
    assert_true(output_holds("huge", "the disk is too small for the whole sweep"));
    struct outcome o = RUN("plan", "huge.yaml", "--only", "totals");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "Note: the disk is too small: what is left to train needs about");
    outcome_release(&o);
    write_spec("small", "keep: last");
    o = RUN("plan", "small.yaml", "--only", "totals");
    assert_holds(o.out, "disk free, MiB");
    assert_null(strstr(o.out, "too small"));
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_decides_what_a_run_leaves),
        cmocka_unit_test(test_kept_epochs_verify_from_the_middle),
        cmocka_unit_test(test_kept_epochs_are_listed),
        cmocka_unit_test(test_gc_removes_step_by_step),
        cmocka_unit_test(test_gc_leaves_what_may_go_on),
        cmocka_unit_test(test_gc_of_trials_unknown_and_leftovers),
        cmocka_unit_test(test_gc_tells_what_stays),
        cmocka_unit_test(test_gc_usage),
        cmocka_unit_test(test_disk_is_checked_before_a_run),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
