/* What store_sync records, read back through plain SQL. */
#include "store_fixture.h"

static void sync_again(struct context *c)
{
    struct err e = ERR_INIT;
    assert_ok(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, c->f.ids, &e));
}

static void test_file(void **state)
{
    struct context *c = *state;
    assert_int_equal(plain_int(c->path, "SELECT application_id FROM pragma_application_id"), 0x66737770);
    assert_int_equal(plain_int(c->path, "SELECT user_version FROM pragma_user_version"),
                     STORE_SCHEMA_VERSION);
    assert_string_equal(plain_text(c->path, "PRAGMA journal_mode"), "wal");
    assert_string_equal(plain_text(c->path, "PRAGMA integrity_check"), "ok");
    assert_int_equal(plain_int(c->path,
                               "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND name NOT"
                               " LIKE 'sqlite_%' AND NOT strict"),
                     0);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM pragma_table_list WHERE strict"), 14);
    assert_string_equal(store_path(c->s), c->path);
}

/* Columns named in the table under "### `name`" in docs/schema.md, each followed by a blank. */
static void documented_columns(const char *docs, const char *name, char *out, size_t n)
{
    char heading[96];
    size_t length = 0;
    snprintf(heading, sizeof heading, "\n### `%s`", name);
    const char *line = strstr(docs, heading);
    if (!line) {
        fail_msg("docs/schema.md has no section %s", heading + 1);
        return;
    }
    out[0] = '\0';
    for (line = strchr(line + 1, '\n'); line && strncmp(line, "\n#", 2) != 0; line = strchr(line + 1, '\n')) {
        if (strncmp(line, "\n| `", 4) == 0 && length < n) {
            length +=
                (size_t)snprintf(out + length, n - length, "%.*s ", (int)strcspn(line + 4, "`"), line + 4);
        }
    }
}

static void test_schema_is_documented(void **state)
{
    struct context *c = *state;
    size_t n = 0;
    char *docs = slurp("docs/schema.md", &n);
    docs[n] = '\0';
    int64_t objects =
        plain_int(c->path, "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view')");
    assert_int_equal(objects, 20);
    for (int64_t i = 0; i < objects; i++) {
        char name[64], sql[256], expected[2048];
        snprintf(
            name, sizeof name, "%s",
            plain_text(c->path,
                       with("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name"
                            " LIMIT 1 OFFSET %lld",
                            i)));
        snprintf(sql, sizeof sql, "SELECT group_concat(name, ' ') || ' ' FROM pragma_table_info('%s')", name);
        documented_columns(docs, name, expected, sizeof expected);
        assert_string_equal(plain_text(c->path, sql), expected);
    }
    free(docs);
}

static void test_sync_sweep(void **state)
{
    struct context *c = *state;
    assert_string_equal(
        plain_text(c->path, "SELECT name || '|' || spec_path || '|' || spec_text || '|' || data_format ||"
                            " '|' || data_path || '|' || data_fingerprint FROM sweep"),
        "demo|specs/demo.yaml|version: 1\nname: demo\n|cifar10|data/cifar10|0123456789abcdef");
    assert_string_equal(
        plain_text(c->path, "SELECT printf('%d %d %d %d %d %d %d %d', image_c, image_h, image_w, classes,"
                            " train_images, val_images, test_images, skipped_images) FROM sweep"),
        "3 32 32 10 900 100 200 3");
    assert_int_equal(plain_int(c->path,
                               "SELECT created_utc GLOB '20*-*-*T*:*:*Z' AND updated_utc = created_utc"
                               " AND tool_version GLOB '[0-9]*.*' FROM sweep"),
                     1);
    assert_string_equal(plain_text(c->path, "SELECT group_concat(name || position) FROM block"), "sr0,pct1");
}

/* Three architectures, each with its eight Fires, though six trials and eight memberships name them. */
static void test_sync_variants(void **state)
{
    struct context *c = *state;
    const struct trial *t = &c->f.trials[0];
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM variant"), 3);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM fire"), 24);
    assert_string_equal(plain_text(c->path, "SELECT arch_hash FROM variant WHERE sr = 0.125"), t->arch_hash);
    assert_int_equal(plain_int(c->path, "SELECT params FROM variant WHERE sr = 0.125"), t->cost.params);
    assert_int_equal(plain_int(c->path, "SELECT model_bytes FROM variant WHERE sr = 0.125"),
                     4 * t->cost.params);
    assert_int_equal(plain_int(c->path, "SELECT model_bytes_8bit FROM variant WHERE sr = 0.125"),
                     t->cost.params);
    assert_int_equal(plain_int(c->path, "SELECT model_bytes_6bit FROM variant WHERE sr = 0.125"),
                     (t->cost.params * 6 + 7) / 8);
    assert_int_equal(plain_int(c->path, "SELECT macs FROM variant WHERE sr = 0.125"), t->cost.macs);
    assert_int_equal(plain_int(c->path, "SELECT activation_bytes FROM variant WHERE sr = 0.125"),
                     t->cost.activation_bytes);
    assert_int_equal(plain_int(c->path, "SELECT train_activation_bytes FROM variant WHERE sr = 0.125"),
                     t->cost.train_activation_bytes);
    assert_string_equal(
        plain_text(
            c->path,
            "SELECT printf('%d %d %d %d  %d %d %d %d  %s %d %s %d %d  %d %d %d %g', input_c, input_h,"
            " input_w, classes, conv1_filters, conv1_kernel, conv1_stride, conv1_pad, pools, pool_floor,"
            " bypass, conv10_relu, conv10_pad, base_e, incr_e, freq, pct3x3) FROM variant WHERE"
            " sr = 0.125"),
        "3 32 32 10  96 3 1 1  conv1,fire4,fire8 0 none 0 0  128 128 2 0.5");
    /* e = 128, 128, 256, 256, 384, 384, 512, 512: SqueezeNet's own numbers. */
    assert_string_equal(
        plain_text(c->path, "SELECT group_concat(fire || ':' || s1x1 || '/' || e1x1 || '/' || e3x3, ' ')"
                            " FROM fire JOIN variant v ON v.id = variant_id WHERE sr = 0.125"),
        "2:16/64/64 3:16/64/64 4:32/128/128 5:32/128/128 6:48/192/192 7:48/192/192 8:64/256/256"
        " 9:64/256/256");
    /* fire2 at 96 inputs: 96*16+16 + 16*64+64 + 16*64*9+64 */
    assert_int_equal(plain_int(c->path,
                               "SELECT f.params FROM fire f JOIN variant v ON v.id = f.variant_id WHERE"
                               " sr = 0.125 AND fire = 2"),
                     11920);
    assert_near(plain_real(c->path, "SELECT realised_sr FROM variant WHERE sr = 0.125"), 0.125, 0);
    assert_near(plain_real(c->path, "SELECT realised_pct3x3 FROM variant WHERE pct3x3 = 0.99"),
                c->f.trials[4].derived.realised_pct3x3, 0);
}

static void test_sync_explicit_fires(void **state)
{
    struct context *c = *state;
    struct trial *t = &c->f.trials[5];
    t->point.design.explicit_fires = true;
    for (int i = 0; i < FIRE_COUNT; i++)
        t->point.design.fires[i] = (struct fire){.s1x1 = 3 + i, .e1x1 = 20 - i, .e3x3 = 1 + 2 * i};
    t->point.design.macro.pool_floor = t->point.design.macro.conv10_relu = true;
    c->f.trials[4].point.design.macro.conv10_pad = 1;
    fixture_realise(&c->f.trials[4]);
    t->point.design.macro.pools = 0;
    t->point.design.macro.bypass = BYPASS_COMPLEX;
    fixture_realise(t);
    t->derived.clamped[6] = true;
    sync_again(c);
    assert_int_equal(plain_int(c->path,
                               "SELECT count(*) FROM variant WHERE base_e IS NULL AND incr_e IS NULL AND freq"
                               " IS NULL AND sr IS NULL AND pct3x3 IS NULL"),
                     1);
    const char *macro =
        "SELECT pool_floor || conv10_relu || conv10_pad || pools || bypass FROM variant v JOIN trial t"
        " ON t.variant_id = v.id WHERE t.id = %lld";
    assert_string_equal(plain_text(c->path, with(macro, c->f.ids[5])), "110nonecomplex");
    assert_string_equal(plain_text(c->path, with(macro, c->f.ids[4])), "001conv1,fire4,fire8none");
    assert_string_equal(
        plain_text(c->path, "SELECT group_concat(fire || ':' || s1x1 || '/' || e1x1 || '/' || e3x3 || '/'"
                            " || s1x1_clamped, ' ') FROM fire JOIN variant v ON v.id = variant_id"
                            " WHERE sr IS NULL"),
        "2:3/20/1/0 3:4/19/3/0 4:5/18/5/0 5:6/17/7/0 6:7/16/9/0 7:8/15/11/0 8:9/14/13/1 9:10/13/15/0");
}

static void test_sync_recipe(void **state)
{
    struct context *c = *state;
    struct recipe *r = &c->f.trials[5].point.recipe;
    *r = (struct recipe){.epochs = 3,
                         .batch = 77,
                         .accumulate = 2,
                         .optimizer = OPTIMIZER_ADAMW,
                         .momentum = 0.1,
                         .nesterov = true,
                         .beta1 = 0.2,
                         .beta2 = 0.3,
                         .epsilon = 0.4,
                         .lr = 0.5,
                         .schedule = SCHEDULE_COSINE,
                         .warmup = 0.6,
                         .weight_decay = 0.7,
                         .decay_biases = true,
                         .clip = 0.8,
                         .smoothing = 0.9,
                         .dropout = 0.11,
                         .init = INIT_XAVIER,
                         .flip = true,
                         .crop_pad = 4,
                         .crop_zero = true,
                         .lanes = 16,
                         .winograd = true};
    fixture_realise(&c->f.trials[5]);
    sync_again(c);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM recipe"), 2);
    assert_string_equal(
        plain_text(
            c->path,
            "SELECT printf('%d %d %d %s %g %d %g %g %g %g %s %g %g %d %g %g %g %s %d %d %d %d %d', epochs, "
            "batch,"
            " accumulate, optimizer, momentum, nesterov, beta1, beta2, epsilon, lr, schedule, warmup, "
            "weight_decay,"
            " decay_biases, clip, smoothing, dropout, init, flip, crop_pad, crop_zero, lanes, winograd) FROM "
            "recipe"
            " WHERE batch = 77"),
        "3 77 2 adamw 0.1 1 0.2 0.3 0.4 0.5 cosine 0.6 0.7 1 0.8 0.9 0.11 xavier 1 4 1 16 1");
    assert_string_equal(plain_text(c->path, "SELECT numerics FROM recipe WHERE batch = 77"),
                        engine_numerics());
    assert_string_equal(plain_text(c->path, "SELECT recipe_hash FROM recipe WHERE batch = 77"),
                        c->f.trials[5].recipe_hash);
}

static void test_sync_trials(void **state)
{
    struct context *c = *state;
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
    assert_int_equal(
        plain_int(c->path, "SELECT count(*) FROM trial WHERE state = 'pending' AND skip_reason IS NULL AND"
                           " data_fingerprint = '0123456789abcdef' AND epochs_done = 0"),
        FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial WHERE in_spec"), FIXTURE_MEMBERS);
    for (int i = 0; i < FIXTURE_TRIALS; i++) {
        assert_int_equal(plain_int(c->path, with("SELECT seed FROM trial WHERE id = %lld", c->f.ids[i])),
                         1 + i % 2);
        assert_int_equal(
            plain_int(c->path, with("SELECT count(*) FROM block_trial WHERE trial_id = %lld", c->f.ids[i])),
            i == 2 || i == 3 ? 2 : 1);
        assert_string_equal(
            plain_text(c->path, with("SELECT arch_hash FROM variant v JOIN trial t ON t.variant_id = v.id"
                                     " WHERE t.id = %lld",
                                     c->f.ids[i])),
            c->f.trials[i].arch_hash);
    }
    assert_string_equal(
        plain_text(c->path, with("SELECT group_concat(b.name || m.position || m.axes, ' ') FROM"
                                 " block_trial m JOIN block b ON b.id = m.block_id WHERE trial_id = %lld",
                                 c->f.ids[3])),
        "sr3{\"SR\":0.5} pct1{\"pct3x3\":0.5}");
}

/* Two axis values that round to the same layers: one trial, two points of one block. */
static void test_sync_two_points_one_trial(void **state)
{
    struct context *c = *state;
    struct design other = c->f.trials[0].point.design;
    other.meta.sr = 0.1251;
    c->f.members[1] = (struct membership){
        .block = 0, .trial = 0, .position = 1, .axes = "{\"SR\":0.1251}", .design = &other};
    sync_again(c);
    assert_int_equal(
        plain_int(c->path,
                  with("SELECT count(*) FROM block_trial WHERE in_spec AND trial_id = %lld", c->f.ids[0])),
        2);
    assert_near(plain_real(c->path, "SELECT max(sr) FROM curve WHERE block = 'sr' AND position < 2"), 0.1251,
                0);
    assert_near(plain_real(c->path, "SELECT max(sr) FROM variant WHERE id = 1"), 0.125, 0);
}

static void test_sync_is_idempotent(void **state)
{
    struct context *c = *state;
    int64_t ids[FIXTURE_TRIALS];
    memcpy(ids, c->f.ids, sizeof ids);
    fixture_finish(c->s, ids[2], 0.5, 0.6);
    char *before = plain_dump(c->path);
    memset(c->f.ids, 0, sizeof c->f.ids);
    sync_again(c);
    char *after = plain_dump(c->path);
    assert_string_equal(after, before);
    assert_memory_equal(c->f.ids, ids, sizeof ids);
    free(before);
    free(after);
}

static void test_sync_edited_spec(void **state)
{
    struct context *c = *state;
    int64_t dropped = c->f.ids[4], kept = c->f.ids[2];
    fixture_finish(c->s, dropped, 0.5, 0.6);
    plain_exec(c->path,
               "UPDATE sweep SET created_utc = '2001-01-01T00:00:00Z', updated_utc = '2001-01-01T00:00:00Z'");
    c->f.spec.text = "version: 1\nname: demo\n# shorter\n";
    c->f.space.trial_count = 4;      /* without pct3x3 0.99 */
    c->f.space.membership_count = 6; /* "pct" keeps pct3x3 0.5 */
    c->f.members[0].position = 9;
    sync_again(c);
    assert_string_equal(plain_text(c->path, "SELECT spec_text FROM sweep"), c->f.spec.text);
    assert_string_equal(plain_text(c->path, "SELECT created_utc FROM sweep"), "2001-01-01T00:00:00Z");
    assert_int_equal(plain_int(c->path, "SELECT updated_utc > '2002' FROM sweep"), 1);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial WHERE NOT in_spec"), 2);
    assert_int_equal(
        plain_int(c->path, with("SELECT in_spec FROM block_trial WHERE trial_id = %lld", dropped)), 0);
    assert_string_equal(plain_text(c->path, with("SELECT state FROM trial WHERE id = %lld", dropped)),
                        "done");
    assert_int_equal(
        plain_int(c->path, with("SELECT sum(in_spec) FROM block_trial WHERE trial_id = %lld", kept)), 2);
    assert_int_equal(
        plain_int(c->path, with("SELECT position FROM block_trial WHERE trial_id = %lld", c->f.ids[0])), 9);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM curve"), 3);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM leaderboard"), 0);
    /* And back: the result is still there. */
    c->f.space.trial_count = FIXTURE_TRIALS;
    c->f.space.membership_count = FIXTURE_MEMBERS;
    sync_again(c);
    assert_int_equal(c->f.ids[4], dropped);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial WHERE in_spec"), FIXTURE_MEMBERS);
    assert_near(plain_real(c->path, "SELECT test_top1 FROM leaderboard"), 0.6, 0);
}

static void test_sync_renamed_block(void **state)
{
    struct context *c = *state;
    c->f.blocks[0].id = "ratio";
    sync_again(c);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block"), 3);
    assert_string_equal(plain_text(c->path, "SELECT group_concat(DISTINCT block) FROM curve"), "ratio,pct");
}

static void test_sync_other_data(void **state)
{
    struct context *c = *state;
    int64_t first = c->f.ids[0];
    fixture_finish(c->s, first, 0.5, 0.6);
    c->f.data.fingerprint++;
    sync_again(c);
    assert_int_not_equal(c->f.ids[0], first);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM trial"), 2 * FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM variant"), 3);
    assert_int_equal(plain_int(c->path, "SELECT sum(trials) FROM curve"), FIXTURE_MEMBERS);
    assert_int_equal(plain_int(c->path, "SELECT sum(n) FROM curve"), 0);
}

static void test_sync_second_sweep(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t counts[TRIAL_STATE_COUNT];
    c->f.spec.name = "other";
    c->f.space.trial_count = 4;
    c->f.space.membership_count = 4;
    sync_again(c);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM sweep"), 2);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM trial"), FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial WHERE in_spec"),
                     FIXTURE_MEMBERS + 4);
    fixture_finish(c->s, c->f.ids[3], 0.5, 0.6);
    assert_ok(store_counts(c->s, "other", counts, &e));
    assert_int_equal(counts[TRIAL_PENDING], 3);
    assert_int_equal(counts[TRIAL_DONE], 1);
    assert_ok(store_counts(c->s, "demo", counts, &e));
    assert_int_equal(counts[TRIAL_PENDING], 5);
    assert_int_equal(counts[TRIAL_DONE], 1);
    assert_ok(store_counts(c->s, NULL, counts, &e));
    assert_int_equal(counts[TRIAL_PENDING], 5);
    assert_int_equal(store_counts(c->s, "third", counts, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "no sweep 'third'; there are: 'demo', 'other'"));
    assert_string_equal(plain_text(c->path, "SELECT group_concat(sweep || rank) FROM leaderboard"),
                        "demo1,other1");
}

static void test_sync_constraint(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[1], 0.5, 0.6);
    c->f.trials[0].skip_reason = c->f.trials[1].skip_reason = "macs <= 1M";
    c->f.members[0].skip_reason = c->f.members[1].skip_reason = "macs <= 1M";
    sync_again(c);
    assert_string_equal(
        plain_text(c->path,
                   with("SELECT state || ' ' || skip_reason FROM trial WHERE id = %lld", c->f.ids[0])),
        "skipped macs <= 1M");
    /* What is trained stays, and stands in no curve. */
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial WHERE in_spec"),
                     FIXTURE_MEMBERS - 1);
    assert_string_equal(plain_text(c->path, with("SELECT state FROM trial WHERE id = %lld", c->f.ids[1])),
                        "done");
    c->f.trials[0].skip_reason = "macs <= 2M";
    sync_again(c);
    assert_string_equal(
        plain_text(c->path, with("SELECT skip_reason FROM trial WHERE id = %lld", c->f.ids[0])),
        "macs <= 2M");
    c->f.trials[0].skip_reason = c->f.trials[1].skip_reason = NULL;
    c->f.members[0].skip_reason = c->f.members[1].skip_reason = NULL;
    sync_again(c);
    assert_int_equal(
        plain_int(c->path, with("SELECT state = 'pending' AND skip_reason IS NULL FROM trial WHERE id ="
                                " %lld",
                                c->f.ids[0])),
        1);
}

static void test_sync_all_or_nothing(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    char *before = plain_dump(c->path);
    c->f.data.fingerprint++;
    c->f.members[FIXTURE_MEMBERS - 1].axes = "{not JSON";
    assert_int_equal(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, c->f.ids, &e), ST_FAILED);
    assert_non_null(strstr(e.text, c->path));
    char *after = plain_dump(c->path);
    assert_string_equal(after, before);
    free(before);
    free(after);
    c->f.members[FIXTURE_MEMBERS - 1].axes = "{}";
    c->f.trials[5].seed = UINT64_MAX;
    assert_int_equal(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, c->f.ids, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "18446744073709551615"));
    c->f.trials[5].seed = INT64_MAX;
    sync_again(c);
    assert_true(plain_int(c->path, with("SELECT seed FROM trial WHERE id = %lld", c->f.ids[5])) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_file),
        store_test(test_schema_is_documented),
        store_test(test_sync_sweep),
        store_test(test_sync_variants),
        store_test(test_sync_explicit_fires),
        store_test(test_sync_recipe),
        store_test(test_sync_trials),
        store_test(test_sync_two_points_one_trial),
        store_test(test_sync_is_idempotent),
        store_test(test_sync_edited_spec),
        store_test(test_sync_renamed_block),
        store_test(test_sync_other_data),
        store_test(test_sync_second_sweep),
        store_test(test_sync_constraint),
        store_test(test_sync_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
