/* Small data sets that a network can learn, for tests: made from a seed, nothing to download.
 *
 * Classes differ in brightness or colour and in the direction of stripes; phase and noise differ from
 * image to image. A test set is drawn like the training set, from other numbers. All folders are created. */
#ifndef TESTS_DATA_SYNTHETIC_H
#define TESTS_DATA_SYNTHETIC_H

#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

enum { SYNTHETIC_CLASSES_MAX = 100 };

/* dir/train/class00/0000.jpg, 0001.png, ...: RGB, JPEG and PNG in turn; dir/test/ alike. */
enum status synthetic_image_folder(const char *dir, int classes, int per_class_train, int per_class_test,
                                   int side, uint64_t seed, struct err *e);

/* The four files of MNIST, not compressed; classes take turns. */
enum status synthetic_idx(const char *dir, int classes, int per_class_train, int per_class_test, int side,
                          uint64_t seed, struct err *e);

/* The six files of CIFAR-10 and its class names: 10 classes, 32x32; per_class_train is per class and file. */
enum status synthetic_cifar10(const char *dir, int per_class_train, int per_class_test, uint64_t seed,
                              struct err *e);

/* One image: side x side x channels (1 or 3) bytes, channels last. */
void synthetic_image(int class, int classes, int side, int channels, struct rng *rng, uint8_t *out);

#endif
