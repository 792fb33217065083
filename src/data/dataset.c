#include "data/dataset.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "data/cifar.h"
#include "data/digest.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/image_set.h"
#include "data/image_stream.h"
#include "data/split.h"

static const char *const format_names[] = {"idx", "cifar10", "cifar100", "image-folder"};
enum { FORMAT_COUNT = sizeof format_names / sizeof *format_names };

const char *data_format_name(enum data_format f)
{
    return format_names[f];
}

bool data_format_parse(const char *text, enum data_format *out)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(text, format_names[i]) == 0) {
            *out = (enum data_format)i;
            return true;
        }
    }
    return false;
}

const char *split_name(enum split s)
{
    static const char *const names[] = {"train", "val", "test"};
    return names[s];
}

const char *data_memory_name(enum data_memory m)
{
    static const char *const names[] = {"auto", "load", "stream"};
    return names[m];
}

size_t dataset_memory(const struct dataset *d)
{
    size_t bytes = 0;
    for (int s = 0; s < SPLIT_COUNT; s++)
        bytes += d->sets[s].pixels ? d->sets[s].count * shape_bytes(d->image) : 0;
    return bytes;
}

void dataset_release(struct dataset *d)
{
    image_stream_free(d->stream);
    for (int s = 0; s < SPLIT_COUNT; s++)
        image_set_release(&d->sets[s]);
    for (int k = 0; d->class_names && k < d->classes; k++)
        mem_free(d->class_names[k]);
    mem_free(d->class_names);
    *d = (struct dataset){0};
}

static enum status check_not_negative(const char *key, int value, struct err *e)
{
    return value >= 0 ? ST_OK : err_set(e, ST_USAGE, "%s is %d: it must be 0 or more", key, value);
}

static enum status check_resize(const struct data_source *source, struct err *e)
{
    int h = source->resize_h, w = source->resize_w;
    if (h == 0 && w == 0)
        return ST_OK;
    if (source->format != DATA_IMAGE_FOLDER) {
        return err_set(e, ST_USAGE, "only images of an image-folder can be resized, not of %s",
                       data_format_name(source->format));
    }
    if (h < 1 || w < 1 || h > IMAGE_SIDE_MAX || w > IMAGE_SIDE_MAX) {
        return err_set(e, ST_USAGE, "images cannot be resized to %dx%d: both sides must be 1 to %d", h, w,
                       IMAGE_SIDE_MAX);
    }
    return ST_OK;
}

static enum status check_memory(const struct data_source *source, struct err *e)
{
    if (source->memory == DATA_STREAM && source->format != DATA_IMAGE_FOLDER) {
        return err_set(e, ST_USAGE, "only images of an image-folder can be streamed, not of %s",
                       data_format_name(source->format));
    }
    return ST_OK;
}

static enum status check_source(const struct data_source *source, struct err *e)
{
    struct stat info;
    enum status status = check_not_negative("val", source->val, e);
    if (status == ST_OK)
        status = check_not_negative("train_limit", source->train_limit, e);
    if (status == ST_OK)
        status = check_not_negative("test_limit", source->test_limit, e);
    if (status == ST_OK)
        status = check_resize(source, e);
    if (status == ST_OK)
        status = check_memory(source, e);
    if (status != ST_OK)
        return status;
    if (stat(source->path, &info) != 0)
        return err_errno(e, "cannot read folder %s", source->path);
    return S_ISDIR(info.st_mode) ? ST_OK : err_set(e, ST_USAGE, "%s is not a folder", source->path);
}

static enum status load_format(const struct data_source *source, struct dataset *d, struct err *e)
{
    switch (source->format) {
    case DATA_IDX:
        return idx_load(source, d, e);
    case DATA_CIFAR10:
    case DATA_CIFAR100:
        return cifar_load(source, d, e);
    case DATA_IMAGE_FOLDER:
        return image_folder_load(source, d, e);
    }
    return err_set(e, ST_USAGE, "unknown data format %d", (int)source->format);
}

static enum status check_classes(const struct data_source *source, int classes, struct err *e)
{
    return classes >= 2 ? ST_OK : err_set(e, ST_USAGE, "%s has only one class", source->path);
}

static enum status look_format(const struct data_source *source, struct data_look *out, struct err *e)
{
    switch (source->format) {
    case DATA_IDX:
        return idx_look(source, out, e);
    case DATA_CIFAR10:
    case DATA_CIFAR100:
        return cifar_look(source, out, e);
    case DATA_IMAGE_FOLDER:
        return image_folder_look(source, out, e);
    }
    return err_set(e, ST_USAGE, "unknown data format %d", (int)source->format);
}

enum status dataset_look(const struct data_source *source, struct data_look *out, struct err *e)
{
    struct err local = ERR_INIT; /* as in dataset_load */
    struct err *where = e ? e : &local;
    *out = (struct data_look){{0}, 0};
    enum status status = check_source(source, where);
    if (status == ST_OK)
        status = look_format(source, out, where);
    return status == ST_OK ? check_classes(source, out->classes, where) : status;
}

enum status dataset_load(const struct data_source *source, struct dataset *out, struct err *e)
{
    struct err local = ERR_INIT; /* loaders add the file to a recorded reason: there must be a place for it */
    struct err *where = e ? e : &local;
    *out = (struct dataset){0};
    enum status status = check_source(source, where);
    if (status == ST_OK)
        status = load_format(source, out, where);
    if (status == ST_OK)
        status = check_classes(source, out->classes, where);
    if (status == ST_OK && !out->stream) /* a stream was digested while it was read */
        status = digest_loaded(out, where);
    if (status != ST_OK)
        dataset_release(out);
    return status;
}
