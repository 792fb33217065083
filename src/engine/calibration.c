#include "engine/calibration.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "engine/trainer.h"

enum { FILE_MAX = 1 << 20, SPEEDS_MAX = 256 };

void calibration_key_init(struct calibration_key *key)
{
    struct cpu_info cpu;
    cpu_detect(&cpu);
    memset(key, 0, sizeof *key);
    snprintf(key->cpu, sizeof key->cpu, "%s", cpu.model);
    snprintf(key->isa, sizeof key->isa, "%s", engine_isa());
    snprintf(key->numerics, sizeof key->numerics, "%s", engine_numerics());
    key->threads = cpu.physical_cores;
}

char *calibration_path(void)
{
    /* The XDG base directory specification ignores paths that are not absolute. */
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/')
        return mem_printf("%s/firesweep/calibration.json", cache);
    return home && home[0] == '/' ? mem_printf("%s/.cache/firesweep/calibration.json", home) : NULL;
}

/* The file's array of speeds, a reference of the caller's (json_object_put); NULL if it is not what
 * calibration_write leaves. */
static struct json_object *read_speeds(const char *path)
{
    char *text = NULL;
    size_t n;
    struct json_object *version, *speeds = NULL;
    if (file_read(path, FILE_MAX, &text, &n, NULL) != ST_OK)
        return NULL;
    struct json_object *root = json_tokener_parse(text);
    mem_free(text);
    if (json_object_is_type(root, json_type_object) && json_object_object_get_ex(root, "version", &version) &&
        json_object_is_type(version, json_type_int) &&
        json_object_get_int64(version) == CALIBRATION_VERSION &&
        json_object_object_get_ex(root, "speeds", &speeds) && json_object_is_type(speeds, json_type_array))
        json_object_get(speeds);
    else
        speeds = NULL;
    json_object_put(root);
    return speeds;
}

static bool text_is(struct json_object *entry, const char *key, const char *text)
{
    struct json_object *value;
    return json_object_object_get_ex(entry, key, &value) && json_object_is_type(value, json_type_string) &&
           strcmp(json_object_get_string(value), text) == 0;
}

static bool entry_is(struct json_object *entry, const struct calibration_key *key)
{
    struct json_object *threads;
    return json_object_is_type(entry, json_type_object) && text_is(entry, "cpu", key->cpu) &&
           text_is(entry, "isa", key->isa) && text_is(entry, "numerics", key->numerics) &&
           json_object_object_get_ex(entry, "threads", &threads) &&
           json_object_is_type(threads, json_type_int) && json_object_get_int64(threads) == key->threads;
}

static bool read_seconds(struct json_object *entry, const char *key, double out[WORK_COUNT])
{
    struct json_object *array;
    if (!json_object_object_get_ex(entry, key, &array) || !json_object_is_type(array, json_type_array) ||
        json_object_array_length(array) != WORK_COUNT)
        return false;
    double sum = 0;
    for (size_t k = 0; k < WORK_COUNT; k++) {
        struct json_object *value = json_object_array_get_idx(array, k);
        if (!json_object_is_type(value, json_type_double) && !json_object_is_type(value, json_type_int))
            return false;
        out[k] = json_object_get_double(value);
        if (!isfinite(out[k]) || out[k] < 0)
            return false;
        sum += out[k];
    }
    return sum > 0;
}

bool calibration_read(const char *path, const struct calibration_key *key, struct speed *out)
{
    struct json_object *speeds = read_speeds(path);
    struct speed found = {{0}, {0}};
    bool ok = false;
    for (size_t i = 0; speeds && !ok && i < json_object_array_length(speeds); i++) {
        struct json_object *entry = json_object_array_get_idx(speeds, i);
        ok = entry_is(entry, key) && read_seconds(entry, "train", found.train) &&
             read_seconds(entry, "infer", found.infer);
    }
    json_object_put(speeds);
    if (ok)
        *out = found;
    return ok;
}

static void print_text(FILE *f, const char *key, const char *text)
{
    struct json_object *value = json_object_new_string(text);
    fprintf(f, "\"%s\": %s, ", key, value ? json_object_to_json_string(value) : "null");
    json_object_put(value);
}

static void print_seconds(FILE *f, const char *key, const double seconds[WORK_COUNT])
{
    fprintf(f, "\"%s\": [", key);
    for (int k = 0; k < WORK_COUNT; k++)
        fprintf(f, "%s%.17g", k ? ", " : "", seconds[k]);
    fputc(']', f);
}

static void print_file(FILE *f, struct json_object *others, const struct calibration_key *key,
                       const struct speed *speed)
{
    fprintf(f, "{\"version\": %d, \"speeds\": [\n{", CALIBRATION_VERSION);
    print_text(f, "cpu", key->cpu);
    print_text(f, "isa", key->isa);
    fprintf(f, "\"threads\": %d, ", key->threads);
    print_text(f, "numerics", key->numerics);
    print_seconds(f, "train", speed->train);
    fputs(",\n ", f);
    print_seconds(f, "infer", speed->infer);
    fputc('}', f);
    size_t kept = 0;
    for (size_t i = 0; others && i < json_object_array_length(others) && kept < SPEEDS_MAX; i++) {
        struct json_object *entry = json_object_array_get_idx(others, i);
        if (!json_object_is_type(entry, json_type_object) || entry_is(entry, key))
            continue;
        fprintf(f, ",\n%s", json_object_to_json_string(entry));
        kept++;
    }
    fputs("\n]}\n", f);
}

enum status calibration_write(const char *path, const struct calibration_key *key, const struct speed *speed,
                              struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash && slash > path ? mem_printf("%.*s", (int)(slash - path), path) : NULL;
    struct atomic_file file;
    enum status s = folder ? dir_create(folder, e) : ST_OK;
    mem_free(folder);
    if (s == ST_OK)
        s = atomic_open(&file, path, e);
    if (s != ST_OK)
        return s;
    struct json_object *others = read_speeds(path);
    print_file(file.f, others, key, speed);
    json_object_put(others);
    return atomic_commit(&file, e);
}

bool calibration_here(struct speed *out)
{
    struct calibration_key key;
    calibration_key_init(&key);
    char *path = calibration_path();
    const bool found = path && calibration_read(path, &key, out);
    mem_free(path);
    return found;
}
