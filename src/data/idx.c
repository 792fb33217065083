#include "data/idx.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/gzip.h"
#include "data/image_set.h"
#include "data/input_file.h"
#include "data/split.h"

enum {
    TYPE_UNSIGNED_BYTE = 0x08,
    HEADER_MAX = 16,   /* magic and three sizes */
    DEFLATE_MAX = 1032 /* deflate cannot make data smaller than 1/1032 */
};

static const char train_images[] = "train-images-idx3-ubyte", train_labels[] = "train-labels-idx1-ubyte";

static size_t read_be32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static enum status check_magic(const uint8_t *file, int dimensions, struct err *e)
{
    if (file[0] != 0 || file[1] != 0) {
        return err_set(e, ST_CORRUPT, "bad magic %02x%02x%02x%02x at byte 0: not an IDX file", file[0],
                       file[1], file[2], file[3]);
    }
    if (file[2] != TYPE_UNSIGNED_BYTE) {
        return err_set(e, ST_USAGE, "element type 0x%02x at byte 2: only 0x08 (unsigned byte) is supported",
                       file[2]);
    }
    if (file[3] != dimensions) {
        return err_set(e, ST_USAGE, "%d dimensions at byte 3, expected %d (%s)", file[3], dimensions,
                       dimensions == 1 ? "labels" : "images, rows, columns");
    }
    return ST_OK;
}

/* Reads the header from the first `n` bytes of the (decompressed) file. */
static enum status parse_header(const uint8_t *file, size_t n, int dimensions, struct idx_array *out,
                                struct err *e)
{
    size_t header = 4 + 4 * (size_t)dimensions;
    if (n < 4)
        return err_set(e, ST_CORRUPT, "truncated at byte %zu: an IDX header has %zu", n, header);
    enum status status = check_magic(file, dimensions, e);
    if (status != ST_OK)
        return status;
    if (n < header)
        return err_set(e, ST_CORRUPT, "truncated at byte %zu: an IDX header has %zu", n, header);
    for (int i = 0; i < 3; i++) {
        out->size[i] = i < dimensions ? read_be32(file + 4 + 4 * i) : 1;
        size_t most = i == 0 ? UINT32_MAX : IMAGE_SIDE_MAX;
        if (out->size[i] == 0 || out->size[i] > most) {
            return err_set(e, ST_CORRUPT, "dimension %d at byte %d is %zu, allowed are 1 to %zu", i + 1,
                           4 + 4 * i, out->size[i], most);
        }
    }
    return ST_OK;
}

static enum status check_length(size_t have, size_t expected, const char *note, struct err *e)
{
    if (have < expected)
        return err_set(e, ST_CORRUPT, "truncated at byte %zu of %zu%s", have, expected, note);
    if (have > expected) {
        return err_set(e, ST_CORRUPT, "trailing bytes: the header announces %zu bytes, there are %s%zu%s",
                       expected, *note ? "at least " : "", have, note);
    }
    return ST_OK;
}

/* Inflates a file whose header is known to `total` bytes, header included, which are then cut off. */
static enum status inflate_elements(const uint8_t *file, size_t n, size_t header, size_t total, uint8_t **out,
                                    struct err *e)
{
    static const char note[] = " (after decompression)";
    if (total / DEFLATE_MAX > n) { /* so small a file cannot hold it: do not even ask for the memory */
        return err_set(e, ST_CORRUPT,
                       "truncated: %zu compressed bytes cannot hold the %zu that the header announces", n,
                       total);
    }
    uint8_t *bytes = mem_alloc(total + 1, 1); /* one more shows trailing bytes */
    if (!bytes)
        return err_set(e, ST_NOMEM, "out of memory for %zu bytes", total);
    size_t produced = 0;
    enum status status = gzip_inflate(file, n, bytes, total + 1, &produced, e);
    if (status == ST_OK)
        status = check_length(produced, total, note, e);
    if (status != ST_OK) {
        mem_free(bytes);
        return status;
    }
    memmove(bytes, bytes + header, total - header);
    *out = bytes;
    return ST_OK;
}

static enum status copy_elements(const uint8_t *file, size_t n, size_t header, size_t total, uint8_t **out,
                                 struct err *e)
{
    enum status status = check_length(n, total, "", e);
    if (status != ST_OK)
        return status;
    uint8_t *bytes = mem_alloc(total - header, 1);
    if (!bytes)
        return err_set(e, ST_NOMEM, "out of memory for %zu bytes", total - header);
    *out = memcpy(bytes, file + header, total - header);
    return ST_OK;
}

/* The header alone; of a compressed file, the first bytes of the file are enough. */
static enum status read_header(const uint8_t *file, size_t n, bool compressed, int dimensions,
                               struct idx_array *out, struct err *e)
{
    uint8_t start[HEADER_MAX];
    const size_t header = 4 + 4 * (size_t)dimensions;
    size_t start_n = n < header ? n : header;
    enum status status = ST_OK;
    if (compressed)
        status = gzip_inflate(file, n, start, header, &start_n, e);
    else if (start_n > 0)
        memcpy(start, file, start_n);
    return status == ST_OK ? parse_header(start, start_n, dimensions, out, e) : status;
}

enum status idx_parse(const uint8_t *file, size_t n, bool compressed, int dimensions, struct idx_array *out,
                      struct err *e)
{
    struct idx_array found = {{0}, NULL};
    const size_t header = 4 + 4 * (size_t)dimensions;
    *out = found;
    enum status status = read_header(file, n, compressed, dimensions, &found, e);
    if (status != ST_OK)
        return status;
    size_t total = found.size[0] * found.size[1] * found.size[2] + header; /* below 2^61 */
    status = compressed ? inflate_elements(file, n, header, total, &found.bytes, e)
                        : copy_elements(file, n, header, total, &found.bytes, e);
    if (status == ST_OK)
        *out = found;
    return status;
}

void idx_array_release(struct idx_array *a)
{
    mem_free(a->bytes);
    *a = (struct idx_array){{0}, NULL};
}

/* `folder`/`name`, or `name`.gz if only that exists; *path is the caller's (mem_free), also on failure. */
static enum status find_array(const char *folder, const char *name, char **path, bool *compressed,
                              struct err *e)
{
    *path = mem_printf("%s/%s", folder, name);
    char *zipped = mem_printf("%s/%s.gz", folder, name);
    enum status status = ST_OK;
    if (!*path || !zipped) {
        status = err_set(e, ST_NOMEM, "out of memory while reading %s", folder);
    } else if (file_exists(*path)) {
        *compressed = false;
    } else if (file_exists(zipped)) {
        *compressed = true;
        char *plain = *path;
        *path = zipped;
        zipped = plain;
    } else {
        status = err_set(e, ST_USAGE, "no file %s (or %s.gz)", *path, name);
    }
    mem_free(zipped);
    return status;
}

/* *path as find_array's. */
static enum status read_array(const char *folder, const char *name, int dimensions, char **path,
                              struct idx_array *out, struct err *e)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    bool compressed = false;
    enum status status = find_array(folder, name, path, &compressed, e);
    if (status == ST_OK)
        status = input_file_read(*path, INPUT_FILE_ANY_SIZE, &bytes, &n, e);
    if (status != ST_OK)
        return status;
    status = idx_parse(bytes, n, compressed, dimensions, out, e);
    mem_free(bytes);
    return status == ST_OK ? ST_OK : err_prefix(e, "%s", *path);
}

/* Labels to 16 bits; *classes is the number allowed, or 0 to find it (largest label + 1). */
static enum status take_labels(const struct idx_array *labels, const char *path, int *classes,
                               struct image_set *set, struct err *e)
{
    int largest = 0;
    set->labels = mem_alloc(labels->size[0], sizeof *set->labels);
    if (!set->labels || !labels->bytes)
        return err_set(e, ST_NOMEM, "out of memory for %zu labels", labels->size[0]);
    for (size_t i = 0; i < labels->size[0]; i++) {
        int label = labels->bytes[i];
        if (*classes > 0 && label >= *classes) {
            return err_set(e, ST_CORRUPT, "%s: label %d at byte %zu, but the training labels end at %d", path,
                           label, i + 8, *classes - 1);
        }
        largest = label > largest ? label : largest;
        set->labels[i] = (uint16_t)label;
    }
    if (*classes == 0)
        *classes = largest + 1;
    return ST_OK;
}

/* Gives the images of one set to the data set, whose shape is that of the first set. */
static enum status take_images(struct idx_array *images, const char *path, struct dataset *d,
                               struct image_set *set, struct err *e)
{
    struct shape shape = {1, (int)images->size[1], (int)images->size[2]};
    if (d->image.c == 0)
        d->image = shape;
    if (shape.h != d->image.h || shape.w != d->image.w) {
        return err_set(e, ST_CORRUPT, "%s: images are %dx%d (height x width), the training images %dx%d",
                       path, shape.h, shape.w, d->image.h, d->image.w);
    }
    set->pixels = images->bytes;
    set->count = images->size[0];
    images->bytes = NULL;
    return ST_OK;
}

/* One set: an image file and a label file. */
static enum status load_set(const char *folder, const char *images_name, const char *labels_name,
                            struct dataset *d, struct image_set *set, struct err *e)
{
    struct idx_array images = {{0}, NULL}, labels = {{0}, NULL};
    char *images_path = NULL, *labels_path = NULL;
    enum status status = read_array(folder, images_name, 3, &images_path, &images, e);
    if (status == ST_OK)
        status = read_array(folder, labels_name, 1, &labels_path, &labels, e);
    if (status == ST_OK && images.size[0] != labels.size[0]) {
        status = err_set(e, ST_CORRUPT, "%s has %zu labels, but %s has %zu images", labels_path,
                         labels.size[0], images_path, images.size[0]);
    }
    if (status == ST_OK)
        status = take_labels(&labels, labels_path, &d->classes, set, e);
    if (status == ST_OK)
        status = take_images(&images, images_path, d, set, e);
    idx_array_release(&images);
    idx_array_release(&labels);
    mem_free(images_path);
    mem_free(labels_path);
    return status;
}

/* Rows and columns of the training images, from the first bytes of their file. */
static enum status look_at_images(const char *folder, struct shape *out, struct err *e)
{
    enum { START = 1 << 17 }; /* more than any gzip header takes */
    char *path = NULL;
    bool compressed = false;
    size_t n = 0;
    struct idx_array found = {{0}, NULL};
    uint8_t *start = mem_alloc(START, 1);
    if (!start)
        return err_set(e, ST_NOMEM, "out of memory while reading %s", folder);
    enum status status = find_array(folder, train_images, &path, &compressed, e);
    if (status == ST_OK)
        status = input_file_start(path, start, START, &n, e);
    if (status == ST_OK) {
        status = read_header(start, n, compressed, 3, &found, e);
        status = status == ST_OK ? ST_OK : err_prefix(e, "%s", path);
    }
    *out = (struct shape){1, (int)found.size[1], (int)found.size[2]};
    mem_free(start);
    mem_free(path);
    return status;
}

enum status idx_look(const struct data_source *source, struct data_look *out, struct err *e)
{
    struct idx_array labels = {{0}, NULL};
    struct image_set set = {0};
    char *path = NULL;
    enum status status = look_at_images(source->path, &out->image, e);
    if (status == ST_OK)
        status = read_array(source->path, train_labels, 1, &path, &labels, e);
    if (status == ST_OK)
        status = take_labels(&labels, path, &out->classes, &set, e);
    image_set_release(&set);
    idx_array_release(&labels);
    mem_free(path);
    return status;
}

enum status idx_load(const struct data_source *source, struct dataset *d, struct err *e)
{
    enum status status = load_set(source->path, train_images, train_labels, d, &d->sets[SPLIT_TRAIN], e);
    if (status == ST_OK) {
        status = load_set(source->path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", d,
                          &d->sets[SPLIT_TEST], e);
    }
    if (status == ST_OK)
        status = class_names_numbered(d, e);
    return status == ST_OK ? split_loaded(d, source, e) : status;
}
