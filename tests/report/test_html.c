/* The HTML report: what a page holds, that texts of others stay texts, and that it stays small. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cmocka_all.h"
#include "base/mem.h"
#include "page_fixture.h"
#include "report/html.h"
#include "report/html_private.h"

static void test_an_empty_database(void **state)
{
    (void)state;
    struct results *r = results_create();
    struct page p = page_write(r, NULL);
    page_assert_contained(&p);
    page_holds(&p, "<h1>results.db</h1>");
    page_holds(&p, "This database has no trials yet.");
    page_holds(&p, "No trial has finished yet.");
    assert_null(strstr(p.text, "id=\"paper\""));
    assert_int_equal(page_rows(&p, "trials"), 0);
    page_release(&p);
    results_remove(r);
}

static const char hostile[] = "</script><img src=x onerror=alert(1)>\"'&<!--";

static void quoted(struct results *r, const char *format)
{
    char *sql = mem_printf(format, "'</script><img src=x onerror=alert(1)>\"''&<!--'");
    assert_non_null(sql);
    results_sql(r, sql);
    mem_free(sql);
}

static void test_hostile_texts_stay_texts(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, hostile, hostile);
    results_block(r, hostile);
    const int64_t v = results_variant(r, 400);
    results_trial(r, v, 1, "{\"SR\":0.5}", "done", 0.5);
    results_trial(r, v, 2, "{\"SR\":0.5}", "failed", -1);
    quoted(r, "UPDATE trial SET message = %s");
    quoted(r, "UPDATE sweep SET data_path = %1$s, spec_path = %1$s, tool_version = %1$s");
    quoted(r, "UPDATE variant SET pools = %1$s, bypass = %1$s, arch_hash = %1$s");
    quoted(r, "UPDATE recipe SET optimizer = %1$s, schedule = %1$s, recipe_hash = %1$s");
    quoted(r, "INSERT INTO attempt(trial_id, number, pid, host, threads, isa, started_utc, ended_utc) SELECT "
              "id, 1, "
              "1, %1$s, 1, %1$s, %1$s, %1$s FROM trial");
    struct page p = page_write(r, NULL);
    page_assert_contained(&p);
    page_holds(&p, "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;&lt;!--</h1>");
    assert_string_equal(json_object_get_string(page_value(&p, "trials", 0, "message")), hostile);
    assert_string_equal(json_object_get_string(page_value(&p, "trials", 0, "block")), hostile);
    assert_string_equal(json_object_get_string(page_value(&p, "variants", 0, "pools")), hostile);
    assert_string_equal(json_object_get_string(page_value(&p, "recipes", 0, "optimizer")), hostile);
    /* Such a row is no network. */
    assert_int_equal(json_object_get_int(page_value(&p, "variants", 0, "shape")), -1);
    page_release(&p);

    p = page_write(r, "<b>A & B</b>");
    page_assert_contained(&p);
    page_holds(&p, "<h1>&lt;b&gt;A &amp; B&lt;/b&gt;</h1>");
    page_release(&p);
    results_remove(r);
}

static void test_bytes_and_controls(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    html_text(out, "a\x01\xff\xe2\x80\xae<\n");
    html_json(out, "a\x01\xff\xe2\x80\xa8\xe2\x80\xae\\\"<>&\n");
    static const char svg[] = "<g a=\"#1\">\n\t<b c='1,\n\t\t2'/>&lt;5%\xff \x01<!-- \n";
    html_uri(out, svg, strlen(svg));
    fclose(out);
    assert_string_equal(text,
                        "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD&lt;\n"
                        "\"a\xEF\xBF\xBD\xEF\xBF\xBD\\u2028\xEF\xBF\xBD\\\\\\\"\\u003c\\u003e\\u0026\\u000a\""
                        "%3Cg a=%22%231%22>%3Cb c='1, 2'/>%26lt;5%25%FF %01%3C!--  ");
    free(text);
}

static void write_csv(const char *path, const char *head, int rows)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(head, out);
    for (int i = 0; i < rows; i++)
        fprintf(out, "%d,%.17g,x,y,z\n", i, sin(i));
    assert_int_equal(fclose(out), 0);
}

/* The data of a figure, with what CSV may hold; what is too much is not there, and what is no table neither.
 */
static void test_data_of_figures(void **state)
{
    (void)state;
    struct results *r = results_create();
    struct err e = ERR_INIT;
    char path[128];
    bool taken = false;
    struct html_page p = {0};
    p.data = open_memstream(&p.data_text, &p.data_size);
    assert_non_null(p.data);
    snprintf(path, sizeof path, "%s/f.csv", results_folder(r));
    write_csv(path,
              "axes,\"b \"\"q\"\"\",n,m\n\"SR=1, "
              "x\",0.30000000000000004,12345678,\n\"</script>\",1e-9,12345678,a\nSR,,12345678\n",
              0);
    assert_int_equal(html_figure_data(&p, path, &taken, &e), ST_OK);
    assert_true(taken && p.figures == 1);
    fflush(p.data);
    assert_string_equal(
        p.data_text, "{\"columns\":[\"axes\",\"b \\\"q\\\"\",\"n\",\"m\"],\"rows\":3,\"values\":[\n"
                     "{\"of\":[\"SR=1, x\",\"\\u003c/script\\u003e\",\"SR\"]},\n{\"of\":[0.3,1e-09,null]},\n"
                     "{\"of\":[12345678]},\n{\"of\":[null,\"a\",null]}]},");
    write_csv(path, "a,b,c,d,e\n", 40000);
    assert_int_equal(html_figure_data(&p, path, &taken, &e), ST_OK);
    assert_true(!taken && p.figures == 1);
    write_csv(path, "a,b,c,d,e\n", 1000);
    assert_int_equal(html_figure_data(&p, path, &taken, &e), ST_OK);
    assert_true(taken && p.figures == 2);
    unlink(path);
    assert_int_equal(html_figure_data(&p, path, &taken, &e), ST_OK);
    assert_false(taken);
    fclose(p.data);
    free(p.data_text);
    results_remove(r);
}

/* SqueezeNet's small relative with a complex bypass; fire3 has no 1x1 filters. */
static void make_network(struct results *r, int64_t variant)
{
    char *sql = mem_printf(
        "UPDATE variant SET input_c = 3, input_h = 32, input_w = 32, classes = 10, conv1_filters = 8, "
        "conv1_kernel = 3, conv1_stride = 1, conv1_pad = 1, pools = 'conv1,fire4', pool_floor = 0, bypass = "
        "'complex', conv10_relu = 1, conv10_pad = 0 WHERE id = %d;"
        "WITH RECURSIVE f(k) AS (SELECT 2 UNION ALL SELECT k + 1 FROM f WHERE k < 9) INSERT INTO fire SELECT "
        "%d, k, "
        "2, iif(k = 3, 0, 4), 4, k = 5, 1 FROM f",
        (int)variant, (int)variant);
    assert_non_null(sql);
    results_sql(r, sql);
    mem_free(sql);
}

static void test_variants_share_their_layers(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    for (int i = 0; i < 3; i++) {
        const int64_t v = results_variant(r, 400 * (i + 1));
        make_network(r, v);
        results_trial(r, v, 1, "{}", "done", 0.5);
    }
    results_sql(r, "UPDATE fire SET s1x1 = 3 WHERE variant_id = 2");
    results_sql(r, "UPDATE fire SET e1x1 = 4 WHERE variant_id = 3");
    results_sql(
        r, "INSERT INTO deployment SELECT 2, 12.5, 13, 9, 80, 1, 3145728, 1, 1, NULL, 'generic', 'h', 'c', "
           "'1', 'now'");
    struct page p = page_write(r, NULL);
    assert_true(json_object_get_double(page_value(&p, "variants", 1, "latency_ms")) == 12.5);
    assert_true(json_object_get_double(page_value(&p, "variants", 1, "latency_p95_ms")) == 13);
    assert_true(json_object_get_double(page_value(&p, "variants", 1, "infer_mib")) == 3.0);
    assert_null(page_value(&p, "variants", 0, "latency_ms"));
    struct json_object *shapes = json_object_object_get(p.data, "shapes");
    /* Other widths make the same list, another Fire's branch another one. */
    assert_int_equal(json_object_array_length(shapes), 2);
    assert_int_equal(json_object_get_int(page_value(&p, "variants", 0, "shape")), 0);
    assert_int_equal(json_object_get_int(page_value(&p, "variants", 1, "shape")), 0);
    assert_int_equal(json_object_get_int(page_value(&p, "variants", 2, "shape")), 1);
    assert_int_equal(json_object_get_int(page_value(&p, "variants", 0, "clamped")), 1 << 3);
    struct json_object *fires = page_value(&p, "variants", 1, "widths");
    assert_int_equal(json_object_array_length(fires), 24);
    assert_int_equal(json_object_get_int(json_object_array_get_idx(fires, 0)), 3);
    assert_int_equal(json_object_get_int(json_object_array_get_idx(fires, 4)), 0);
    struct json_object *layers = json_object_object_get(json_object_array_get_idx(shapes, 0), "layers");
    assert_string_equal(
        json_object_to_json_string_ext(json_object_array_get_idx(layers, 0), JSON_C_TO_STRING_PLAIN),
        "[\"conv1\",\"conv\",0,1,3,1,1,8,32,32]");
    page_release(&p);
    results_remove(r);
}

static void test_curves_are_thinned(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    results_trial(r, results_variant(r, 400), 1, "{}", "done", 0.5);
    results_sql(
        r, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001) INSERT INTO "
           "epoch(trial_id, epoch, train_loss, train_top1, val_count) SELECT 1, i, 1.0 / i, NULL, 0 FROM n");
    struct page p = page_write(r, NULL);
    struct json_object *epochs = json_object_object_get(p.data, "epochs");
    struct json_object *curves = json_member(epochs, "curves");
    int64_t numbers[256], loss[256];
    assert_int_equal(page_numbers(json_object_get_string(page_cell(curves, 0, "epochs")), numbers), 200);
    assert_int_equal(page_numbers(json_object_get_string(page_cell(curves, 0, "train_loss")), loss), 200);
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[199], 1001);
    assert_int_equal(loss[0], 10000);
    assert_int_equal(loss[199], 10); /* 1 / 1001 */
    /* A series without a value is not there. */
    assert_string_equal(json_object_get_string(page_cell(curves, 0, "val_loss")), "");
    assert_non_null(
        strstr(json_object_get_string(json_object_object_get(epochs, "note")), "at most 200 of 1001"));
    page_release(&p);
    results_remove(r);
}

/* 10,000 trials of 20 epochs: the page stays one that can be sent. */
static void test_a_large_sweep_is_bounded(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    const int64_t v = results_variant(r, 400);
    make_network(r, v);
    results_trial(r, v, 1, "{}", "done", 0.5);
    results_sql(
        r,
        "BEGIN; WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO "
        "trial(id, variant_id, recipe_id, data_fingerprint, seed, state, epochs_done, val_top1, test_top1, "
        "train_s) "
        "SELECT i, 1, "
        "1, 'f', i, 'done', 20, (i * 7919 % 10007) / 10007.0, (i * 7919 % 10007) / 10007.0, 1.25 FROM n;"
        "INSERT INTO block_trial SELECT 1, id, json_object('pools', 'p' || id), id, 1 FROM trial WHERE id > "
        "1;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO "
        "epoch(trial_id, "
        "epoch, train_loss, train_top1, val_count, val_loss, val_top1) SELECT id, i, 2.3 / i + x, i / 21.0 - "
        "x / 2, 1, "
        "2.4 - x * 2, i / 22.0 + x FROM (SELECT id, i, (id * 7919 + i * 104729) % 10007 / 1e5 AS x FROM "
        "trial, n); COMMIT");
    struct page p = page_write(r, NULL);
    assert_int_equal(page_rows(&p, "trials"), 10000);
    assert_in_range(p.size, 1 << 20, 3 << 20);
    struct json_object *curves = json_member(json_member(p.data, "epochs"), "curves");
    int64_t numbers[256];
    assert_int_equal(json_object_get_int(json_member(curves, "rows")), 10000);
    assert_int_equal(json_object_get_int(page_cell(curves, 76, "trial")), 77);
    assert_int_equal(page_numbers(json_object_get_string(page_cell(curves, 76, "epochs")), numbers), 12);
    /* An axis of 10,000 words has no effects to list, and that is no reason for no page. */
    assert_non_null(strstr(p.left_out.text, "Effects of block b: left out"));
    page_release(&p);

    /* So many that curves would be too short: those of the best only. */
    results_sql(
        r, "BEGIN; INSERT INTO trial(variant_id, recipe_id, data_fingerprint, seed, state, epochs_done, "
           "val_top1) WITH RECURSIVE n(i) AS (SELECT 10001 UNION ALL SELECT i + 1 FROM n WHERE i < 16000) "
           "SELECT 1, 1, 'f', i, 'done', 9, i / 1e6 FROM n; INSERT INTO epoch(trial_id, epoch, val_count) "
           "SELECT t.id, n.value, 0 FROM trial t, json_each('[1,2,3,4,5,6,7,8,9]') n WHERE t.id > 10000; "
           "COMMIT");
    p = page_write(r, NULL);
    curves = json_member(json_member(p.data, "epochs"), "curves");
    assert_int_equal(json_object_get_int(json_member(curves, "rows")), 15000);
    assert_int_equal(json_object_get_int(page_cell(curves, 14999, "trial")), 16000);
    for (size_t i = 0; i < 15000; i++)
        assert_int_not_equal(json_object_get_int(page_cell(curves, i, "trial")), 10001);
    assert_non_null(strstr(p.left_out.text, "Learning curves of the best 15000 trials"));
    page_release(&p);
    results_remove(r);
}

/* A curve over SR with three seeds: all that a page can say. */
static struct results *with_curve(void)
{
    static const double sr[] = {0.125, 0.25, 0.75, 1.0}, top1[] = {0.70, 0.73, 0.75, 0.7505};
    struct results *r = results_create();
    results_sweep(r, "fig", "version: 1\nname: s\ndata: {format: idx, path: d}\n");
    results_block(r, "sr");
    for (int i = 0; i < 4; i++) {
        const int64_t v = results_variant(r, 400 * (i + 1));
        char *sql = mem_printf(
            "UPDATE variant SET base_e = 64, incr_e = 64, freq = 2, sr = %g, pct3x3 = 0.5, bypass = "
            "'none', pools = 'conv1' WHERE id = %d",
            sr[i], (int)v);
        char *axes = mem_printf("{\"SR\":%g}", sr[i]);
        assert_non_null(sql);
        assert_non_null(axes);
        results_sql(r, sql);
        for (int seed = 1; seed <= 3; seed++)
            results_trial(r, v, seed, axes, "done", top1[i] + 0.001 * ((seed * 7 + i * 3) % 5));
        mem_free(axes);
        mem_free(sql);
    }
    return r;
}

static void test_findings_and_paper_without_gnuplot(void **state)
{
    (void)state;
    struct results *r = with_curve();
    results_sql(r, "UPDATE sweep SET data_path = '/a/path/that/is/long/and/has/no/blank'");
    struct page p = page_write(r, NULL);
    page_assert_contained(&p);
    page_holds(&p, "<td class=\"name\">/a/path");
    page_holds(&p, "<td class=\"sentence\">no difference");
    page_holds(&p, "Knee and plateau");
    page_holds(&p, "no difference shown between SR 0.75 and 1");
    page_holds(&p, "Pareto front");
    page_holds(&p, "id=\"paper\"");
    page_holds(&p, "beyond SR 0.75");
    page_holds(&p, "<td>holds</td>");
    page_holds(&p, "Figures are left out: ");
    assert_non_null(strstr(p.left_out.text, "gnuplot"));
    assert_int_equal(occurrences(p.text, "<img"), 0);
    assert_int_equal(occurrences(p.text, ">left_out</th>"), 0);
    const char *best = strstr(p.text, "<h3>Best variants"); /* what its rows share is said below */
    assert_non_null(best);
    assert_non_null(strstr(
        best,
        "<p class=\"note\">All rows: sweep fig, base_e 64, incr_e 64, freq 2, pct3x3 0.5, bypass none, "));
    page_release(&p);
    /* In every row the same, and yet said. */
    results_sql(r, "UPDATE trial SET state = 'pruned', test_top1 = NULL WHERE seed = 3");
    p = page_write(r, NULL);
    assert_int_equal(occurrences(p.text, ">left_out</th>"), 1); /* of the one knee */
    page_holds(&p, "trials (pruned); those left are the best, so differences look smaller</td>");
    page_holds(
        &p,
        "<p class=\"note\">All rows: block sr, quantity test_top1_pct, left_out 4 of 12 trials (pruned); ");
    page_release(&p);
    results_remove(r);
}

static void test_figures_are_in_the_page(void **state)
{
    const char *path = *state;
    setenv("PATH", path, 1);
    if (system("gnuplot --version > /dev/null 2>&1") != 0) {
        without_gnuplot(NULL);
        skip();
    }
    struct results *r = with_curve();
    char tmp[128];
    snprintf(tmp, sizeof tmp, "%s/tmp", results_folder(r));
    assert_int_equal(mkdir(tmp, 0700), 0);
    setenv("TMPDIR", tmp, 1);
    struct page p = page_write(r, NULL);
    unsetenv("TMPDIR");
    without_gnuplot(NULL);
    page_assert_contained(&p);
    assert_string_equal(p.left_out.text, "");
    /* The curve, its front, and the paper's; there are no epochs. */
    assert_int_equal(occurrences(p.text, "<img"), 3);
    assert_int_equal(occurrences(p.text, "src=\"data:image/svg+xml,%3C?xml "), 3);
    /* Each has its data, the paper's too. */
    struct json_object *data = json_member(p.data, "figures");
    assert_int_equal(json_object_array_length(data), 3);
    for (int i = 0; i < 3; i++) {
        char link[40];
        snprintf(link, sizeof link, "data-from=\"%d\">CSV</a>", i);
        page_holds(&p, link);
    }
    struct json_object *points = json_object_array_get_idx(data, 1); /* behind the paper's */
    assert_int_equal(json_object_get_int(json_member(points, "rows")), 4);
    assert_true(json_object_get_double(page_cell(points, 1, "SR")) == 0.25);
    assert_true(json_object_get_double(page_cell(points, 3, "test_top1_pct_mean")) > 75);
    assert_int_equal(rmdir(tmp), 0); /* nothing is left there */
    page_release(&p);
    results_remove(r);
}

static void test_no_folder_for_figures(void **state)
{
    (void)state;
    struct results *r = with_curve();
    setenv("TMPDIR", "/nonexistent", 1);
    struct page p = page_write(r, NULL);
    unsetenv("TMPDIR");
    assert_non_null(strstr(p.left_out.text, "no folder for temporary files in /nonexistent"));
    page_holds(&p, "Pareto front");
    page_release(&p);
    results_remove(r);
}

/* The n-th allocation fails, for every n: an error, and nothing is lost. */
static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    const int64_t v = results_variant(r, 400);
    make_network(r, v);
    results_trial(r, v, 1, "{\"SR\":0.5}", "done", 0.5);
    results_epoch(r, 1, 0.5, 0.5);
    const size_t live = mem_live();
    enum status status = ST_NOMEM;
    int n = 0;
    while (status != ST_OK && n < 2000) {
        struct page p;
        struct err e = ERR_INIT;
        mem_fail_after((size_t)++n);
        status = page_try_write(r, "t", &p, &e);
        mem_fail_after(0);
        if (status != ST_OK)
            assert_int_equal(status, ST_NOMEM);
        page_release(&p);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(status, ST_OK);
    assert_in_range(n, 20, 1999);
    results_remove(r);
}

int main(void)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_database),
        cmocka_unit_test(test_hostile_texts_stay_texts),
        cmocka_unit_test(test_bytes_and_controls),
        cmocka_unit_test(test_data_of_figures),
        cmocka_unit_test(test_variants_share_their_layers),
        cmocka_unit_test(test_curves_are_thinned),
        cmocka_unit_test(test_a_large_sweep_is_bounded),
        cmocka_unit_test(test_findings_and_paper_without_gnuplot),
        cmocka_unit_test_prestate(test_figures_are_in_the_page, path),
        cmocka_unit_test(test_no_folder_for_figures),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, without_gnuplot, NULL);
}
