/* Data sets: images as uint8 in memory, in three splits, and the samples a network sees.
 * Formats: IDX plain or .gz (MNIST, Fashion-MNIST), CIFAR-10/100 binary, image folders (JPEG, PNG). */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "metamodel/arch.h" /* struct shape */

enum data_format { DATA_IDX, DATA_CIFAR10, DATA_CIFAR100, DATA_IMAGE_FOLDER };
const char *data_format_name(enum data_format f); /* "idx", "cifar10", "cifar100", "image-folder" */
bool data_format_parse(const char *text, enum data_format *out);

enum split { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST, SPLIT_COUNT };
const char *split_name(enum split s); /* "train", "val", "test" */

/* What to load. */
struct data_source {
    enum data_format format;
    const char *path;   /* the folder that holds the files (idx, cifar) or train/ and test/ (or val/) (image-folder) */
    int val;            /* training images set aside for validation, a fixed, class-balanced choice; 0 = none */
    uint64_t val_seed;
    int train_limit;    /* keep this many training images after the split, class-balanced; 0 = all */
    int test_limit;     /* same for the test set */
    int resize_h, resize_w; /* image folders: scale the shorter side and crop the middle to this; 0 = as stored */
    bool skip_bad;      /* count and leave out unreadable images instead of failing */
};

struct image_set {
    size_t count;
    uint8_t *pixels;   /* count x h x w x c, row-major, channels last */
    uint16_t *labels;  /* 0..classes-1 */
    char **names;      /* image folders: path below the data path; NULL otherwise */
};

struct dataset {
    struct shape image;
    int classes;
    char **class_names;            /* classes entries */
    struct image_set sets[SPLIT_COUNT];
    float mean[4], stddev[4];      /* per channel, of the training split, of pixel / 255 */
    uint64_t fingerprint;          /* of all pixels, labels and the split */
    size_t skipped;                /* images left out because of skip_bad */
    char first_skipped[512];       /* reason of the first one */
};

/* Loads everything into memory. Errors name the file and the offset or reason.
 * The caller releases *out, also after a failure (it is then empty). */
enum status dataset_load(const struct data_source *source, struct dataset *out, struct err *e);
void dataset_release(struct dataset *d);

enum crop_border { CROP_REFLECT, CROP_ZERO };

struct augmentation {
    bool flip;      /* mirror left-right with probability 1/2 */
    int crop_pad;   /* pad by this many pixels, then crop at a random place; 0 = no crop; < min(h, w) */
    enum crop_border border;
};

/* Writes sample `index` of a split as the network sees it: (pixel / 255 - mean) / stddev, float, channels last;
 * row r starts at out + r * pitch (pitch in floats, >= w * c). With `a` not NULL it is augmented by
 * numbers that depend on (seed, epoch, index) only. Returns the label. Safe from many threads at once. */
int dataset_sample(const struct dataset *d, enum split split, size_t index, const struct augmentation *a,
                   uint64_t seed, unsigned epoch, float *out, size_t pitch);

#endif
