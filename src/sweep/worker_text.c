/* Texts that go with a trial: its name, its checkpoint's paths and description. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/worker.h"

/* " SR=0.125 freq=2" from the JSON object. */
static void append_axes(struct strbuf *b, const char *axes)
{
    struct json_object *object = axes ? json_tokener_parse(axes) : NULL;
    if (json_object_is_type(object, json_type_object)) {
        json_object_object_foreach(object, key, value)
        {
            strbuf_printf(b, " %s=%s", key, value ? json_object_get_string(value) : "null");
        }
    }
    json_object_put(object);
}

char *trial_name_format(const char *block, const char *axes, uint64_t seed)
{
    struct strbuf b = STRBUF_INIT;
    strbuf_puts(&b, block);
    append_axes(&b, axes);
    strbuf_printf(&b, " seed %" PRIu64, seed);
    char *name = b.failed ? NULL : mem_strdup(b.text);
    strbuf_release(&b);
    return name;
}

char *trial_name_rung(const char *name, int epochs)
{
    return mem_printf("%s (%d epoch%s)", name, epochs, epochs == 1 ? "" : "s");
}

/* Adds a member; false if no memory. Takes the value, which may be NULL (no memory). */
static bool add(struct json_object *object, const char *key, struct json_object *value)
{
    if (!value || json_object_object_add(object, key, value) != 0) {
        json_object_put(value);
        return false;
    }
    return true;
}

static struct json_object *names_array(char *const *names, int count)
{
    struct json_object *array = json_object_new_array();
    for (int i = 0; array && i < count; i++) {
        struct json_object *name = json_object_new_string(names[i]);
        if (!name || json_object_array_add(array, name) != 0) {
            json_object_put(name);
            json_object_put(array);
            return NULL;
        }
    }
    return array;
}

static struct json_object *numbers_array(const float *numbers, int count)
{
    struct json_object *array = json_object_new_array();
    for (int i = 0; array && i < count; i++) {
        struct json_object *number = json_object_new_double((double)numbers[i]);
        if (!number || json_object_array_add(array, number) != 0) {
            json_object_put(number);
            json_object_put(array);
            return NULL;
        }
    }
    return array;
}

static bool describe(struct json_object *object, const struct worker_task *task)
{
    const struct dataset *data = task->data;
    char fingerprint[HASH_TEXT];
    hash_text(data->fingerprint, fingerprint);
    struct json_object *axes = task->axes ? json_tokener_parse(task->axes) : json_object_new_object();
    return add(object, "axes", axes) && add(object, "tool", json_object_new_string("firesweep")) &&
           add(object, "sweep", json_object_new_string(task->sweep)) &&
           add(object, "trial", json_object_new_string(task->name)) &&
           add(object, "seed", json_object_new_uint64(task->trial->seed)) &&
           add(object, "class_names", names_array(data->class_names, data->classes)) &&
           add(object, "mean", numbers_array(data->mean, data->image.c)) &&
           add(object, "stddev", numbers_array(data->stddev, data->image.c)) &&
           add(object, "data_fingerprint", json_object_new_string(fingerprint)) &&
           add(object, "arch_hash", json_object_new_string(task->trial->arch_hash)) &&
           add(object, "recipe_hash", json_object_new_string(task->trial->recipe_hash));
}

char *worker_description(const struct worker_task *task)
{
    struct json_object *object = json_object_new_object();
    char *text = NULL;
    if (object && describe(object, task)) {
        const char *json = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
        text = json ? mem_strdup(json) : NULL;
    }
    json_object_put(object);
    return text;
}
