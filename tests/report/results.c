#include "results.h"

#include <dirent.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "sweep/store.h"

struct results {
    sqlite3 *db;
    char folder[64], path[96];
    int64_t recipe, sweep, block, trial;
    int position;
};

/* Runs SQLite-formatted SQL; the row id of an insert. */
static int64_t run(struct results *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    assert_non_null(sql);
    results_sql(r, sql);
    sqlite3_free(sql);
    return sqlite3_last_insert_rowid(r->db);
}

/* A row that fits the table's types, whatever its columns are, with an id and texts of its own. */
static int64_t insert_filled(struct results *r, const char *table)
{
    sqlite3_stmt *columns = NULL;
    char *query =
        sqlite3_mprintf("SELECT name, CASE type WHEN 'TEXT' THEN quote(name || (SELECT count(*) FROM %w))"
                        " WHEN 'REAL' THEN '0.5' ELSE iif(pk, 'NULL', '1') END FROM pragma_table_info(%Q)",
                        table, table);
    assert_int_equal(sqlite3_prepare_v2(r->db, query, -1, &columns, NULL), SQLITE_OK);
    sqlite3_free(query);
    sqlite3_str *names = sqlite3_str_new(r->db), *values = sqlite3_str_new(r->db);
    for (const char *comma = ""; sqlite3_step(columns) == SQLITE_ROW; comma = ", ") {
        sqlite3_str_appendf(names, "%s%s", comma, (const char *)sqlite3_column_text(columns, 0));
        sqlite3_str_appendf(values, "%s%s", comma, (const char *)sqlite3_column_text(columns, 1));
    }
    sqlite3_finalize(columns);
    char *name_list = sqlite3_str_finish(names), *value_list = sqlite3_str_finish(values);
    int64_t id = run(r, "INSERT INTO %w(%s) VALUES(%s)", table, name_list, value_list);
    sqlite3_free(name_list);
    sqlite3_free(value_list);
    return id;
}

struct results *results_create(void)
{
    struct results *r = mem_calloc(1, sizeof *r);
    assert_non_null(r);
    snprintf(r->folder, sizeof r->folder, "/tmp/firesweep-report-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->path, sizeof r->path, "%s/results.db", r->folder);
    struct store *s = NULL;
    struct err e = ERR_INIT;
    if (store_open(r->path, &s, &e) != ST_OK)
        fail_msg("%s", e.text);
    store_close(s);
    assert_int_equal(sqlite3_open(r->path, &r->db), SQLITE_OK);
    results_sql(r, "PRAGMA synchronous = OFF");
    r->recipe = insert_filled(r, "recipe");
    return r;
}

const char *results_folder(const struct results *r)
{
    return r->folder;
}

const char *results_path(const struct results *r)
{
    return r->path;
}

static void remove_tree(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    if (S_ISDIR(info.st_mode)) {
        chmod(path, 0700);
        DIR *folder = opendir(path);
        assert_non_null(folder);
        for (struct dirent *entry; (entry = readdir(folder));) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            char *below = mem_printf("%s/%s", path, entry->d_name);
            assert_non_null(below);
            remove_tree(below);
            mem_free(below);
        }
        closedir(folder);
    }
    assert_int_equal(remove(path), 0);
}

void results_remove(struct results *r)
{
    sqlite3_close(r->db);
    remove_tree(r->folder);
    mem_free(r);
}

void results_sql(struct results *r, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(r->db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

void results_sweep(struct results *r, const char *name, const char *spec_text)
{
    r->sweep = insert_filled(r, "sweep");
    run(r, "UPDATE sweep SET name = %Q, spec_path = 'sweep.yaml', spec_text = %Q WHERE id = %lld", name,
        spec_text, (long long)r->sweep);
}

int64_t results_block(struct results *r, const char *name)
{
    r->block = run(r, "INSERT INTO block(sweep_id, name, position) SELECT %lld, %Q, count(*) FROM block",
                   (long long)r->sweep, name);
    r->position = 0;
    return r->block;
}

int64_t results_variant(struct results *r, int64_t model_bytes)
{
    long long bytes = model_bytes, id = insert_filled(r, "variant");
    run(r, "UPDATE variant SET model_bytes = %lld, params = %lld WHERE id = %lld", bytes, bytes / 4, id);
    return id;
}

int64_t results_recipe(struct results *r, int epochs)
{
    const int64_t id = insert_filled(r, "recipe");
    run(r, "UPDATE recipe SET epochs = %d WHERE id = %lld", epochs, (long long)id);
    return id;
}

int64_t results_trial(struct results *r, int64_t variant, int seed, const char *axes, const char *state,
                      double top1)
{
    char share[32] = "NULL";
    if (top1 >= 0)
        snprintf(share, sizeof share, "%.17g", top1);
    r->trial =
        run(r,
            "INSERT INTO trial(variant_id, recipe_id, data_fingerprint, seed, state, val_top1, test_top1,"
            " train_s) VALUES(%lld, %lld, 'f', %d, %Q, %s, %s, 7.5)",
            (long long)variant, (long long)r->recipe, seed, state, share, share);
    run(r, "INSERT INTO block_trial VALUES(%lld, %lld, %Q, %d, 1)", (long long)r->block, (long long)r->trial,
        axes, r->position++);
    run(r,
        "INSERT OR IGNORE INTO point SELECT %lld, %Q, base_e, incr_e, freq, coalesce(%Q ->> '$.SR', sr),"
        " coalesce(%Q ->> '$.pct3x3', pct3x3), coalesce(%Q ->> '$.bypass', bypass), pool_floor"
        " FROM variant WHERE id = %lld",
        (long long)r->block, axes, axes, axes, axes, (long long)variant);
    return r->trial;
}

void results_epoch(struct results *r, int epoch, double val_top1, double train_top1)
{
    char share[32] = "NULL";
    if (val_top1 >= 0)
        snprintf(share, sizeof share, "%.17g", val_top1);
    run(r,
        "INSERT INTO epoch(trial_id, epoch, train_loss, train_top1, val_count, val_top1) VALUES(%lld, %d, "
        "1.5, %f,"
        " %d, %s)",
        (long long)r->trial, epoch, train_top1, val_top1 >= 0 ? 10 : 0, share);
}

char *results_read(const char *path)
{
    char *text = NULL;
    size_t n;
    struct err e = ERR_INIT;
    if (file_read(path, 1 << 24, &text, &n, &e) != ST_OK)
        fail_msg("%s", e.text);
    return text;
}
