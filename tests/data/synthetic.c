#include "synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "encode_image.h"

enum { CHANNELS = 3, CIFAR_CLASSES = 10, CIFAR_SIDE = 32 };

static const double pi = 3.14159265358979323846;

static uint8_t clip(double v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
}

/* The mean value of one channel: brightness for gray images, a point on the colour circle for RGB. */
static double base_level(int class, int classes, int channels, int channel)
{
    if (channels == 1)
        return 60 + 135.0 * class / (classes > 1 ? classes - 1 : 1);
    return 128 + 60 * cos(2 * pi * ((double)class / classes + channel / 3.0));
}

void synthetic_image(int class, int classes, int side, int channels, struct rng *rng, uint8_t *out)
{
    double angle = pi * class / classes, phase = 2 * pi * rng_uniform(rng);
    double per_pixel = 2 * pi * 3 / side; /* three stripes across the image */
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            double stripe = 30 * sin(per_pixel * (x * cos(angle) + y * sin(angle)) + phase);
            for (int c = 0; c < channels; c++) {
                double noise = 24 * rng_uniform(rng) - 12;
                *out++ = clip(base_level(class, classes, channels, c) + stripe + noise);
            }
        }
    }
}

static enum status check_arguments(int classes, int per_class_train, int per_class_test, int side,
                                   struct err *e)
{
    if (classes < 1 || classes > SYNTHETIC_CLASSES_MAX || per_class_train < 1 || per_class_test < 1 ||
        side < 1 || side > 1024) {
        return err_set(e, ST_USAGE,
                       "a synthetic set has 1 to %d classes, 1 image or more, sides of 1 to 1024",
                       SYNTHETIC_CLASSES_MAX);
    }
    return ST_OK;
}

static enum status write_file(const char *path, const void *data, size_t n, struct err *e)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return err_errno(e, "cannot write %s", path);
    size_t written = fwrite(data, 1, n, f);
    return fclose(f) == 0 && written == n ? ST_OK : err_errno(e, "cannot write %s", path);
}

static enum status write_named(const char *dir, const char *name, const void *data, size_t n, struct err *e)
{
    char *path = mem_printf("%s/%s", dir, name);
    enum status status = path ? write_file(path, data, n, e) : err_set(e, ST_NOMEM, "out of memory");
    mem_free(path);
    return status;
}

/* One image file: odd ones PNG, even ones JPEG. */
static enum status write_image(const char *dir, int index, const uint8_t *pixels, int side, struct err *e)
{
    struct bytes file;
    char name[32];
    size_t pitch = CHANNELS * (size_t)side;
    bool png = index % 2;
    snprintf(name, sizeof name, "%04d.%s", index, png ? "png" : "jpg");
    if (png ? !encode_png(pixels, side, side, pitch, (struct png_flavour){.color = 2, .depth = 8}, &file)
            : !encode_jpeg(pixels, side, side, CHANNELS, (struct jpeg_flavour){.quality = 0}, &file))
        return err_set(e, ST_FAILED, "cannot encode %s", name);
    enum status status = write_named(dir, name, file.data, file.n, e);
    free(file.data);
    return status;
}

static enum status write_class(const char *dir, int class, int classes, int count, int side, struct rng *rng,
                               struct err *e)
{
    uint8_t *pixels = mem_alloc((size_t)side * (size_t)side, CHANNELS);
    if (!pixels)
        return err_set(e, ST_NOMEM, "out of memory");
    enum status status = dir_create(dir, e);
    for (int i = 0; status == ST_OK && i < count; i++) {
        synthetic_image(class, classes, side, CHANNELS, rng, pixels);
        status = write_image(dir, i, pixels, side, e);
    }
    mem_free(pixels);
    return status;
}

enum status synthetic_image_folder(const char *dir, int classes, int per_class_train, int per_class_test,
                                   int side, uint64_t seed, struct err *e)
{
    static const char *const sets[] = {"train", "test"};
    int counts[] = {per_class_train, per_class_test};
    enum status status = check_arguments(classes, per_class_train, per_class_test, side, e);
    for (int s = 0; s < 2; s++) {
        for (int k = 0; status == ST_OK && k < classes; k++) {
            struct rng rng = rng_stream(seed, RNG_TEST, (uint64_t)s, (uint64_t)k);
            char *folder = mem_printf("%s/%s/class%02d", dir, sets[s], k);
            status = folder ? write_class(folder, k, classes, counts[s], side, &rng, e)
                            : err_set(e, ST_NOMEM, "out of memory");
            mem_free(folder);
        }
    }
    return status;
}

static void put_be32(uint8_t *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Whole files with `n` images, and their labels; classes take turns. */
static void fill_idx(uint8_t *images, uint8_t *labels, size_t n, int classes, int side, struct rng *rng)
{
    size_t image_bytes = (size_t)side * (size_t)side;
    put_be32(images, 0x803);
    put_be32(images + 4, (uint32_t)n);
    put_be32(images + 8, (uint32_t)side);
    put_be32(images + 12, (uint32_t)side);
    put_be32(labels, 0x801);
    put_be32(labels + 4, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        labels[8 + i] = (uint8_t)(i % (size_t)classes);
        synthetic_image(labels[8 + i], classes, side, 1, rng, images + 16 + i * image_bytes);
    }
}

/* An image file and a label file of one set; `prefix` is "train" or "t10k". */
static enum status write_idx_set(const char *dir, const char *prefix, int classes, int count, int side,
                                 struct rng *rng, struct err *e)
{
    size_t n = (size_t)count * (size_t)classes, bytes = 16 + n * (size_t)side * (size_t)side;
    uint8_t *images = mem_alloc(bytes, 1), *labels = mem_alloc(8 + n, 1);
    char name[64];
    enum status status = ST_NOMEM;
    if (images && labels) {
        fill_idx(images, labels, n, classes, side, rng);
        snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
        status = write_named(dir, name, images, bytes, e);
    } else {
        err_set(e, ST_NOMEM, "out of memory");
    }
    if (status == ST_OK) {
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
        status = write_named(dir, name, labels, 8 + n, e);
    }
    mem_free(images);
    mem_free(labels);
    return status;
}

enum status synthetic_idx(const char *dir, int classes, int per_class_train, int per_class_test, int side,
                          uint64_t seed, struct err *e)
{
    struct rng train = rng_stream(seed, RNG_TEST, 0, 0), test = rng_stream(seed, RNG_TEST, 1, 0);
    enum status status = check_arguments(classes, per_class_train, per_class_test, side, e);
    if (status == ST_OK)
        status = dir_create(dir, e);
    if (status == ST_OK)
        status = write_idx_set(dir, "train", classes, per_class_train, side, &train, e);
    return status == ST_OK ? write_idx_set(dir, "t10k", classes, per_class_test, side, &test, e) : status;
}

/* Records of one CIFAR-10 file, classes in turn; planes instead of channels last. */
static enum status write_cifar_file(const char *dir, const char *name, int per_class, struct rng *rng,
                                    struct err *e)
{
    enum { PLANE = CIFAR_SIDE * CIFAR_SIDE, RECORD = 1 + 3 * PLANE };
    size_t n = (size_t)per_class * CIFAR_CLASSES;
    uint8_t pixels[3 * PLANE], *file = mem_alloc(n, RECORD);
    if (!file)
        return err_set(e, ST_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        uint8_t *record = file + i * RECORD;
        record[0] = (uint8_t)(i % CIFAR_CLASSES);
        synthetic_image(record[0], CIFAR_CLASSES, CIFAR_SIDE, 3, rng, pixels);
        for (int p = 0; p < 3 * PLANE; p++)
            record[1 + p % 3 * PLANE + p / 3] = pixels[p];
    }
    enum status status = write_named(dir, name, file, n * RECORD, e);
    mem_free(file);
    return status;
}

enum status synthetic_cifar10(const char *dir, int per_class_train, int per_class_test, uint64_t seed,
                              struct err *e)
{
    static const char names[] = "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n\n";
    struct rng rng = rng_stream(seed, RNG_TEST, 2, 0);
    enum status status = check_arguments(CIFAR_CLASSES, per_class_train, per_class_test, CIFAR_SIDE, e);
    if (status == ST_OK)
        status = dir_create(dir, e);
    for (int i = 1; status == ST_OK && i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        status = write_cifar_file(dir, name, per_class_train, &rng, e);
    }
    if (status == ST_OK)
        status = write_cifar_file(dir, "test_batch.bin", per_class_test, &rng, e);
    return status == ST_OK ? write_named(dir, "batches.meta.txt", names, strlen(names), e) : status;
}
