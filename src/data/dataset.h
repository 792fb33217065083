/* Data sets: images as uint8, in three splits, and the samples a network sees. Images are in memory, or those
 * of an image folder are decoded from their files whenever they are needed ("streamed"). Both give the same
 * samples, bit for bit.
 *
 * Formats, by the files in the folder `path`:
 * - idx: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte,
 * each plain or .gz (plain wins); MNIST, Fashion-MNIST. Classes are 0 to the largest training label.
 * - cifar10: data_batch_1.bin to data_batch_5.bin, test_batch.bin, class names from batches.meta.txt if it is
 * there.
 * - cifar100: train.bin, test.bin (fine labels), class names from fine_label_names.txt if it is there.
 * - image-folder: train/<class>/ and test/<class>/ (val/<class>/ where there is no test/), files *.jpg,
 * *.jpeg, *.png in any case; hidden files and other suffixes are ignored. Classes are the sub-folders of
 * train/ sorted bytewise, images are sorted the same way. Images are RGB as soon as one of them has colours,
 * otherwise one channel; transparency is dropped, 16 bit samples are rounded to 8, orientation tags are
 * ignored. CMYK is refused. */
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

/* Where decoded images are kept. Has no influence on samples, fingerprint or any result. */
enum data_memory {
    DATA_AUTO,   /* in memory, unless an image folder's images would take more than half of what this process
                    may use: then as DATA_STREAM */
    DATA_LOAD,   /* in memory */
    DATA_STREAM, /* nowhere: image folders only */
};
const char *data_memory_name(enum data_memory m); /* "auto", "load", "stream" */

/* What to load. */
struct data_source {
    enum data_format format;
    const char
        *path; /* the folder that holds the files (idx, cifar) or train/ and test/ (or val/) (image-folder) */
    int val;   /* training images set aside for validation, a fixed, class-balanced choice; 0 = none */
    uint64_t val_seed; /* also chooses what the limits keep */
    int train_limit;   /* keep at most this many training images after the split, class-balanced; 0 = all */
    int test_limit;    /* same for the test set */
    int resize_h,
        resize_w;  /* image folders: scale until both sides are covered, crop the middle; 0 = as stored */
    bool skip_bad; /* image folders: count and leave out unreadable images instead of failing. The choices
                      above are made before an image is read: a skipped one is missing from its split. An
                      image of another size than the first one is not unreadable: it is always an error. */
    enum data_memory memory;
    int train_images,
        test_images; /* what the set is known to hold, for forecasts without its files; 0 = not known */
};

struct image_stream; /* opaque */

struct image_set {
    size_t count;
    uint8_t *pixels;  /* count x h x w x c, row-major, channels last; NULL when streamed */
    uint16_t *labels; /* 0..classes-1 */
    char **names;     /* image folders: path below the data path; NULL otherwise */
    uint32_t *places; /* each image's number among all training (also for validation) or test images of the
                         files, from 0: ascending; NULL: the set has them all */
};

static inline size_t image_place(const struct image_set *s, size_t index)
{
    return s->places ? s->places[index] : index;
}

struct dataset {
    struct shape image;
    int classes;
    char **class_names; /* classes entries */
    struct image_set sets[SPLIT_COUNT];
    float mean[4], stddev[4]; /* per channel, of the training split, of pixel / 255; stddev at least 1/255 */
    float normalised[4][256]; /* per channel and pixel value: (pixel / 255 - mean) / stddev */
    uint64_t fingerprint;     /* of the shape, the classes and all pixels and labels of the three splits */
    size_t skipped;           /* images left out because of skip_bad */
    char first_skipped[512];  /* reason of the first one */
    struct image_stream *stream; /* NULL: the images are in memory */
};

/* Reads all images once, into memory or, to be streamed, for what is said of them above; the latter keeps a
 * few blocks of images at a time and a checksum of each. Errors name the file and the offset or reason:
 * ST_USAGE when the source or its files are not what is allowed, ST_CORRUPT for a damaged file, ST_NOMEM also
 * when the images cannot fit this machine. The caller releases *out, also after a failure (it is then empty).
 */
enum status dataset_load(const struct data_source *source, struct dataset *out, struct err *e);
void dataset_release(struct dataset *d);

/* Bytes of memory that the images take: 0 when they are streamed. */
size_t dataset_memory(const struct dataset *d);

/* What the headers of the files say, without reading all of them. */
struct data_look {
    struct shape image; /* c = 0: not known (gray so far, and others may have colours); all 0: nothing is */
    int classes;
};

/* Looks at a data source as dataset_load finds it, in milliseconds: headers, names of folders, one image of
 * an image folder, the labels of IDX files. Errors are dataset_load's; what it would find further in the
 * files stays unseen, and whether val leaves training images. */
enum status dataset_look(const struct data_source *source, struct data_look *out, struct err *e);

enum crop_border { CROP_REFLECT, CROP_ZERO };

struct augmentation {
    bool flip;    /* mirror left-right with probability 1/2 */
    int crop_pad; /* pad by this many pixels, then crop at a random place; 0 = no crop; < min(h, w) */
    enum crop_border
        border; /* reflect: mirrored without repeating the edge; zero: black, before normalisation */
};

/* ST_USAGE when the augmentation does not fit images of this shape. */
enum status augmentation_check(const struct augmentation *a, struct shape image, struct err *e);

/* Writes sample `index` of a split as the network sees it: (pixel / 255 - mean) / stddev, float, channels
 * last; row r starts at out + r * pitch (pitch in floats, >= w * c). With `a` not NULL it is augmented by
 * numbers that depend on (seed, epoch, index) only; a crop_pad that does not fit counts as the largest that
 * does. Returns the label. Safe from many threads at once. A streamed image whose file is gone, damaged or no
 * longer shows what it did when it was first read gives -1 and an undefined sample: see dataset_failure. */
int dataset_sample(const struct dataset *d, enum split split, size_t index, const struct augmentation *a,
                   uint64_t seed, unsigned epoch, float *out, size_t pitch);

/* Why dataset_sample returned -1 for the first time: status and text with the file's name. ST_OK when it
 * never did. Not to be called while samples are drawn. */
enum status dataset_failure(const struct dataset *d, struct err *e);

/* Says that these samples will be needed soon: streamed files begin to be read, without waiting for them.
 * Numbers past the end of the split are ignored; a file that cannot be read is left for dataset_sample to
 * report. Safe from many threads at once. */
void dataset_ahead(const struct dataset *d, enum split split, const uint32_t *samples, size_t count);

#endif
