#include "data/image_stream.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/hash.h"
#include "base/mem.h"
#include "data/digest.h"
#include "data/image_file.h"
#include "data/image_set.h"

enum {
    BLOCK_IMAGES_MAX = 256,
    BLOCK_BYTES = 64 << 20, /* of decoded images at a time while all are read; one image at least */
    READERS_MAX = 64,
};

struct image_stream {
    char *root;
    struct image_request request;
    uint64_t *checks[SPLIT_COUNT]; /* hash of each image's pixels: a changed file must not go unnoticed */
    atomic_flag failing;           /* somebody records the first failure */
    struct err failure;
};

void image_reader_init(struct image_reader *r)
{
    image_decoder_init(&r->decoder);
    r->wide = (struct image){0};
}

void image_reader_release(struct image_reader *r)
{
    image_decoder_release(&r->decoder);
    mem_free(r->wide.pixels);
    r->wide = (struct image){0};
}

void image_stream_free(struct image_stream *s)
{
    if (!s)
        return;
    for (int i = 0; i < SPLIT_COUNT; i++)
        mem_free(s->checks[i]);
    mem_free(s->root);
    mem_free(s);
}

/* Decodes a file; a gray image is widened to `channels`, one with more channels is left as it is. */
static enum status read_image(const struct image_stream *s, const char *name, int channels,
                              struct image_reader *r, const struct image **out, struct err *e)
{
    enum status status = image_file_decode(&r->decoder, s->root, name, &s->request, out, e);
    if (status != ST_OK || (*out)->c >= channels)
        return status;
    const struct image *gray = *out;
    status = image_reserve(&r->wide, channels, gray->h, gray->w, e);
    if (status == ST_OK) {
        image_widen(gray->pixels, (size_t)gray->h * (size_t)gray->w, r->wide.pixels);
        *out = &r->wide;
    }
    return status;
}

/* Should it have become a pipe, opening it must not wait for a writer. */
static void begin_reading(const struct image_stream *s, const char *name)
{
    char *path = mem_printf("%s/%s", s->root, name);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
        close(fd);
    }
    mem_free(path);
}

/* Reading all images once */

/* What became of one image of a block. */
struct scanned {
    enum status status;
    int c; /* channels; the pixels are in the block unless there are too many */
    struct err reason;
};

/* One block of neighbouring images of a split, which several threads decode. */
struct scan {
    const struct data_source *source;
    struct dataset *d;
    struct digest digest;
    int channels;  /* that the pass works with; when an image has more, another pass must follow */
    bool stale;    /* the pass's digest is of no use */
    size_t images; /* most of a block */
    uint8_t *pixels;
    struct scanned *results;
    enum split split;
    size_t first, count;
    atomic_size_t next;
    int readers;
    struct image_reader reader[READERS_MAX];
};

/* One thread of the scan. */
struct scan_share {
    struct scan *scan;
    int number;
};

static struct shape scan_shape(const struct scan *s)
{
    return (struct shape){s->channels, s->d->image.h, s->d->image.w};
}

static void scan_image(struct scan *s, struct image_reader *r, size_t i)
{
    struct scanned *result = &s->results[i];
    const struct image_set *set = &s->d->sets[s->split];
    const struct image *image = NULL;
    size_t bytes = shape_bytes(scan_shape(s)), later = s->first + i + s->images;
    if (later < set->count)
        begin_reading(s->d->stream, set->names[later]);
    result->reason = ERR_INIT;
    result->status =
        read_image(s->d->stream, set->names[s->first + i], s->channels, r, &image, &result->reason);
    result->c = result->status == ST_OK ? image->c : 0;
    if (result->c == s->channels) {
        memcpy(s->pixels + i * bytes, image->pixels, bytes);
        s->d->stream->checks[s->split][s->first + i] = hash_bytes(image->pixels, bytes);
    }
}

static void *scan_run(void *context)
{
    const struct scan_share *share = context;
    struct scan *s = share->scan;
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->count;)
        scan_image(s, &s->reader[share->number], i);
    return NULL;
}

/* Decodes one block; a thread that cannot be started leaves its work to the others. */
static void scan_block(struct scan *s)
{
    struct scan_share shares[READERS_MAX];
    pthread_t threads[READERS_MAX];
    int started = 0;
    atomic_store(&s->next, 0);
    for (int i = 1; i < s->readers && (size_t)i < s->count; i++) {
        shares[started] = (struct scan_share){s, i};
        if (pthread_create(&threads[started], NULL, scan_run, &shares[started]) != 0)
            break;
        started++;
    }
    scan_run(&(struct scan_share){s, 0});
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* Takes the results of a block, in order. */
static enum status scan_collect(struct scan *s, struct err *e)
{
    struct image_set *set = &s->d->sets[s->split];
    size_t bytes = shape_bytes(scan_shape(s));
    for (size_t i = 0; i < s->count; i++) {
        const struct scanned *result = &s->results[i];
        if (image_file_may_skip(s->source, result->status)) {
            image_file_note_skipped(s->d, &result->reason);
            mem_free(set->names[s->first + i]);
            set->names[s->first + i] = NULL;
            s->stale = true;
        } else if (result->status != ST_OK) {
            return err_set(e, result->status, "%s", result->reason.text);
        } else if (result->c > s->channels) {
            s->d->image.c = result->c;
            s->stale = true;
        } else if (!s->stale) {
            digest_pixels(&s->digest, s->split, s->pixels + i * bytes, 1);
        }
    }
    return ST_OK;
}

/* Drops the images whose names are gone. */
static void remove_skipped(struct image_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->names[i]) {
            set->names[kept] = set->names[i];
            set->places[kept] = set->places[i];
            set->labels[kept++] = set->labels[i];
        }
    }
    set->count = kept;
}

static enum status scan_set(struct scan *s, enum split split, struct err *e)
{
    struct image_set *set = &s->d->sets[split];
    enum status status = ST_OK;
    s->split = split;
    digest_set(&s->digest, set->count);
    for (s->first = 0; status == ST_OK && s->first < set->count; s->first += s->count) {
        size_t left = set->count - s->first;
        s->count = left < s->images ? left : s->images;
        scan_block(s);
        status = scan_collect(s, e);
    }
    if (status == ST_OK)
        digest_labels(&s->digest, set->labels, set->count);
    remove_skipped(set);
    return status;
}

/* Reads all images. The fingerprint begins with the number of channels and each set's size: what is learnt of
 * them on the way makes another pass necessary, which happens once as a rule. */
static enum status scan_pass(struct scan *s, struct err *e)
{
    s->stale = false;
    s->channels = s->d->image.c;
    enum status status = digest_init(&s->digest, s->d->image, s->d->classes, e);
    if (status != ST_OK)
        return status;
    for (int i = 0; status == ST_OK && i < SPLIT_COUNT; i++)
        status = scan_set(s, (enum split)i, e);
    if (status == ST_OK && !s->stale)
        digest_finish(&s->digest, s->d);
    digest_release(&s->digest);
    return status;
}

static enum status scan_init(struct scan *s, struct err *e)
{
    struct cpu_info machine;
    size_t bytes = shape_bytes((struct shape){3, s->d->image.h, s->d->image.w});
    cpu_detect(&machine);
    s->readers = machine.allowed.count < READERS_MAX ? machine.allowed.count : READERS_MAX;
    s->images = BLOCK_BYTES / bytes < 1 ? 1 : BLOCK_BYTES / bytes;
    s->images = s->images < BLOCK_IMAGES_MAX ? s->images : BLOCK_IMAGES_MAX;
    s->pixels = mem_alloc(s->images, bytes);
    s->results = mem_calloc(s->images, sizeof *s->results);
    return s->pixels && s->results ? ST_OK : err_set(e, ST_NOMEM, "out of memory for the images to read");
}

static enum status scan_all(struct dataset *d, const struct data_source *source, struct err *e)
{
    struct scan *s = mem_calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ST_NOMEM, "out of memory for the images to read");
    s->source = source;
    s->d = d;
    enum status status = scan_init(s, e);
    do {
        status = status == ST_OK ? scan_pass(s, e) : status;
    } while (status == ST_OK && s->stale);
    for (int i = 0; i < s->readers; i++)
        image_reader_release(&s->reader[i]);
    mem_free(s->pixels);
    mem_free(s->results);
    mem_free(s);
    return status;
}

enum status image_stream_open(struct dataset *d, const struct data_source *source,
                              const struct image_request *request, struct err *e)
{
    struct image_stream *s = d->stream = mem_calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ST_NOMEM, "out of memory for an image folder");
    atomic_flag_clear(&s->failing);
    s->request = *request;
    s->root = mem_strdup(source->path);
    bool complete = s->root != NULL;
    for (int i = 0; complete && i < SPLIT_COUNT; i++) {
        s->checks[i] = mem_alloc(d->sets[i].count, sizeof *s->checks[i]);
        complete = s->checks[i] != NULL;
    }
    return complete ? scan_all(d, source, e) : err_set(e, ST_NOMEM, "out of memory for an image folder");
}

/* Samples */

/* Keeps the first failure. */
static void note_failure(struct image_stream *s, const struct err *reason)
{
    if (!atomic_flag_test_and_set(&s->failing))
        s->failure = *reason;
}

bool image_stream_read(const struct dataset *d, enum split split, size_t index, struct image_reader *r,
                       const uint8_t **pixels)
{
    struct image_stream *s = d->stream;
    const char *name = d->sets[split].names[index];
    const struct image *image = NULL;
    struct err reason = ERR_INIT;
    enum status status = read_image(s, name, d->image.c, r, &image, &reason);
    if (status == ST_OK && (image->c != d->image.c ||
                            hash_bytes(image->pixels, shape_bytes(d->image)) != s->checks[split][index])) {
        status = err_set(&reason, ST_CORRUPT, "%s/%s: the image is not what it was when it was first read",
                         s->root, name);
    }
    if (status != ST_OK) {
        note_failure(s, &reason);
        return false;
    }
    *pixels = image->pixels;
    return true;
}

enum status dataset_failure(const struct dataset *d, struct err *e)
{
    if (!d->stream || d->stream->failure.status == ST_OK)
        return ST_OK;
    return err_set(e, d->stream->failure.status, "%s", d->stream->failure.text);
}

void dataset_ahead(const struct dataset *d, enum split split, const uint32_t *samples, size_t count)
{
    for (size_t i = 0; d->stream && i < count; i++)
        if (samples[i] < d->sets[split].count)
            begin_reading(d->stream, d->sets[split].names[samples[i]]);
}
