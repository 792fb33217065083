/* How many images a data source holds, without reading one. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "sweep/forecast.h"
#include "sweep/spec_error.h"

/* A file's size, -1 if there is none; of a .gz what its last four bytes say of the plain size. */
static double plain_size(const char *folder, const char *name, bool compressed)
{
    unsigned char b[4];
    struct stat st;
    double size = -1;
    char *path = mem_printf("%s/%s", folder, name);
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)) {
        if (!compressed)
            size = (double)st.st_size;
        else if (fseek(f, -4, SEEK_END) == 0 && fread(b, 1, sizeof b, f) == sizeof b)
            size =
                (double)((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
    }
    if (f)
        fclose(f);
    mem_free(path);
    return size;
}

/* One byte a label behind a header of eight. */
static double idx_images(const char *folder, const char *plain, const char *compressed)
{
    double size = plain_size(folder, plain, false);
    if (size < 0)
        size = plain_size(folder, compressed, true);
    return size < 8 ? -1 : size - 8;
}

/* Both versions are complete sets or none; what lies here counts if there is anything. */
static double cifar_images(const char *folder, const char *const *names, int count, double record,
                           double complete)
{
    double bytes = 0;
    for (int i = 0; i < count; i++) {
        const double size = plain_size(folder, names[i], false);
        if (size < 0)
            return complete;
        bytes += size;
    }
    return bytes / record;
}

static bool is_image(const char *name)
{
    static const char *const suffixes[] = {".jpg", ".jpeg", ".png"};
    const size_t n = strlen(name);
    for (int i = 0; name[0] != '.' && i < 3; i++) {
        const size_t length = strlen(suffixes[i]);
        if (n > length && strcasecmp(name + n - length, suffixes[i]) == 0)
            return true;
    }
    return false;
}

/* Images in a folder, or with `deep` in those below it; -1 if there is no such folder. */
static double folder_images(const char *path, bool deep)
{
    double count = 0;
    DIR *d = opendir(path);
    if (!d)
        return -1;
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        char *below = deep ? mem_printf("%s/%s", path, entry->d_name) : NULL;
        const double images = below ? folder_images(below, false) : is_image(entry->d_name);
        count += images > 0 ? images : 0;
        mem_free(below);
    }
    closedir(d);
    return count;
}

static double split_images(const char *path, const char *split)
{
    char *folder = mem_printf("%s/%s", path, split);
    const double count = folder ? folder_images(folder, true) : -1;
    mem_free(folder);
    return count;
}

static void whole_counts(const struct data_source *s, double *train, double *test)
{
    static const char *const batches[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                          "data_batch_4.bin", "data_batch_5.bin"};
    enum { IMAGE = 3072, TRAIN = 50000, TEST = 10000 };
    switch (s->format) {
    case DATA_IDX:
        *train = idx_images(s->path, "train-labels-idx1-ubyte", "train-labels-idx1-ubyte.gz");
        *test = idx_images(s->path, "t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz");
        break;
    case DATA_CIFAR10:
        *train = cifar_images(s->path, batches, 5, IMAGE + 1, TRAIN);
        *test = cifar_images(s->path, (const char *const[]){"test_batch.bin"}, 1, IMAGE + 1, TEST);
        break;
    case DATA_CIFAR100:
        *train = cifar_images(s->path, (const char *const[]){"train.bin"}, 1, IMAGE + 2, TRAIN);
        *test = cifar_images(s->path, (const char *const[]){"test.bin"}, 1, IMAGE + 2, TEST);
        break;
    case DATA_IMAGE_FOLDER:
        *train = split_images(s->path, "train");
        *test = split_images(s->path, "test");
        *test = *test < 0 ? split_images(s->path, "val") : *test;
        break;
    }
}

static double limited(double count, int limit)
{
    return limit > 0 && (count < 0 || count > limit) ? limit : count;
}

enum status image_counts_check(const struct spec *spec, struct err *e)
{
    const struct data_source *source = &spec->data;
    double train = -1, test = -1;
    whole_counts(source, &train, &test);
    if (train <= 0 || source->val < train)
        return ST_OK;
    return spec_error(e, spec->path, spec->data_val_mark, "data.val",
                      "%d leaves none of the %.0f training images of %s, allowed: 0 to %.0f", source->val,
                      train, source->path, train - 1);
}

struct image_counts image_counts_of(const struct data_source *source)
{
    double train = -1, test = -1;
    whole_counts(source, &train, &test);
    if (train < 0 && source->train_images > 0) {
        train = source->train_images;
        test = source->test_images;
    }
    /* Validation images are taken first, then the limit applies. */
    if (train >= 0)
        train = train > source->val ? train - source->val : 0;
    test = limited(test, source->test_limit);
    return (struct image_counts){limited(train, source->train_limit), source->val, test > 0 ? test : 0};
}
