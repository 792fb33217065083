/* What trials will take: how many images there are, and when all workers are done. */
#include <math.h>
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
#include "sweep/forecast.h"

static char folder[] = "/tmp/firesweep-forecast-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void write_bytes(const char *path, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        fputc(0, f);
    assert_int_equal(fclose(f), 0);
}

static void assert_counts(const struct data_source *source, double train, double val, double test)
{
    const struct image_counts n = image_counts_of(source);
    assert_true(n.train == train && n.val == val && n.test == test);
}

static void test_idx_files_are_counted(void **state)
{
    (void)state;
    struct data_source s = {.format = DATA_IDX, .path = "idx", .val = 10};
    assert_counts(&s, -1, 10, 0); /* nothing there yet */
    s.train_limit = 20;
    assert_counts(&s, 20, 10, 0);
    s.train_limit = 0;
    s.train_images = 90; /* what the spec knows counts until there are files */
    s.test_images = 40;
    assert_counts(&s, 80, 10, 40);
    assert_int_equal(mkdir("idx", 0777), 0);
    write_bytes("idx/train-labels-idx1-ubyte", 8 + 60);
    FILE *f = fopen("idx/t10k-labels-idx1-ubyte.gz", "wb"); /* its end tells the size: 8 + 300 */
    assert_non_null(f);
    fwrite("\x1f\x8bsome packed bytes\x34\x01\0\0", 1, 23, f);
    assert_int_equal(fclose(f), 0);
    assert_counts(&s, 50, 10, 300);
    s.train_limit = 30;
    s.test_limit = 100;
    assert_counts(&s, 30, 10, 100);
    s.train_limit = 55; /* more than there are */
    assert_counts(&s, 50, 10, 100);
}

static void test_cifar_files_are_counted(void **state)
{
    (void)state;
    struct data_source s = {.format = DATA_CIFAR10, .path = "cifar", .val = 5000};
    assert_counts(&s, 45000, 5000, 10000); /* a complete set is expected */
    s.format = DATA_CIFAR100;
    s.val = 1;
    assert_int_equal(mkdir("cifar", 0777), 0);
    write_bytes("cifar/train.bin", 3 * 3074);
    write_bytes("cifar/test.bin", 3074);
    assert_counts(&s, 2, 1, 1);
}

static void test_image_folders_are_counted(void **state)
{
    (void)state;
    static const char *const folders[] = {"img",         "img/train", "img/train/a",
                                          "img/train/b", "img/val",   "img/val/a"};
    const struct data_source s = {.format = DATA_IMAGE_FOLDER, .path = "img"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(folders[i], 0777), 0);
    write_bytes("img/train/a/1.jpg", 1);
    write_bytes("img/train/a/2.JPEG", 1);
    write_bytes("img/train/a/.3.png", 1);
    write_bytes("img/train/a/notes.txt", 1);
    write_bytes("img/train/a/.png", 1);
    write_bytes("img/train/b/4.png", 1);
    write_bytes("img/train/5.png", 1); /* of no class */
    write_bytes("img/val/a/6.png", 1);
    assert_counts(&s, 3, 0, 1);
}

static void test_workers_share_the_trials(void **state)
{
    (void)state;
    double one[] = {1, 2, 3}, two[] = {1, 2, 3, 4}, none[] = {0};
    assert_true(fabs(forecast_wall_s(one, 3, 1) - 6) < 1e-9);
    assert_true(fabs(forecast_wall_s(two, 4, 2) - 5) < 1e-9);
    assert_true(two[0] == 4 && two[3] == 1);
    assert_true(forecast_wall_s(none, 0, 2) == 0);
}

static const char spec_text[] = "version: 1\n"
                                "name: few\n"
                                "data: {format: cifar10, path: cifar}\n"
                                "base: {preset: small32, base_e: 16, incr_e: 16}\n"
                                "sweep:\n"
                                "  - {id: sr, grid: {SR: [0.25, 0.5, 1.0]}}\n"
                                "  - {id: huge, set: {conv1_kernel: 15, conv1_pad: 7}}\n"
                                "seeds: [1, 2]\n"
                                "train: {epochs: 3}\n";

/* Half of the first trial is left, all of the fifth, and one that the engine does not run. */
static void check_pack(const struct forecast *f, const struct space *space, const struct speed *speed,
                       const struct image_counts *images)
{
    struct forecast_job jobs[] = {
        {.trial = 0, .left = 0.5}, {.trial = 7, .left = 1}, {.trial = 4, .left = 1}};
    const double sum = 0.5 * forecast_trial_s(f, space, speed, 0, 1, images) +
                       forecast_trial_s(f, space, speed, 4, 1, images);
    struct packing_request r = {.cores = 4, .workers = 1, .threads = 1, .useful_threads = 8};
    struct packing p;
    struct err e = ERR_INIT;
    double wall_s = -1;
    assert_int_equal(forecast_pack(f, space, speed, images, &r, jobs, 3, &p, &wall_s, &e), ST_OK);
    assert_int_equal(p.workers, 1);
    assert_true(fabs(wall_s - sum) < 1e-9 * sum);
    assert_int_equal(r.pending, 3);
    assert_true(r.worker_bytes == forecast_memory(f, 4, 1, 1000));
    assert_true(jobs[0].trial == 4 && jobs[1].trial == 0 && jobs[2].trial == 7);
    /* Without predictions. */
    r.workers = r.threads = 0;
    assert_int_equal(forecast_pack(f, space, NULL, images, &r, jobs, 3, &p, &wall_s, &e), ST_OK);
    assert_int_equal(p.workers, 3);
    assert_true(wall_s == 0);
    mem_fail_after(1);
    assert_int_equal(forecast_pack(f, space, speed, images, &r, jobs, 3, &p, &wall_s, &e), ST_NOMEM);
    mem_fail_after(0);
}

/* Of eight trials the last two are of a network that the engine does not run. */
static void test_trials_of_a_space(void **state)
{
    (void)state;
    struct spec spec;
    struct space space;
    struct forecast f;
    struct speed speed;
    struct err e = ERR_INIT;
    const struct image_counts images = {1000, 100, 200}, unknown = {-1, 0, 0};
    for (int k = 0; k < WORK_COUNT; k++)
        speed.train[k] = speed.infer[k] = 1e-11;
    if (spec_parse(spec_text, strlen(spec_text), "few.yaml", &spec, &e) != ST_OK ||
        space_build(&spec, &space, &e) != ST_OK || forecast_init(&f, &space, NULL, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(space.trial_count, 8);
    assert_int_equal(f.work_count, 3);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(f.work_of[i], i / 2);
        const double s = forecast_trial_s(&f, &space, &speed, i, 1, &images);
        assert_true(s > 0 && s > forecast_trial_s(&f, &space, &speed, i, 2, &images));
        assert_true(i < 2 || s > forecast_trial_s(&f, &space, &speed, i - 2, 1, &images));
        assert_true(forecast_trial_s(&f, &space, &speed, i, 1, &unknown) == 0);
        assert_true(forecast_memory(&f, i, 1, 1000) > 1e6);
    }
    assert_true(forecast_trial_s(&f, &space, &speed, 6, 1, &images) == 0);
    check_pack(&f, &space, &speed, &images);
    assert_true(forecast_memory(&f, 7, 1, 1000) == 0);
    forecast_release(&f);
    mem_fail_after(1);
    assert_int_equal(forecast_init(&f, &space, NULL, &e), ST_NOMEM);
    mem_fail_after(0);
    forecast_release(&f);

    /* The second seed of the second point, and what cannot be run. */
    const bool wanted[8] = {[3] = true, [6] = true};
    assert_int_equal(forecast_init(&f, &space, wanted, &e), ST_OK);
    assert_int_equal(f.work_count, 1);
    for (int i = 0; i < 8; i++)
        assert_int_equal(f.work_of[i], i == 3 ? 0 : -1);
    forecast_release(&f);
    space_release(&space);
    spec_release(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx_files_are_counted),     cmocka_unit_test(test_cifar_files_are_counted),
        cmocka_unit_test(test_image_folders_are_counted), cmocka_unit_test(test_workers_share_the_trials),
        cmocka_unit_test(test_trials_of_a_space),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
