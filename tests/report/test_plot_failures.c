/* Figures when something is missing or in the way: requests, gnuplot, templates, folders, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "plot_session.h"

static void wrong_requests_say_what_there_is(void **state)
{
    struct session *s = *state;
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    assert_int_equal(draw(s, (struct plot_options){.kind = "pie"}), ST_USAGE);
    assert_string_equal(s->err.text,
                        "unknown kind of plot \"pie\"; known are curve, learning, scatter, pareto, edf, "
                        "heatmap, effects, parallel, timeline, predicted");
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .block = "c"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "there is no block \"c\"; its blocks are b"));
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .y = "top1"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "y: unknown column \"top1\"; known are model_mib,"));
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .x = "pct3x3"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "and the axes SR"));
    assert_int_equal(draw(s, (struct plot_options){.kind = "learning", .x = "SR"}), ST_USAGE);
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .templates = "/nonexistent"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "/nonexistent is no folder"));
}

/* Two sweeps may have blocks of one name: their sweep tells them apart. */
static void blocks_of_two_sweeps(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    results_sweep(s->results, "t", spec_head);
    fill_block(s->results, "b");
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .block = "s/c"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "there is no block \"s/c\"; its blocks are s/b, t/b"));
    draw_ok(s, (struct plot_options){.kind = "curve", .block = "t/b"});
    assert_int_equal(count_files(s->dir), 2); /* a figure and its data */
    draw_ok(s, (struct plot_options){.kind = "curve", .block = "b"});
    assert_int_equal(count_files(s->dir), 4);
}

static void blocks_without_the_axis_are_left_out(void **state)
{
    struct session *s = *state;
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "a");
    results_block(s->results, "b");
    const int64_t variant = results_variant(s->results, 3 << 20);
    results_trial(s->results, variant, 1, "{\"pct3x3\":0.5}", "done", 0.5);
    draw(s, (struct plot_options){.kind = "curve", .x = "pct3x3"});
    assert_int_equal(s->report.count, 1);
    assert_string_equal(s->report.files[0].block, "b");
    assert_int_equal(s->report.skipped_count, 1);
    assert_string_equal(s->report.skipped[0], "sweep s, block a, curve: x: unknown column \"pct3x3\"");
    /* What no block has is a mistake. */
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .x = "freq"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "and the axes SR"));
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .x = "pct3x3", .block = "a"}), ST_USAGE);
}

/* Runs with another PATH. */
static enum status draw_with_path(struct session *s, const char *path, struct plot_options o)
{
    char *old = mem_strdup(getenv("PATH"));
    assert_non_null(old);
    setenv("PATH", path, 1);
    enum status status = draw(s, o);
    setenv("PATH", old, 1);
    mem_free(old);
    return status;
}

static void missing_gnuplot_leaves_the_data(void **state)
{
    struct session *s = *state;
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "a");
    fill_block(s->results, "b");
    assert_int_equal(draw_with_path(s, results_folder(s->results), (struct plot_options){0}), ST_FAILED);
    assert_non_null(strstr(s->err.text, "gnuplot is not in PATH"));
    assert_non_null(strstr(s->err.text, "apt install gnuplot"));
    assert_int_equal(s->report.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_null(s->report.files[i].figure);
        assert_true(file_exists(s->report.files[i].data));
    }
    assert_int_equal(count_files(s->dir), 4);
}

/* Draws with a program called gnuplot that is this shell script. */
static void draw_with_script(struct session *s, const char *script)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/bin", results_folder(s->results));
    mkdir(folder, 0700);
    write_file(path_in(folder, "gnuplot"), script, 0700);
    assert_int_equal(draw_with_path(s, folder, (struct plot_options){.kind = "curve"}), ST_FAILED);
    assert_int_equal(count_files(s->dir), 1); /* the data */
}

static void failures_of_gnuplot_are_told(void **state)
{
    struct session *s = *state;
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    draw_with_script(s,
                     "#!/bin/sh\necho half an image\necho 'first line' >&2\necho '  second' >&2\nexit 3\n");
    assert_string_equal(s->err.text, "gnuplot failed: first line second ");
    draw_with_script(s, "#!/bin/sh\nexit 0\n");
    assert_string_equal(s->err.text, "gnuplot failed: it drew nothing");
    draw_with_script(s, "#!/bin/sh\necho x\nkill -9 $$\n");
    assert_non_null(strstr(s->err.text, "ended by signal 9"));
}

static void changed_templates_take_precedence(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    char folder[128];
    snprintf(folder, sizeof folder, "%s/templates", results_folder(s->results));
    mkdir(folder, 0700);
    write_file(path_in(folder, "curve.gp"),
               "set label 'my own style' at graph 0.5, 0.5\nplot $points with lines\n", 0600);
    draw_ok(s, (struct plot_options){.kind = "curve", .templates = folder});
    assert_contains(s->report.files[0].figure, ">my own style<");
    assert_contains(s->report.files[0].figure, ">model size (MiB)<"); /* style.gp is still the built-in one */
    /* From the environment; a broken one is told with gnuplot's words, and the figure from before stays. */
    write_file(path_in(folder, "curve.gp"), "# line 1\n# line 2\nplot no_such_thing\n", 0600);
    setenv("FIRESWEEP_TEMPLATES", folder, 1);
    enum status status = draw(s, (struct plot_options){.kind = "curve"});
    unsetenv("FIRESWEEP_TEMPLATES");
    assert_int_equal(status, ST_FAILED);
    assert_non_null(strstr(s->err.text, "curve.gp\" line 3: undefined variable: no_such_thing"));
    assert_null(strchr(s->err.text, '\n'));
    assert_null(strstr(s->err.text, "/proc/"));
    assert_contains(path_in(s->dir, "s-b-curve.svg"), ">my own style<");
}

static void start_up_files_play_no_role(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    write_file(path_in(results_folder(s->results), ".gnuplot"), "this is no command\n", 0600);
    char *home = mem_strdup(getenv("HOME") ? getenv("HOME") : "/");
    setenv("HOME", results_folder(s->results), 1);
    enum status status = draw(s, (struct plot_options){.kind = "curve"});
    setenv("HOME", home, 1);
    mem_free(home);
    assert_int_equal(status, ST_OK);
}

static void unwritable_folders_are_errors(void **state)
{
    struct session *s = *state;
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    char dir[128];
    snprintf(dir, sizeof dir, "%s/figures", results_path(s->results)); /* below a file */
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve", .dir = dir}), ST_FAILED);
    assert_non_null(strstr(s->err.text, results_path(s->results)));
    assert_int_equal(s->report.count, 0);
    /* A folder is where the data file should be. */
    struct err e = ERR_INIT;
    assert_int_equal(dir_create(path_in(s->dir, "s-b-curve.csv/full"), &e), ST_OK);
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve"}), ST_FAILED);
    assert_non_null(strstr(s->err.text, "s-b-curve.csv"));
    assert_int_equal(count_files(s->dir), 1);
}

static void failed_allocations_are_reported(void **state)
{
    struct session *s = *state;
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    char *old = mem_strdup(getenv("PATH"));
    setenv("PATH", results_folder(s->results), 1); /* all but the program itself */
    struct store *store = NULL;
    size_t live = mem_live(), n = 1;
    enum status status = ST_NOMEM;
    for (; status == ST_NOMEM; n++) {
        struct err e = ERR_INIT;
        if (store_open_readonly(results_path(s->results), &store, &e) != ST_OK)
            fail_msg("%s", e.text);
        mem_fail_after(n);
        status = plot_draw(store, &(struct plot_options){.dir = s->dir}, &s->report, &e);
        mem_fail_after(0);
        store_close(store);
        plot_report_release(&s->report);
        assert_int_equal(mem_live(), live);
        assert_true(status == ST_NOMEM || strstr(e.text, "gnuplot is not in PATH"));
    }
    assert_true(n > 50);
    setenv("PATH", old, 1);
    mem_free(old);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(wrong_requests_say_what_there_is),     TEST(blocks_of_two_sweeps),
        TEST(missing_gnuplot_leaves_the_data),      TEST(failures_of_gnuplot_are_told),
        TEST(changed_templates_take_precedence),    TEST(start_up_files_play_no_role),
        TEST(unwritable_folders_are_errors),        TEST(failed_allocations_are_reported),
        TEST(blocks_without_the_axis_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
