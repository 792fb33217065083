#include "plot_session.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/mem.h"

const char spec_head[] = "version: 1\nname: s\ndata: {format: idx, path: d}\n";

int set_up(void **state)
{
    struct session *s = mem_calloc(1, sizeof *s);
    s->results = results_create();
    plot_report_init(&s->report);
    snprintf(s->dir, sizeof s->dir, "%s/new/figures", results_folder(s->results));
    *state = s;
    return 0;
}

int tear_down(void **state)
{
    struct session *s = *state;
    plot_report_release(&s->report);
    results_remove(s->results);
    mem_free(s);
    return 0;
}

enum status draw(struct session *s, struct plot_options o)
{
    struct store *store = NULL;
    plot_report_release(&s->report);
    s->err = ERR_INIT;
    if (store_open_readonly(results_path(s->results), &store, &s->err) != ST_OK)
        fail_msg("%s", s->err.text);
    o.dir = o.dir ? o.dir : s->dir;
    enum status status = plot_draw(store, &o, &s->report, &s->err);
    store_close(store);
    assert_int_equal(status, s->err.status);
    return status;
}

void draw_ok(struct session *s, struct plot_options o)
{
    if (draw(s, o) != ST_OK)
        fail_msg("%s", s->err.text);
}

bool have_gnuplot(void)
{
    return system("gnuplot --version > /dev/null 2>&1") == 0;
}

void need_gnuplot(void)
{
    if (!have_gnuplot())
        skip();
}

char *path_in(const char *folder, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void assert_file(const char *folder, const char *name, const char *expected)
{
    char *text = results_read(path_in(folder, name));
    assert_string_equal(text, expected);
    mem_free(text);
}

void assert_contains(const char *path, const char *part)
{
    char *text = results_read(path);
    if (!strstr(text, part))
        fail_msg("%s does not contain %s", path, part);
    mem_free(text);
}

void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

int count_files(const char *folder)
{
    int count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));)
        count += entry->d_name[0] != '.';
    closedir(d);
    return count;
}

void fill_block(struct results *r, const char *name)
{
    results_block(r, name);
    int64_t small = results_variant(r, 1 << 20), large = results_variant(r, 2 << 20);
    results_trial(r, small, 1, "{\"SR\":0.125}", "done", 0.5);
    results_epoch(r, 1, 0.25, 0.2);
    results_epoch(r, 2, 0.5, 0.4);
    results_trial(r, small, 2, "{\"SR\":0.125}", "done", 0.625);
    results_epoch(r, 1, 0.375, 0.2);
    results_epoch(r, 2, 0.625, 0.4);
    results_trial(r, large, 1, "{\"SR\":0.25}", "done", 0.75);
    results_epoch(r, 1, 0.5, 0.2);
    results_epoch(r, 2, 0.75, 0.4);
    results_trial(r, large, 2, "{\"SR\":0.25}", "pending", -1);
}

void fill_plane(struct results *r, const char *name)
{
    static const double top1[] = {0.5, 0.52, 0.6, 0.62, 0.4, 0.42, 0.9, -1};
    results_block(r, name);
    for (int i = 0; i < 8; i++) {
        static int64_t variant;
        char axes[64];
        variant = i % 2 ? variant : results_variant(r, (int64_t)(i / 2 + 1) << 20);
        snprintf(axes, sizeof axes, "{\"SR\":%s,\"bypass\":\"%s\"}", i < 4 ? "0.25" : "1.0",
                 i / 2 % 2 ? "it's `complex`" : "none");
        results_trial(r, variant, i % 2 + 1, axes, top1[i] < 0 ? "running" : "done", top1[i]);
    }
}

void draw_kind(struct session *s, const char *kind, const char *data)
{
    char name[64];
    draw_ok(s, (struct plot_options){.kind = kind, .block = "plane"});
    assert_int_equal(s->report.count, 1);
    snprintf(name, sizeof name, "s-plane-%s.csv", kind);
    assert_contains(path_in(s->dir, name), data);
    snprintf(name, sizeof name, "s-plane-%s.svg", kind);
    assert_contains(path_in(s->dir, name), ">s: plane<");
}
