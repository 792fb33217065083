#include <sched.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "scratch.h"

/* Writes one file of an imitated /proc or /sys, with its folders. */
static void put(const char *root, const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(dir_create(path, NULL), ST_OK);
    *slash = '/';
    scratch_write(path, text);
}

/* Four cores of two threads, numbered as Linux does on most machines: thread n and n + 4 share a core. */
static void put_topology(const char *root, const char *file)
{
    for (int id = 0; id < 8; id++) {
        char name[128], text[16];
        snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%d/topology/%s", id, file);
        snprintf(text, sizeof text, "%d,%d\n", id % 4, id % 4 + 4);
        put(root, name, text);
    }
}

static struct cpu_set_list first_cpus(int n)
{
    struct cpu_set_list list = {.count = n};
    for (int i = 0; i < n; i++)
        list.id[i] = i;
    return list;
}

static void assert_ids(const struct cpu_set_list *list, const int *ids, int n)
{
    assert_int_equal(list->count, n);
    for (int i = 0; i < n; i++)
        assert_int_equal(list->id[i], ids[i]);
}

static void cores_come_before_siblings(void **state)
{
    static const char *const files[] = {"core_cpus_list", "thread_siblings_list"};
    for (int i = 0; i < 2; i++) {
        scratch_path root;
        scratch_name(root, state, files[i]);
        put_topology(root, files[i]);
        struct cpu_info info;
        struct cpu_set_list all = first_cpus(8);
        cpu_describe(root, &all, &info);
        assert_ids(&info.allowed, (int[]){0, 1, 2, 3, 4, 5, 6, 7}, 8);
        assert_int_equal(info.physical_cores, 4);

        struct cpu_set_list some = {.count = 5, .id = {7, 6, 2, 1, 5}}; /* cores 3, 2, 2, 1, 1 */
        cpu_describe(root, &some, &info);
        assert_ids(&info.allowed, (int[]){1, 2, 7, 5, 6}, 5);
        assert_int_equal(info.physical_cores, 3);
    }
}

static void neighbours_as_siblings(void **state)
{
    scratch_path root; /* 0 and 1 share a core, as on some machines */
    scratch_name(root, state, "neighbours");
    for (int id = 0; id < 4; id++) {
        char name[128], text[16];
        snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%d/topology/core_cpus_list", id);
        snprintf(text, sizeof text, "%d-%d\n", id & ~1, id | 1);
        put(root, name, text);
    }
    struct cpu_info info;
    struct cpu_set_list all = first_cpus(4);
    cpu_describe(root, &all, &info);
    assert_ids(&info.allowed, (int[]){0, 2, 1, 3}, 4);
    assert_int_equal(info.physical_cores, 2);
}

static void nothing_known_is_no_failure(void **state)
{
    scratch_path root;
    struct cpu_info info;
    struct cpu_set_list all = first_cpus(3);
    cpu_describe(scratch_name(root, state, "empty"), &all, &info);
    assert_string_equal(info.model, "unknown");
    assert_ids(&info.allowed, (int[]){0, 1, 2}, 3);
    assert_int_equal(info.physical_cores, 3);
    assert_int_equal(info.l1d_bytes, 0);
    assert_int_equal(info.l2_bytes, 0);
    assert_int_equal(info.l3_bytes, 0);
    assert_int_equal(info.memory_bytes, 0);
}

static void model_memory_and_caches(void **state)
{
    scratch_path root;
    scratch_name(root, state, "facts");
    put(root, "proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 17\nmodel name\t: Fast CPU @ 3 GHz\n");
    put(root, "proc/meminfo", "MemTotal:        2048 kB\nMemFree:   1 kB\n");
    static const char *const caches[][3] = {{"1", "Data", "48K"},
                                            {"1", "Instruction", "32K"},
                                            {"2", "Unified", "1280K"},
                                            {"3", "Unified", "32M"}};
    for (int i = 0; i < 4; i++) {
        static const char *const fields[] = {"level", "type", "size"};
        for (int k = 0; k < 3; k++) {
            char name[128], text[32];
            snprintf(name, sizeof name, "sys/devices/system/cpu/cpu2/cache/index%d/%s", i, fields[k]);
            snprintf(text, sizeof text, "%s\n", caches[i][k]);
            put(root, name, text);
        }
    }
    struct cpu_info info;
    struct cpu_set_list only = {.count = 1, .id = {2}};
    cpu_describe(root, &only, &info);
    assert_string_equal(info.model, "Fast CPU @ 3 GHz");
    assert_int_equal(info.memory_bytes, 2 << 20);
    assert_int_equal(info.l1d_bytes, 48 << 10);
    assert_int_equal(info.l2_bytes, 1280 << 10);
    assert_int_equal(info.l3_bytes, 32 << 20);
}

/* Allowed processors of eight under the limits in `root`. */
static int allowed_of_eight(const char *root, size_t *memory)
{
    struct cpu_info info;
    struct cpu_set_list all = first_cpus(8);
    put(root, "proc/meminfo", "MemTotal: 1000 kB\n");
    cpu_describe(root, &all, &info);
    *memory = info.memory_bytes;
    return info.allowed.count;
}

static void cgroup_version_2(void **state)
{
    scratch_path root;
    size_t memory;
    scratch_name(root, state, "v2");
    put(root, "proc/self/cgroup", "0::/user/job\n");
    put(root, "sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
    put(root, "sys/fs/cgroup/user/job/memory.max", "max\n");
    assert_int_equal(allowed_of_eight(root, &memory), 8);
    assert_int_equal(memory, 1000 << 10);
    put(root, "sys/fs/cgroup/user/job/cpu.max", "250000 100000\n"); /* two and a half: three */
    put(root, "sys/fs/cgroup/user/job/memory.max", "500000\n");
    assert_int_equal(allowed_of_eight(root, &memory), 3);
    assert_int_equal(memory, 500000);
    put(root, "sys/fs/cgroup/user/cpu.max", "100000 100000\n"); /* a parent can be tighter */
    put(root, "sys/fs/cgroup/user/memory.max", "400000\n");
    assert_int_equal(allowed_of_eight(root, &memory), 1);
    assert_int_equal(memory, 400000);
    put(root, "sys/fs/cgroup/user/cpu.max", "1000 100000\n"); /* never less than one */
    put(root, "sys/fs/cgroup/user/memory.max", "99999999999\n");
    put(root, "sys/fs/cgroup/user/job/memory.max", "max\n");
    assert_int_equal(allowed_of_eight(root, &memory), 1);
    assert_int_equal(memory, 1000 << 10); /* more than there is changes nothing */
}

static void cgroup_version_1(void **state)
{
    scratch_path root;
    size_t memory;
    scratch_name(root, state, "v1");
    put(root, "proc/self/cgroup",
        "9:cpuset:/\n4:memory:/box/1\n2:cpu,cpuacct:/box/1\n1:name=systemd:/\n0::/\n");
    put(root, "sys/fs/cgroup/cpu/box/1/cpu.cfs_quota_us", "-1\n");
    put(root, "sys/fs/cgroup/cpu/box/1/cpu.cfs_period_us", "100000\n");
    put(root, "sys/fs/cgroup/memory/box/1/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(allowed_of_eight(root, &memory), 8);
    assert_int_equal(memory, 1000 << 10);
    put(root, "sys/fs/cgroup/cpu/box/1/cpu.cfs_quota_us", "400000\n");
    put(root, "sys/fs/cgroup/memory/box/1/memory.limit_in_bytes", "123456\n");
    assert_int_equal(allowed_of_eight(root, &memory), 4);
    assert_int_equal(memory, 123456);
}

/* Seen from inside a container the path is the host's and does not exist; the limit lies at the top. */
static void cgroup_path_of_the_host(void **state)
{
    scratch_path root;
    size_t memory;
    scratch_name(root, state, "container");
    put(root, "proc/self/cgroup", "4:memory:/docker/abc\n2:cpu:/docker/abc\n");
    put(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
    put(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "777\n");
    assert_int_equal(allowed_of_eight(root, &memory), 2);
    assert_int_equal(memory, 777);
}

static void broken_limits_are_no_limits(void **state)
{
    scratch_path root;
    size_t memory;
    scratch_name(root, state, "broken");
    put(root, "proc/self/cgroup", "nonsense\n0:\n0::/a\n");
    put(root, "sys/fs/cgroup/a/cpu.max", "100000\n"); /* no period */
    put(root, "sys/fs/cgroup/a/memory.max", "lots\n");
    assert_int_equal(allowed_of_eight(root, &memory), 8);
    put(root, "sys/fs/cgroup/a/cpu.max", "100000 0\n");
    assert_int_equal(allowed_of_eight(root, &memory), 8);
    put(root, "sys/fs/cgroup/a/cpu.max", "0 100000\n"); /* one is the least */
    assert_int_equal(allowed_of_eight(root, &memory), 1);
    assert_int_equal(memory, 1000 << 10);
}

static void this_machine(void **state)
{
    (void)state;
    struct cpu_info info;
    cpu_detect(&info);
    assert_true(info.allowed.count >= 1);
    assert_true(info.physical_cores >= 1 && info.physical_cores <= info.allowed.count);
    assert_true(info.memory_bytes > 1 << 20);
    assert_true(info.model[0] != '\0');
}

static void pinning_restricts_what_is_detected(void **state)
{
    (void)state;
    cpu_set_t before, now;
    struct cpu_info info, pinned;
    struct err e = ERR_INIT;
    cpu_detect(&info);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    int last = info.allowed.id[info.allowed.count - 1];
    assert_int_equal(cpu_pin(&last, 1, &e), ST_OK);
    assert_int_equal(sched_getaffinity(0, sizeof now, &now), 0);
    assert_int_equal(CPU_COUNT(&now), 1);
    assert_true(CPU_ISSET((size_t)last, &now));
    cpu_detect(&pinned);
    assert_ids(&pinned.allowed, &last, 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

static void pinning_to_nowhere_fails(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    int negative = -1, absent = 60000;
    assert_int_equal(cpu_pin(&negative, 1, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "processor -1"));
    assert_int_equal(cpu_pin(&absent, 1, &e), ST_FAILED);
    assert_int_equal(cpu_pin(NULL, 0, &e), ST_FAILED);
}

static void clock_goes_forward(void **state)
{
    (void)state;
    double first = clock_seconds();
    for (int i = 0; i < 1000; i++) {
        double next = clock_seconds();
        assert_true(next >= first);
        first = next;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_come_before_siblings),
        cmocka_unit_test(neighbours_as_siblings),
        cmocka_unit_test(nothing_known_is_no_failure),
        cmocka_unit_test(model_memory_and_caches),
        cmocka_unit_test(cgroup_version_2),
        cmocka_unit_test(cgroup_version_1),
        cmocka_unit_test(cgroup_path_of_the_host),
        cmocka_unit_test(broken_limits_are_no_limits),
        cmocka_unit_test(this_machine),
        cmocka_unit_test(pinning_restricts_what_is_detected),
        cmocka_unit_test(pinning_to_nowhere_fails),
        cmocka_unit_test(clock_goes_forward),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
