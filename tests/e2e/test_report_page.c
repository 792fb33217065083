/* The HTML report in a browser: 10,000 trials of 2,500 networks, one with a hostile name. A copy of the page
 * gets the self-test report_selftest.js and runs in headless Chromium on a phone's width. Without Chromium
 * the test is skipped (exit code 77); FIRESWEEP_BROWSER names another one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "metamodel/cost.h"
#include "program.h"
#include "report/html.h"
#include "results.h"

enum { VARIANTS = 2500, SEEDS = 4, SKIPPED = 77, PATIENCE_S = 100 };

static const char *browser(void)
{
    static const char *const names[] = {"chromium", "chromium-browser", "google-chrome"};
    const char *own = getenv("FIRESWEEP_BROWSER");
    if (own && *own)
        return own;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char command[64];
        snprintf(command, sizeof command, "command -v %s > /dev/null 2>&1", names[i]);
        if (system(command) == 0)
            return names[i];
    }
    return NULL;
}

static void run_sql(struct results *r, char *sql)
{
    assert_non_null(sql);
    results_sql(r, sql);
    mem_free(sql);
}

/* Network i: another squeeze ratio each, every kind of bypass, Fires without 1x1 or 3x3 filters. */
static struct design network(int i)
{
    static const double pct3x3[] = {0.5, 0, 1, 0.25};
    struct design d = {0};
    struct err e = ERR_INIT;
    assert_int_equal(design_preset("small32", &d, &e), ST_OK);
    d.meta = (struct metaparams){.base_e = 16,
                                 .incr_e = 8,
                                 .freq = 1 + i % 4,
                                 .sr = (i + 1.0) / VARIANTS,
                                 .pct3x3 = pct3x3[i / 3 % 4]};
    d.macro.bypass = (enum bypass)(i % 3);
    d.macro.pools = i % 5 ? POOL_AFTER_CONV1 | 1u << (2 + i % 7) : 0;
    return d;
}

static void add_variant(struct results *r, int i)
{
    struct design d = network(i);
    struct derived derived = {0};
    struct arch a = {0};
    struct cost c = {0};
    struct err e = ERR_INIT;
    char pools[64];
    assert_int_equal(design_derive(&d, &derived, &e), ST_OK);
    assert_int_equal(arch_build(&d, &a, &e), ST_OK);
    arch_cost(&a, &c);
    const int id = (int)results_variant(r, c.model_bytes);
    run_sql(
        r,
        mem_printf(
            "UPDATE variant SET input_c = %d, input_h = %d, input_w = %d, classes = %d, conv1_filters = %d, "
            "conv1_kernel = %d, conv1_stride = %d, conv1_pad = %d, pools = '%s', pool_floor = 0, bypass = "
            "'%s', "
            "conv10_relu = 1, conv10_pad = %d, base_e = %d, incr_e = %d, freq = %d, sr = %.6f, pct3x3 = "
            "%.6f, "
            "macs = %lld WHERE id = %d",
            d.macro.input.c, d.macro.input.h, d.macro.input.w, d.macro.classes, d.macro.conv1_filters,
            d.macro.conv1_kernel, d.macro.conv1_stride, d.macro.conv1_pad, pools_format(d.macro.pools, pools),
            bypass_name(d.macro.bypass), d.macro.conv10_pad, d.meta.base_e, d.meta.incr_e, d.meta.freq,
            d.meta.sr, d.meta.pct3x3, (long long)c.macs, id));
    struct strbuf fires = STRBUF_INIT;
    for (int k = 0; k < FIRE_COUNT; k++)
        strbuf_printf(&fires, "%s(%d, %d, %d, %d, %d, 0, 1)", k ? ", " : "INSERT INTO fire VALUES", id, k + 2,
                      a.fires[k].s1x1, a.fires[k].e1x1, a.fires[k].e3x3);
    results_sql(r, fires.text);
    strbuf_release(&fires);
}

static struct results *large_sweep(void)
{
    struct results *r = results_create();
    results_sweep(r, "</script><img src=x onerror=alert(1)>",
                  "version: 1\nname: s\ndata: {format: idx, path: d}\nplots: [{kind: edf}]\n");
    results_block(r, "b");
    results_sql(r, "BEGIN");
    for (int i = 0; i < VARIANTS; i++)
        add_variant(r, i);
    results_sql(r,
                "INSERT INTO trial(variant_id, recipe_id, data_fingerprint, seed, state, epochs_done, "
                "val_top1, test_top1, "
                "train_s) SELECT v.id, 1, 'f', s.value, iif(v.id % 100 = 7, 'failed', 'done'), 20, "
                "iif(v.id % 100 = 7, NULL, (v.id * 31 + s.value * 7) % 1009 / 1009.0), "
                "iif(v.id % 100 = 7, NULL, (v.id * 37 + s.value * 11) % 1009 / 1009.0), 12.5 FROM variant v, "
                "json_each('[1,2,3,4]') s ORDER BY v.id, s.value");
    results_sql(
        r,
        "INSERT INTO block_trial SELECT 1, t.id, json_object('SR', v.sr), t.id, 1 FROM trial t JOIN variant "
        "v ON v.id = t.variant_id");
    results_sql(
        r, "INSERT OR IGNORE INTO point SELECT 1, json_object('SR', sr), base_e, incr_e, freq, sr, pct3x3,"
           " bypass, pool_floor FROM variant");
    /* Two variants were asked for by another SR too, in another block. */
    const int again = (int)results_block(r, "again");
    run_sql(
        r,
        mem_printf(
            "INSERT INTO point SELECT %d, json_object('SR', 0.00061), base_e, incr_e, freq, 0.00061, pct3x3,"
            " bypass, pool_floor FROM variant WHERE id = 1",
            again));
    run_sql(r,
            mem_printf("INSERT INTO block_trial SELECT %d, id, json_object('SR', 0.00061), id, 1 FROM trial"
                       " WHERE variant_id IN (1, 2)",
                       again));
    results_sql(r, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO "
                   "epoch(trial_id, epoch, train_loss, train_top1, val_count, val_loss, val_top1) SELECT id, "
                   "i, 2.5 / i, "
                   "i / 21.0, 1, 2.6 / i, i / 22.0 FROM trial, n");
    results_sql(r, "UPDATE trial SET train_s = 12.4998 WHERE id = 5");
    /* Ten variants were trained on other data with two of their seeds. */
    results_sql(r, "UPDATE trial SET data_fingerprint = 'g' WHERE variant_id > 2490 AND seed > 2");
    /* No spec names these any more: 81 variants, and what was trained on the data of before. Variant 1 has
     * but its other name left. */
    results_sql(r,
                "UPDATE block_trial SET in_spec = 0 WHERE block_id = 1 AND trial_id IN (SELECT id FROM trial"
                " WHERE variant_id = 1 OR variant_id BETWEEN 2410 AND 2490"
                " OR (variant_id > 2490 AND data_fingerprint = 'f'))");
    /* Those of five variants for two seeds are a search's, and wait for two further seeds of the spec. */
    results_sql(
        r, "UPDATE block_trial SET in_spec = 1 WHERE trial_id IN (SELECT id FROM trial WHERE"
           " variant_id BETWEEN 2486 AND 2490 AND seed > 2);"
           "INSERT INTO rung SELECT 1, id, iif(seed > 2, 2, 1), 2, iif(seed > 2, id, id + 2), NULL, NULL, 1"
           " FROM trial WHERE variant_id BETWEEN 2486 AND 2490");
    results_sql(r, "COMMIT");
    return r;
}

/* Conditions that the command and the page must answer alike. */
static const char *const conditions[] = {
    "bypass = simpel",
    "bypass = simple",
    "bypass in [none, simpl]",
    "bypass not in (none)",
    "bypass < simple",
    "state < done",
    "decay_biases = no or sr = 1",
    "input = 1x16x16",
    "sr < 0.5 or done <= state",
    "pools < 3",
    "bypass < 'simple' or 'none' >= bypass",
    "simple = bypass",
    "input = foo",
    "input = '3x32x32' or input = '3x32x33'",
    "pools = foo",
    "pools = 'fire4, conv1'",
    "pools != 'none' and pools = 'conv1,fire2'",
    "pools = 'conv1,conv1'",
    "state = dne",
    "state = done and not (test_top1 <= 20%)",
    "optimizer = sgdd",
    "block = b and block < 'c' and block > 3",
    "block = 3",
    "block = '\xc3\xbc\xf0\x9f\x98\x80' and foo = 1", /* characters of two and of four bytes */
    "block = again",
    "block != again",
    "block != 'b'",
    "not block in ['b', again]",
    "block = bypass",
    "block = sr",
    "sr = 0.00061",
    "sr != 0.00061 and sr < 0.001",
    "also != null",
    "conv1_kernel = 3 and conv10_pad = 0",
    "fires = null",
    "pool_rounding = floor or crop_border = zero",
    "sweep = nowhere",
    "sweep = null",
    "sweep != null and block != null",
    "sweep != nowhere",
    "sweep = '</script><img src=x onerror=alert(1)>'",
    "sweep = '</script><img src=x onerror=alert(1)>' and variant >= 2410",
    "not sweep in ['</script><img src=x onerror=alert(1)>']",
    "sweep < 'a'",
    "block = null",
    "block = ''",
    "block != ''",
    "block = block",
    "block != block",
    "block != b and block != again",
    "block in [b, again] and variant < 3",
    "block < c",
    "block >= 'b' and variant > 2400",
    "block = null and sr > 0.99 and test_top1 > 50%",
    "also = null and variant > 2489",
    "sr = 0.0008",
    "rung = 1",
    "rung = 1 and sweep = null",
    "rung = 1 and sweep != null and block = null",
    "rung = 2 and block = b",
    "rung = null and sweep = null",
    "1/0",
    "1/0 > 2",
    "sr / 0 > 1",
    "sr / (freq - 1) > 0.1",
    "sr / (freq - 1) = null",
    "\"x",
    "bypass = 'x",
    "SR",
    "freq",
    "crop_pad",
    "crop_pad >= 0 and weight_decay < 1 and epochs_planned > 0 and clip = 0",
    "init = hee",
    "freq - 1",
    "not SR",
    "nesterov",
    "not nesterov",
    "nesterov = true and nesterov != 2",
    "nesterov + 1 = 2",
    "true",
    "SR < 0.5 and",
    "SR <",
    "SR < 0.5 SR",
    "(SR < 0.5",
    "SR < 0.5)",
    "SR << 3",
    "SR in 3",
    "SR in [1, 2",
    "SR not 3",
    "SR = nonw",
    "foo = 3",
    "foo-bar = 3",
    "SR < bypass",
    "SR < state or 1 = 1",
    "bypass + 1 = 2",
    "-bypass = 2",
    "null < 3",
    "3 = null",
    "bla = null",
    "SR + null = 1",
    "test_top1 = null",
    "test_top1 != 0.5",
    "test_top1 = val_top1 or test_top1 > val_top1",
    "message != 'a'",
    "message = test_top1",
    "test_top1 > 20",
    "200 > test_top1",
    "test_top1 > 250%",
    "test_top1 * 100 > 20",
    "params < 5X",
    "params < 5e",
    "params < 1e999",
    "params < 20K and params < 20 K and params < 2e4",
    "params < 20KB",
    "model_bytes < 5M",
    "model_bytes < 80KiB and model_mib < 80KB and model_mib <= 0.07",
    "model_mib + train_s > 1",
    "(model_bytes + 1KB) * 2 < 5s",
    "train_s > 12s and train_s < 1h30m and train_s <= 12.5",
    "train_s < 12.5",
    "latency_ms < 1s",
    "model_bytes / train_s > 10",
    "2 * model_bytes > 1 * params",
    "0.1 <= sr < 0.5 < freq",
    "variant = 7 || variant == 8 && seed <> 2",
    "SR ! 3",
    "SR = 3 ; x",
    "not (not (not SR > 0.5))",
    "seed in [1, 2] and not seed in [2]",
    "(1 < 2) = true and variant = 3",
};

/* What the command says to them: a number of trials, or what is wrong. As a script's `asked`. */
static void write_asked(const char *database, FILE *out)
{
    static const char before[] = "firesweep: query: --where: ";
    fputs("const asked = [", out);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        struct outcome o = RUN("query", database, "trials", "--where", conditions[i], "--columns", "trial",
                               "--format", "csv");
        int lines = 0;
        for (const char *s = o.out; *s; s++)
            lines += *s == '\n';
        char *wrong = strstr(o.err, before);
        fputs("[", out);
        html_json(out, conditions[i]);
        fputs(", ", out);
        if (wrong) {
            wrong[strcspn(wrong, "\n")] = '\0';
            html_json(out, wrong + strlen(before));
        } else
            fprintf(out, "%d", lines - 1);
        fputs("],\n", out);
        outcome_release(&o);
    }
    fputs("];\n", out);
}

/* The page with a script before its own and one behind them, which may run because they have its nonce. */
static void write_copy(const char *page, const char *database, const char *path)
{
    static const char mark[] = "<script nonce=\"";
    char nonce[40] = "";
    const char *at = strstr(page, mark), *head = strstr(page, "<title>"), *end = strstr(page, "</body>");
    char *test = results_read("tests/e2e/report_selftest.js");
    FILE *out = fopen(path, "w");
    assert_true(at && head && end && out);
    if (!at || !head || !end || !out)
        return;
    snprintf(nonce, sizeof nonce, "%.32s", at + strlen(mark));
    fwrite(page, 1, (size_t)(head - page), out);
    fprintf(
        out,
        "<script nonce=\"%s\">const problems = []; addEventListener('error', (e) => "
        "problems.push(e.message));"
        " addEventListener('securitypolicyviolation', (e) => problems.push(e.violatedDirective + ' ' + "
        "e.blockedURI));"
        " addEventListener('unhandledrejection', (e) => problems.push(String(e.reason)));"
        " for (const level of ['error', 'warn']) console[level] = (...words) => problems.push(words.join(' "
        "'));</script>\n",
        nonce);
    fwrite(head, 1, (size_t)(end - head), out);
    fprintf(out, "<script nonce=\"%s\">", nonce);
    write_asked(database, out);
    fprintf(out, "%s</script></body></html>\n", test);
    assert_int_equal(fclose(out), 0);
    mem_free(test);
}

/* Becomes the browser: it opens the page, waits for the self-test and prints the document. */
_Noreturn static void become_browser(const char *page, int width, const char *profile, const char *out)
{
    char url[300], data[300], size[40];
    const int in = open("/dev/null", O_RDWR), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    snprintf(url, sizeof url, "file://%s", page);
    snprintf(data, sizeof data, "--user-data-dir=%s", profile);
    snprintf(size, sizeof size, "--window-size=%d,800", width);
    alarm(PATIENCE_S);
    if (in >= 0 && to >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(to, STDOUT_FILENO) >= 0 &&
        dup2(in, STDERR_FILENO) >= 0)
        execlp(browser(), browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--no-first-run", "--disable-extensions", "--disable-background-networking", data, size,
               "--virtual-time-budget=20000", "--dump-dom", url, (char *)NULL);
    _exit(127);
}

/* Opens the copy in a window of this width (Chromium makes it 500 at least) and reads what its test says. */
static void selftest(const char *copy, int width, const char *profile, const char *dump)
{
    int status;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become_browser(copy, width, profile, dump);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    char *dom = results_read(dump);
    const char *result = NULL; /* the last of these; the test's own text has one too */
    for (const char *found = dom; (found = strstr(found, "<pre id=\"selftest\">")); found++)
        result = found;
    if (!result)
        fail_msg("%s gave no result, status %d: %.300s", browser(), status, dom);
    else if (strncmp(result, "<pre id=\"selftest\">ok, ", 23) != 0)
        fail_msg("%.*s", (int)strcspn(result + 19, "<"), result + 19);
    mem_free(dom);
}

static void test_a_person_reads_the_report(void **state)
{
    (void)state;
    struct results *r = large_sweep();
    char page[128], copy[128], profile[128], dump[128];
    snprintf(page, sizeof page, "%s/page.html", results_folder(r));
    snprintf(copy, sizeof copy, "%s/copy.html", results_folder(r));
    snprintf(profile, sizeof profile, "%s/profile", results_folder(r));
    snprintf(dump, sizeof dump, "%s/dump.html", results_folder(r));
    struct outcome o = RUN("report", results_path(r), "-o", page);
    if (o.code != 0)
        fail_msg("%s", o.err);
    outcome_release(&o);
    char *text = results_read(page);
    assert_in_range(strlen(text), 1 << 20, 4 << 20);
    write_copy(text, results_path(r), copy);
    mem_free(text);

    selftest(copy, 360, profile, dump);
    selftest(copy, 1280, profile, dump);
    results_remove(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_person_reads_the_report)};
    if (!browser()) {
        puts("skipped: no Chromium here (Debian: chromium; scripts/setup.sh browser installs it)");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
