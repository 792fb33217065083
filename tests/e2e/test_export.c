/* `firesweep export`: what is written works, in other programs too, and what cannot be exported is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"

enum { NOT_THERE = 77, NETWORKS = 4 };

static void train(void)
{
    spec_write("nets", "sweep:\n"
                       "  - id: kinds\n"
                       "    list:\n"
                       "      - {bypass: complex, conv10_pad: 1}\n"
                       "      - {pct3x3: 0, bypass: simple}\n"
                       "      - {pct3x3: 1, pools: 'conv1,fire2', pool_rounding: floor}\n"
                       "      - {freq: 3, lr: 0.02}\n"
                       "train: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("nets", "nets"), 0);
}

static long long file_size(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 ? (long long)s.st_size : -1;
}

static void test_safetensors(void **state)
{
    (void)state;
    train();
    struct json_object *answer = JSON("export", "nets.db", "1", "--safetensors", "--format", "json");
    assert_string_equal(json_text_at(answer, "file"), "trial-1.safetensors");
    assert_int_equal(json_int_at(answer, "bytes"), file_size("trial-1.safetensors"));
    assert_true(json_int_at(answer, "params") * 4 < file_size("trial-1.safetensors"));
    assert_true(json_int_at(answer, "params") * 4 + 16384 > file_size("trial-1.safetensors"));
    json_object_put(answer);
    struct json_object *rows =
        JSON("query", "nets.db", "--sql", "SELECT checkpoint, test_loss FROM trial WHERE id = 1", "--format",
             "json");
    const char *checkpoint = json_text_at(json_row(rows, 0), "checkpoint");
    struct json_object *eval = JSON("eval", "trial-1.safetensors", "--data", "data", "--format", "json");
    assert_true(json_double_at(eval, "loss") == json_double_at(json_row(rows, 0), "test_loss"));
    json_object_put(eval);
    EXPECT_ERROR(2, "the checkpoint itself", "export", checkpoint, "--safetensors", "-o", checkpoint);
    answer = JSON("export", checkpoint, "--onnx", "-o", "x.onnx", "--format", "json");
    assert_string_equal(json_text_at(answer, "pixels"), "0 to 1");
    assert_string_equal(json_text_at(answer, "input"), "1x12x12");
    json_object_put(answer);
    json_object_put(rows);
}

/* Status of the checking program. */
static int check(const char *model, const char *images, const char *predictions)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/usr/bin/python3", "python3", FIRESWEEP_ONNX_CHECK, model, images, predictions, (char *)NULL);
        _exit(NOT_THERE);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_onnx_in_another_reader(void **state)
{
    (void)state;
    for (int i = 1; i <= NETWORKS; i++) {
        char id[8], model[32], weights[32];
        snprintf(id, sizeof id, "%d", i);
        snprintf(model, sizeof model, "trial-%d.onnx", i);
        snprintf(weights, sizeof weights, "trial-%d.safetensors", i);
        struct outcome o = RUN("export", "nets.db", id, "--onnx");
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        o = RUN("export", "nets.db", id, "--safetensors");
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        o = RUN("eval", weights, "--data", "data", "--predictions", "p.csv", "--logits");
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        const int status = check(model, "data/t10k-images-idx3-ubyte", "p.csv");
        if (status == NOT_THERE) {
            print_message("no second reader of ONNX here (Debian: python3-onnx): not compared with one\n");
            skip();
        }
        assert_int_equal(status, 0);
    }
}

static void test_moved_database(void **state)
{
    (void)state;
    assert_int_equal(mkdir("moved", 0777), 0);
    assert_int_equal(rename("nets.db", "moved/nets.db"), 0);
    assert_int_equal(rename("nets.checkpoints", "moved/nets.checkpoints"), 0);
    struct outcome o = RUN("export", "moved/nets.db", "2", "--onnx", "-o", "moved/2.onnx");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "moved/2.onnx");
    outcome_release(&o);
    assert_int_equal(rename("moved/nets.checkpoints", "moved/gone"), 0);
    EXPECT_ERROR(1, "its checkpoint is gone", "export", "moved/nets.db", "2", "--onnx");
}

static void test_refusals(void **state)
{
    (void)state;
    spec_write("bad",
               "sweep: [{id: b, list: [{lr: 1000, weight_decay: 1}]}]\ntrain: {epochs: 2, batch: 16}\n");
    run("bad", "bad");
    EXPECT_ERROR(2, "is diverged: only the weights of done trials", "export", "bad.db", "1", "--onnx");
    EXPECT_ERROR(2, "99", "export", "bad.db", "99", "--onnx");
    EXPECT_ERROR(2, "no id of a trial", "export", "bad.db", "one", "--onnx");
    EXPECT_ERROR(2, "TRIAL is missing", "export", "bad.db", "--onnx");
    EXPECT_ERROR(2, "one of --onnx and --safetensors", "export", "bad.db", "1");
    EXPECT_ERROR(2, "one of --onnx and --safetensors", "export", "bad.db", "1", "--onnx", "--safetensors");
    EXPECT_ERROR(1, "absent.safetensors", "export", "absent.safetensors", "--onnx");
    EXPECT_ERROR(1, "absent.db", "export", "absent.db", "1", "--onnx");
    EXPECT_ERROR(1, "bad.yaml", "export", "bad.yaml", "--onnx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_onnx_in_another_reader),
        cmocka_unit_test(test_moved_database),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
