/* Images that stay in their files. Private to the data module. */
#ifndef DATA_IMAGE_STREAM_H
#define DATA_IMAGE_STREAM_H

#include "data/dataset.h"
#include "data/image_decode.h"

/* What one thread needs to read images. */
struct image_reader {
    struct image_decoder decoder;
    struct image wide; /* a gray image of an RGB set */
};
void image_reader_init(struct image_reader *r);
void image_reader_release(struct image_reader *r);

/* Reads all images once, on all cores, a bounded number at a time. Before: names, labels, counts and the
 * height and width of *d are set, its channels are those of one of the images. After: d->stream, the
 * channels, mean, stddev, normalised and fingerprint are, as they would be with all images in memory; what
 * skip_bad leaves out is gone from the sets. `request` is how every image is decoded, now and later. */
enum status image_stream_open(struct dataset *d, const struct data_source *source,
                              const struct image_request *request, struct err *e);
void image_stream_free(struct image_stream *s); /* NULL is fine */

/* Decodes one image as it was at image_stream_open; *pixels belong to the reader and last until its next use.
 * False when the file is gone, damaged or changed: recorded for dataset_failure. */
bool image_stream_read(const struct dataset *d, enum split split, size_t index, struct image_reader *r,
                       const uint8_t **pixels);

#endif
