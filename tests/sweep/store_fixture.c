#include "store_fixture.h"

#include <math.h>
#include <unistd.h>

#include "engine/trainer.h"
#include "faulty_vfs.h"
#include "sweep/conditions.h"

void fixture_realise(struct trial *trial)
{
    struct err e = ERR_INIT;
    struct arch arch;
    const struct design *design = &trial->point.design;
    assert_ok(arch_build(design, &arch, &e));
    arch_cost(&arch, &trial->cost);
    arch_hash(&arch, trial->arch_hash);
    trial->min_channels = conditions_min_channels(&arch);
    if (design->explicit_fires) {
        memset(&trial->derived, 0, sizeof trial->derived);
        memcpy(trial->derived.fires, design->fires, sizeof design->fires);
        fires_realised(design->fires, &trial->derived.realised_sr, &trial->derived.realised_pct3x3);
    } else {
        assert_ok(metaparams_derive(&design->meta, &trial->derived, &e));
    }
    recipe_hash(&trial->point.recipe, engine_numerics(), trial->recipe_hash);
}

static void fixture_trial(struct fixture *f, int i, double sr, double pct3x3)
{
    struct err e = ERR_INIT;
    struct trial *trial = &f->trials[i];
    assert_ok(design_preset("small32", &trial->point.design, &e));
    trial->point.design.macro.input = (struct shape){3, 32, 32};
    trial->point.design.macro.classes = 10;
    trial->point.design.meta.sr = sr;
    trial->point.design.meta.pct3x3 = pct3x3;
    trial->point.recipe = recipe_default();
    trial->seed = (uint64_t)(1 + i % 2);
    fixture_realise(trial);
}

void fixture_init(struct fixture *f)
{
    static const char *const axes[] = {"{\"SR\":0.125}", "{\"SR\":0.5}", "{\"pct3x3\":0.5}",
                                       "{\"pct3x3\":0.99}"};
    static uint64_t seeds[] = {1, 2};
    memset(f, 0, sizeof *f);
    f->blocks[0].id = "sr";
    f->blocks[1].id = "pct";
    f->spec = (struct spec){.path = "specs/demo.yaml", .text = "version: 1\nname: demo\n", .name = "demo"};
    f->spec.data = (struct data_source){.format = DATA_CIFAR10, .path = "data/cifar10"};
    f->spec.blocks = f->blocks;
    f->spec.block_count = 2;
    f->spec.seeds = seeds;
    f->spec.seed_count = 2;
    f->data.image = (struct shape){3, 32, 32};
    f->data.classes = 10;
    f->data.sets[SPLIT_TRAIN].count = 900;
    f->data.sets[SPLIT_VAL].count = 100;
    f->data.sets[SPLIT_TEST].count = 200;
    f->data.fingerprint = 0x0123456789abcdef;
    f->data.skipped = 3;
    for (int i = 0; i < FIXTURE_TRIALS; i++)
        fixture_trial(f, i, i < 2 ? 0.125 : 0.5, i < 4 ? 0.5 : 0.99);
    for (int i = 0; i < FIXTURE_MEMBERS; i++) {
        const int trial = i < 4 ? i : i - 2;
        f->members[i] = (struct membership){.block = i / 4,
                                            .trial = trial,
                                            .position = i % 4,
                                            .axes = axes[i / 2],
                                            .design = &f->trials[trial].point.design};
    }
    f->space.trials = f->trials;
    f->space.trial_count = f->space.named_count = FIXTURE_TRIALS;
    f->space.memberships = f->members;
    f->space.membership_count = FIXTURE_MEMBERS;
}

struct store *fixture_open(struct fixture *f, const char *path)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;
    assert_ok(store_open(path, &s, &e));
    assert_ok(store_sync(s, &f->spec, &f->space, &f->data, f->ids, &e));
    return s;
}

struct epoch_metrics fixture_epoch(int epoch, double scale)
{
    return (struct epoch_metrics){
        .epoch = epoch,
        .lr = 0.04 / epoch * scale,
        .train_loss = 2.3 / epoch * scale,
        .train_top1 = 0.1 * epoch * scale,
        .val = {.count = 100,
                .loss = 2.1 / epoch * scale,
                .top1 = 0.11 * epoch * scale,
                .top5 = 0.13 * epoch * scale},
        .train_s = 1.5 + epoch,
        .eval_s = 0.25 + epoch,
    };
}

void fixture_finish(struct store *s, int64_t trial, double val_top1, double test_top1)
{
    struct err e = ERR_INIT;
    int64_t attempt = 0;
    struct epoch_metrics m = fixture_epoch(1, 1);
    struct attempt_end end = {.state = TRIAL_DONE,
                              .outcome = "done",
                              .diverged_step = -1,
                              .has_test = true,
                              .test = {.count = 200, .loss = 1, .top1 = test_top1, .top5 = 0.99}};
    m.val.top1 = val_top1;
    assert_ok(store_attempt_begin(s, trial, 1, 1, &attempt, &e));
    assert_ok(store_epoch(s, trial, &m, &e));
    assert_ok(store_attempt_end(s, trial, attempt, &end, &e));
}

/* Steps to the first row of a query on a connection of its own and hands it to `take`. */
static void plain_query(const char *path, const char *sql, void (*take)(sqlite3_stmt *row, void *out),
                        void *out)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW && take)
        take(statement, out);
    else if (code != SQLITE_DONE || take)
        fail_msg("%s: %d, %s", sql, code, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void take_int(sqlite3_stmt *row, void *out)
{
    assert_int_equal(sqlite3_column_type(row, 0), SQLITE_INTEGER);
    *(int64_t *)out = sqlite3_column_int64(row, 0);
}

static void take_real(sqlite3_stmt *row, void *out)
{
    assert_int_equal(sqlite3_column_type(row, 0), SQLITE_FLOAT);
    *(double *)out = sqlite3_column_double(row, 0);
}

static void take_text(sqlite3_stmt *row, void *out)
{
    const char *text = (const char *)sqlite3_column_text(row, 0);
    snprintf(out, 8192, "%s", text ? text : "NULL");
}

int64_t plain_int(const char *path, const char *sql)
{
    int64_t v = 0;
    plain_query(path, sql, take_int, &v);
    return v;
}

double plain_real(const char *path, const char *sql)
{
    double v = 0;
    plain_query(path, sql, take_real, &v);
    return v;
}

const char *plain_text(const char *path, const char *sql)
{
    static char text[8192];
    plain_query(path, sql, take_text, text);
    return text;
}

void plain_exec(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

void assert_same_bytes(const char *path, const char *bytes, size_t n)
{
    size_t now = 0;
    char *current = slurp(path, &now);
    assert_int_equal(now, n);
    assert_memory_equal(current, bytes, n);
    free(current);
}

bool beside(const char *path, const char *suffix)
{
    char name[600];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return access(name, F_OK) == 0;
}

char *plain_dump(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *tables = NULL, *rows = NULL;
    char *text = calloc(1, 1 << 20), *end = text, sql[128];
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", -1, &tables,
                       NULL);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        snprintf(sql, sizeof sql, "SELECT * FROM %s", (const char *)sqlite3_column_text(tables, 0));
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
        end += sprintf(end, "%s\n", sql);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(rows); i++) {
                const char *value = (const char *)sqlite3_column_text(rows, i);
                end += sprintf(end, "%s=%s\n", sqlite3_column_name(rows, i), value ? value : "NULL");
            }
        }
        sqlite3_finalize(rows);
    }
    sqlite3_finalize(tables);
    sqlite3_close(db);
    assert_true(end < text + (1 << 20));
    return text;
}

const char *with(const char *format, int64_t number)
{
    static char sql[1024];
    snprintf(sql, sizeof sql, format, (long long)number);
    return sql;
}

enum status open_and_close(const char *path, bool readonly, struct err *e)
{
    struct store *s = NULL;
    enum status status = readonly ? store_open_readonly(path, &s, e) : store_open(path, &s, e);
    store_close(s);
    return status;
}

int faulty_setup(void **state)
{
    faulty_install();
    return scratch_setup(state);
}

int faulty_teardown(void **state)
{
    faulty_remove();
    return scratch_teardown(state);
}

int store_setup(void **state)
{
    static struct context context;
    if (scratch_setup(state) != 0)
        return -1;
    memset(&context, 0, sizeof context);
    context.folder = *state;
    scratch_name(context.path, state, "results.db");
    faulty_install();
    fixture_init(&context.f);
    context.s = fixture_open(&context.f, context.path);
    *state = &context;
    return 0;
}

int store_teardown(void **state)
{
    struct context *c = *state;
    store_close(c->s);
    faulty_remove();
    *state = c->folder;
    return scratch_teardown(state);
}

void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}
