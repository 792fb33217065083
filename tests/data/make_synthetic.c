/* Writes a synthetic data set for end-to-end tests:
 * make_synthetic idx|cifar10|image-folder DIR CLASSES TRAIN TEST SIDE [SEED]; TRAIN and TEST count images per
 * class. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "synthetic.h"

static bool parse_numbers(char **texts, int count, int64_t *out)
{
    for (int i = 0; i < count; i++)
        if (!num_parse_int(texts[i], &out[i]) || out[i] < 0 || out[i] > 1000000)
            return false;
    return true;
}

static enum status make(const char *format, const char *dir, const int64_t *numbers, struct err *e)
{
    int classes = (int)numbers[0], train = (int)numbers[1], test = (int)numbers[2], side = (int)numbers[3];
    uint64_t seed = (uint64_t)numbers[4];
    if (strcmp(format, "idx") == 0)
        return synthetic_idx(dir, classes, train, test, side, seed, e);
    if (strcmp(format, "image-folder") == 0)
        return synthetic_image_folder(dir, classes, train, test, side, seed, e);
    if (strcmp(format, "cifar10") != 0 || classes != 10 || side != 32 || train % 5 != 0) {
        return err_set(e, ST_USAGE,
                       "format %s: allowed are idx, image-folder, and cifar10 with 10 classes, a multiple "
                       "of 5 training images per class, side 32",
                       format);
    }
    return synthetic_cifar10(dir, train / 5, test, seed, e);
}

int main(int argc, char **argv)
{
    int64_t numbers[5] = {0, 0, 0, 0, 1};
    struct err e = ERR_INIT;
    if (argc < 7 || argc > 8 || !parse_numbers(argv + 3, argc - 3, numbers)) {
        fprintf(stderr, "usage: %s idx|cifar10|image-folder DIR CLASSES TRAIN TEST SIDE [SEED]\n", argv[0]);
        return 2;
    }
    enum status status = make(argv[1], argv[2], numbers, &e);
    if (status != ST_OK)
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
    return err_exit_code(status);
}
