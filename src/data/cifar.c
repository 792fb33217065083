#include "data/cifar.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/image_set.h"
#include "data/input_file.h"
#include "data/split.h"

/* Which files make up one version. */
struct cifar_files {
    const char *train[6], *test[2]; /* NULL-terminated */
    const char *names;
};

static const struct cifar_files *files_of(enum data_format format)
{
    static const struct cifar_files cifar10 = {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                                "data_batch_4.bin", "data_batch_5.bin", NULL},
                                               {"test_batch.bin", NULL},
                                               "batches.meta.txt"};
    static const struct cifar_files cifar100 = {
        {"train.bin", NULL}, {"test.bin", NULL}, "fine_label_names.txt"};
    return format == DATA_CIFAR10 ? &cifar10 : &cifar100;
}

struct cifar_layout cifar_layout_of(enum data_format format)
{
    return format == DATA_CIFAR10 ? (struct cifar_layout){1, 10} : (struct cifar_layout){2, 100};
}

enum status cifar_count(size_t n, struct cifar_layout layout, size_t *count, struct err *e)
{
    size_t record = layout.label_bytes + CIFAR_IMAGE;
    if (n == 0 || n % record != 0) {
        return err_set(e, ST_CORRUPT, "truncated at byte %zu of %zu: records have %zu bytes", n,
                       (n / record + 1) * record, record);
    }
    *count = n / record;
    return ST_OK;
}

static void interleave(const uint8_t *planes, uint8_t *pixels)
{
    for (size_t i = 0; i < CIFAR_PLANE; i++) {
        pixels[3 * i] = planes[i];
        pixels[3 * i + 1] = planes[CIFAR_PLANE + i];
        pixels[3 * i + 2] = planes[2 * CIFAR_PLANE + i];
    }
}

enum status cifar_parse(const uint8_t *file, size_t n, struct cifar_layout layout, uint8_t *pixels,
                        uint16_t *labels, struct err *e)
{
    size_t count = 0, record = layout.label_bytes + CIFAR_IMAGE;
    enum status status = cifar_count(n, layout, &count, e);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *image = file + i * record + layout.label_bytes;
        if (image[-1] >= layout.classes) {
            return err_set(e, ST_CORRUPT, "label %d at byte %zu (image %zu): allowed are 0 to %d", image[-1],
                           i * record + layout.label_bytes - 1, i, layout.classes - 1);
        }
        labels[i] = image[-1];
        interleave(image, pixels + i * CIFAR_IMAGE);
    }
    return ST_OK;
}

/* Room for `more` images behind those in the set. */
static enum status grow(struct image_set *set, size_t more, struct err *e)
{
    size_t count = set->count + more;
    enum status status = image_memory_check(count, (struct shape){3, CIFAR_SIDE, CIFAR_SIDE}, e);
    if (status != ST_OK)
        return status;
    uint8_t *pixels = mem_realloc(set->pixels, count, CIFAR_IMAGE);
    set->pixels = pixels ? pixels : set->pixels;
    uint16_t *labels = pixels ? mem_realloc(set->labels, count, sizeof *set->labels) : NULL;
    set->labels = labels ? labels : set->labels;
    return labels ? ST_OK : err_set(e, ST_NOMEM, "out of memory for %zu images", count);
}

/* Appends the records of one file. */
static enum status append_file(const char *path, struct cifar_layout layout, struct image_set *set,
                               struct err *e)
{
    uint8_t *bytes = NULL;
    size_t n = 0, count = 0;
    enum status status = input_file_read(path, INPUT_FILE_ANY_SIZE, &bytes, &n, e);
    if (status != ST_OK)
        return status;
    status = cifar_count(n, layout, &count, e);
    if (status == ST_OK)
        status = grow(set, count, e);
    if (status == ST_OK) {
        status = cifar_parse(bytes, n, layout, set->pixels + set->count * CIFAR_IMAGE,
                             set->labels + set->count, e);
    }
    if (status == ST_OK)
        set->count += count;
    mem_free(bytes);
    return status == ST_OK ? ST_OK : err_prefix(e, "%s", path);
}

static enum status append_files(const char *folder, const char *const *names, struct cifar_layout layout,
                                struct image_set *set, struct err *e)
{
    enum status status = ST_OK;
    for (; status == ST_OK && *names; names++) {
        char *path = mem_printf("%s/%s", folder, *names);
        status = path ? append_file(path, layout, set, e)
                      : err_set(e, ST_NOMEM, "out of memory while reading %s", folder);
        mem_free(path);
    }
    return status;
}

/* Takes the lines of `text` (cut up in place) that are not empty as class names. */
static enum status take_names(char *text, struct dataset *d, struct err *e)
{
    int found = 0;
    d->class_names = mem_calloc((size_t)d->classes, sizeof *d->class_names);
    if (!d->class_names)
        return err_set(e, ST_NOMEM, "out of memory for %d class names", d->classes);
    char *rest = text;
    for (char *line = strsep(&rest, "\r\n"); line; line = strsep(&rest, "\r\n")) {
        if (*line && found < d->classes) {
            d->class_names[found] = mem_strdup(line);
            if (!d->class_names[found])
                return err_set(e, ST_NOMEM, "out of memory for %d class names", d->classes);
        }
        found += *line != '\0';
    }
    if (found != d->classes)
        return err_set(e, ST_CORRUPT, "%d class names, expected %d, one a line", found, d->classes);
    return ST_OK;
}

static enum status load_names(const char *path, struct dataset *d, struct err *e)
{
    enum { NAMES_MAX = 1 << 16 };
    uint8_t *text = NULL;
    size_t n = 0;
    if (!file_exists(path))
        return class_names_numbered(d, e);
    enum status status = input_file_read(path, NAMES_MAX, &text, &n, e);
    if (status != ST_OK)
        return status;
    status = take_names((char *)text, d, e);
    mem_free(text);
    return status == ST_OK ? ST_OK : err_prefix(e, "%s", path);
}

/* The files are there and begin. */
static enum status look_at_files(const char *folder, const char *const *names, struct err *e)
{
    enum status status = ST_OK;
    for (; status == ST_OK && *names; names++) {
        uint8_t first;
        size_t n = 0;
        char *path = mem_printf("%s/%s", folder, *names);
        status = path ? input_file_start(path, &first, 1, &n, e)
                      : err_set(e, ST_NOMEM, "out of memory while reading %s", folder);
        mem_free(path);
    }
    return status;
}

enum status cifar_look(const struct data_source *source, struct data_look *out, struct err *e)
{
    const struct cifar_files *files = files_of(source->format);
    out->image = (struct shape){3, CIFAR_SIDE, CIFAR_SIDE};
    out->classes = cifar_layout_of(source->format).classes;
    enum status status = look_at_files(source->path, files->train, e);
    return status == ST_OK ? look_at_files(source->path, files->test, e) : status;
}

enum status cifar_load(const struct data_source *source, struct dataset *d, struct err *e)
{
    const struct cifar_files *files = files_of(source->format);
    struct cifar_layout layout = cifar_layout_of(source->format);
    d->image = (struct shape){3, CIFAR_SIDE, CIFAR_SIDE};
    d->classes = layout.classes;
    enum status status = append_files(source->path, files->train, layout, &d->sets[SPLIT_TRAIN], e);
    if (status == ST_OK)
        status = append_files(source->path, files->test, layout, &d->sets[SPLIT_TEST], e);
    char *names = status == ST_OK ? mem_printf("%s/%s", source->path, files->names) : NULL;
    if (status == ST_OK)
        status = names ? load_names(names, d, e) : err_set(e, ST_NOMEM, "out of memory");
    mem_free(names);
    return status == ST_OK ? split_loaded(d, source, e) : status;
}
