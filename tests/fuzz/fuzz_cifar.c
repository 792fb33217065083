/* CIFAR-10 and CIFAR-100 binary files. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/cifar.h"
#include "fuzz.h"

/* Aborts unless the labels are in range and the pixels are those of the planes. */
static void check_images(const uint8_t *bytes, size_t count, struct cifar_layout layout,
                         const uint8_t *pixels, const uint16_t *labels)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *planes = bytes + i * (layout.label_bytes + CIFAR_IMAGE) + layout.label_bytes;
        const uint8_t *last = pixels + (i + 1) * CIFAR_IMAGE - 3;
        if (labels[i] >= layout.classes || last[0] != planes[CIFAR_PLANE - 1] ||
            last[1] != planes[2 * CIFAR_PLANE - 1] || last[2] != planes[3 * CIFAR_PLANE - 1])
            abort();
    }
}

static void parse(const uint8_t *bytes, size_t n, enum data_format format)
{
    struct cifar_layout layout = cifar_layout_of(format);
    struct err e = ERR_INIT;
    size_t count = 0;
    enum status status = cifar_count(n, layout, &count, &e);
    if (status == ST_OK) {
        uint8_t *pixels = malloc(count * CIFAR_IMAGE);
        uint16_t *labels = malloc(count * sizeof *labels);
        if (!pixels || !labels)
            abort();
        status = cifar_parse(bytes, n, layout, pixels, labels, &e);
        if (status == ST_OK)
            check_images(bytes, count, layout, pixels, labels);
        free(pixels);
        free(labels);
    }
    if (status != ST_OK && (status != ST_CORRUPT || e.status != status || e.text[0] == '\0'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    parse(bytes, n, DATA_CIFAR10);
    parse(bytes, n, DATA_CIFAR100);
    return 0;
}
