/* store_recorded says yes only where store_sync would write nothing; and the check for damage beside other
 * work. */
#include "store_fixture.h"
#include "sweep/store_internal.h"

static bool recorded(struct context *c, int64_t *ids)
{
    struct err e = ERR_INIT;
    int64_t blocks[2];
    char fingerprint[HASH_TEXT];
    bool same = false;
    for (int i = 0; i < 2; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "SELECT coalesce(max(id), 0) FROM block WHERE name = '%s'",
                 c->f.blocks[i].id);
        blocks[i] = plain_int(c->path, sql);
    }
    hash_text(c->f.data.fingerprint, fingerprint);
    const struct recorded_sweep sweep = {plain_int(c->path, "SELECT id FROM sweep"), blocks, fingerprint};
    assert_ok(store_recorded(c->s, &sweep, &c->f.space, ids, &same, &e));
    return same;
}

static void test_what_was_recorded_is_found(void **state)
{
    struct context *c = *state;
    int64_t ids[FIXTURE_TRIALS];
    fixture_finish(c->s, c->f.ids[2], 0.5, 0.6);
    assert_true(recorded(c, ids));
    assert_memory_equal(ids, c->f.ids, sizeof ids);
    /* Then recording again writes nothing at all. */
    struct err e = ERR_INIT;
    const int before = sqlite3_total_changes(c->s->db);
    assert_ok(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, ids, &e));
    assert_true(sqlite3_total_changes(c->s->db) - before <= c->f.spec.block_count);
    assert_memory_equal(ids, c->f.ids, sizeof ids);
}

/* The ways in which a spec, the program or the data may differ from what the database says. */
static void other_seed(struct fixture *f)
{
    f->trials[1].seed = 7;
}
static void other_architecture(struct fixture *f)
{
    f->trials[5].arch_hash[0] ^= 1;
}
static void other_recipe(struct fixture *f)
{
    f->trials[0].recipe_hash[3] ^= 1;
}
static void other_data(struct fixture *f)
{
    f->data.fingerprint++;
}
static void other_axes(struct fixture *f)
{
    f->members[0].axes = "{\"SR\":0.126}";
}
static void other_position(struct fixture *f)
{
    f->members[7].position = 9;
}
static void negative_position(struct fixture *f)
{
    f->members[0].position = -1;
}
static void one_less(struct fixture *f)
{
    f->space.membership_count--;
}
static void renamed_block(struct fixture *f)
{
    f->blocks[1].id = "ratio";
}
static void condition(struct fixture *f)
{
    f->trials[3].skip_reason = "macs <= 1M";
}
static void none_left(struct fixture *f)
{
    f->space.membership_count = 0;
}
static void search(struct fixture *f)
{
    f->space.named_count = 2;
}
static void other_request(struct fixture *f)
{
    static struct design design;
    design = *f->members[4].design;
    design.meta.sr = 0.501;
    f->members[4].design = &design;
}
static void fires_in_place(struct fixture *f)
{
    static struct design design;
    design = *f->members[4].design;
    design.explicit_fires = true;
    f->members[4].design = &design;
}
static void swapped(struct fixture *f)
{
    f->members[0].trial = 1;
    f->members[1].trial = 0;
}

static void test_another_space_is_not(void **state)
{
    static void (*const changes[])(struct fixture *) = {
        other_seed,        other_architecture, other_recipe,  other_data, other_axes, other_position,
        negative_position, one_less,           renamed_block, condition,  none_left,  search,
        other_request,     fires_in_place,     swapped};
    struct context *c = *state;
    const struct fixture kept = c->f;
    int64_t ids[FIXTURE_TRIALS];
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        changes[i](&c->f);
        if (recorded(c, ids))
            fail_msg("change %zu was not noticed", i);
        c->f = kept;
        assert_true(recorded(c, ids));
    }
}

static void test_another_database_is_not(void **state)
{
    static const char *const changes[][2] = {
        {"UPDATE block_trial SET in_spec = 0 WHERE position = 2", "UPDATE block_trial SET in_spec = 1"},
        {"UPDATE trial SET state = 'skipped' WHERE id = 1", "UPDATE trial SET state = 'done' WHERE id = 1"},
        {"UPDATE trial SET state = 'pruned' WHERE id = 2", "UPDATE trial SET state = 'pending' WHERE id = 2"},
        {"INSERT INTO rung SELECT id, 1, 1, 1, 1, NULL, NULL, 1 FROM sweep", "UPDATE rung SET in_spec = 0"},
        {"INSERT INTO block_trial SELECT block_id, trial_id, '{}', 0, 1 FROM block_trial LIMIT 1",
         "DELETE FROM block_trial WHERE axes = '{}'"},
    };
    struct context *c = *state;
    int64_t ids[FIXTURE_TRIALS];
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        plain_exec(c->path, changes[i][0]);
        if (recorded(c, ids))
            fail_msg("not noticed: %s", changes[i][0]);
        plain_exec(c->path, changes[i][1]);
        assert_true(recorded(c, ids));
    }
}

/* A trial that a condition excludes: skipped for that reason, or trained before, and then no part of the
 * spec. */
static void test_excluded(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t ids[FIXTURE_TRIALS];
    c->f.trials[0].skip_reason = c->f.members[0].skip_reason = "macs <= 1M";
    assert_false(recorded(c, ids));
    assert_ok(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, ids, &e));
    assert_true(recorded(c, ids));
    c->f.trials[0].skip_reason = "macs <= 2M";
    assert_false(recorded(c, ids));
    plain_exec(c->path, with("UPDATE trial SET state = 'done' WHERE id = %lld", c->f.ids[0]));
    assert_false(recorded(c, ids));
    plain_exec(c->path, with("UPDATE trial SET state = 'pruned' WHERE id = %lld", c->f.ids[0]));
    assert_false(recorded(c, ids));
}

/* A point that a condition excludes while another one with its layers is trained. */
static void test_excluded_point(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t ids[FIXTURE_TRIALS];
    c->f.members[4].skip_reason = "exclude: pct3x3 = 0.5";
    assert_false(recorded(c, ids));
    assert_ok(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, ids, &e));
    assert_true(recorded(c, ids));
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial WHERE in_spec"),
                     FIXTURE_MEMBERS - 1);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM trial WHERE state = 'skipped'"), 0);
    c->f.members[4].skip_reason = NULL;
    assert_false(recorded(c, ids));
}

static void test_check_beside_other_work(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    assert_true(store_check_end(store_check_begin(c->path)));
    assert_false(store_check_end(store_check_begin("/nowhere/none.db")));
    assert_false(store_check_end(NULL));
    store_close(c->s);
    c->s = NULL;
    /* A page of the database is overwritten: not sound, and who opens it says so. */
    FILE *f = fopen(c->path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 4096 * 3 + 8, SEEK_SET), 0);
    for (int i = 0; i < 2000; i++)
        fputc(0xa5, f);
    assert_int_equal(fclose(f), 0);
    const bool sound = store_check_end(store_check_begin(c->path));
    assert_false(sound);
    assert_int_equal(store_open_checked(c->path, sound, &c->s, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_what_was_recorded_is_found),
        store_test(test_another_space_is_not),
        store_test(test_another_database_is_not),
        store_test(test_excluded),
        store_test(test_excluded_point),
        store_test(test_check_beside_other_work),
    };
    return cmocka_run_group_tests_name("store_recorded", tests, NULL, NULL);
}
