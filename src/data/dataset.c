#include "data/dataset.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/mem.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/image_set.h"

static const char *const format_names[] = {"idx", "cifar10", "cifar100", "image-folder"};
enum { FORMAT_COUNT = sizeof format_names / sizeof *format_names, VALUES = 256 };

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

void dataset_release(struct dataset *d)
{
    for (int s = 0; s < SPLIT_COUNT; s++) {
        image_set_release(&d->sets[s]);
    }
    for (int k = 0; d->class_names && k < d->classes; k++) {
        mem_free(d->class_names[k]);
    }
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
    if (h == 0 && w == 0) {
        return ST_OK;
    }
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

static enum status check_source(const struct data_source *source, struct err *e)
{
    struct stat info;
    enum status status = check_not_negative("val", source->val, e);
    if (status == ST_OK) {
        status = check_not_negative("train_limit", source->train_limit, e);
    }
    if (status == ST_OK) {
        status = check_not_negative("test_limit", source->test_limit, e);
    }
    if (status == ST_OK) {
        status = check_resize(source, e);
    }
    if (status != ST_OK) {
        return status;
    }
    if (stat(source->path, &info) != 0) {
        return err_errno(e, "cannot read folder %s", source->path);
    }
    return S_ISDIR(info.st_mode) ? ST_OK : err_set(e, ST_USAGE, "%s is not a folder", source->path);
}

/* How often each value occurs in each channel of the training split. */
static void count_values(const struct dataset *d, uint64_t counts[4][VALUES])
{
    const struct image_set *train = &d->sets[SPLIT_TRAIN];
    size_t pixels = train->count * (size_t)d->image.h * (size_t)d->image.w, c = (size_t)d->image.c;
    memset(counts, 0, 4 * sizeof *counts);
    for (size_t channel = 0; channel < c; channel++) {
        const uint8_t *p = train->pixels + channel;
        for (size_t i = 0; i < pixels; i++) {
            counts[channel][p[i * c]]++;
        }
    }
}

/* Mean and standard deviation of value / 255 from exact integer sums. */
static void mean_and_deviation(const uint64_t counts[VALUES], float *mean, float *stddev)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t n = 0, sum = 0;
    wide squares = 0;
    for (uint64_t v = 0; v < VALUES; v++) {
        n += counts[v];
        sum += counts[v] * v;
        squares += (wide)counts[v] * (v * v);
    }
    double count = (double)n, spread = (double)(squares * n - (wide)sum * sum); /* n^2 x variance */
    *mean = (float)((double)sum / (count * 255.0));
    *stddev = (float)(sqrt(spread) / (count * 255.0));
    if (*stddev < 1.0f / 255.0f) {
        *stddev = 1.0f / 255.0f; /* a constant channel must not become infinite */
    }
}

static void compute_statistics(struct dataset *d)
{
    uint64_t counts[4][VALUES];
    count_values(d, counts);
    for (int c = 0; c < d->image.c; c++) {
        mean_and_deviation(counts[c], &d->mean[c], &d->stddev[c]);
        for (int v = 0; v < VALUES; v++) {
            d->normalised[c][v] = (float)((v / 255.0 - (double)d->mean[c]) / (double)d->stddev[c]);
        }
    }
}

/* Numbers are hashed as little-endian bytes: the fingerprint does not depend on the machine. */
static void hash_number(struct hasher *h, uint64_t v)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(v >> (8 * i));
    }
    hasher_add(h, bytes, sizeof bytes);
}

static void hash_labels(struct hasher *h, const uint16_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[2] = {(uint8_t)labels[i], (uint8_t)(labels[i] >> 8)};
        hasher_add(h, bytes, sizeof bytes);
    }
}

static enum status compute_fingerprint(struct dataset *d, struct err *e)
{
    struct hasher *h = hasher_create();
    if (!h) {
        return err_set(e, ST_NOMEM, "out of memory for the fingerprint of the data");
    }
    hash_number(h, (uint64_t)d->image.c);
    hash_number(h, (uint64_t)d->image.h);
    hash_number(h, (uint64_t)d->image.w);
    hash_number(h, (uint64_t)d->classes);
    for (int s = 0; s < SPLIT_COUNT; s++) {
        const struct image_set *set = &d->sets[s];
        hash_number(h, set->count);
        if (set->count > 0) {
            hasher_add(h, set->pixels, set->count * shape_bytes(d->image));
            hash_labels(h, set->labels, set->count);
        }
    }
    d->fingerprint = hasher_value(h);
    hasher_free(h);
    return ST_OK;
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

enum status dataset_load(const struct data_source *source, struct dataset *out, struct err *e)
{
    struct err local = ERR_INIT; /* loaders add the file to a recorded reason: there must be a place for it */
    struct err *where = e ? e : &local;
    *out = (struct dataset){0};
    enum status status = check_source(source, where);
    if (status == ST_OK) {
        status = load_format(source, out, where);
    }
    if (status == ST_OK && out->classes < 2) {
        status = err_set(where, ST_USAGE, "%s has only one class", source->path);
    }
    if (status == ST_OK) {
        compute_statistics(out);
        status = compute_fingerprint(out, where);
    }
    if (status != ST_OK) {
        dataset_release(out);
    }
    return status;
}
