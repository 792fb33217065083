/* A trained network as an ONNX model: opset 13, float32, channels first, any batch size. */
#ifndef ENGINE_ONNX_H
#define ENGINE_ONNX_H

#include "base/strbuf.h"
#include "engine/weights.h"

struct onnx_options {
    /* One value per channel, or NULL. With them the graph begins with (input - mean) / stddev and takes
     * pixels from 0 to 1; without them it takes images that are normalised already. */
    const float *mean, *stddev;
    const char *producer_version; /* of firesweep */
    const char *note;             /* documentation of the graph, for people */
    const struct st_meta *meta;   /* metadata_props */
    int meta_count;
};

/* Appends the model to *out. Input "input" [batch, c, h, w], output "logits" [batch, classes]; nodes and
 * tensors have the layers' names. Dropout is left out; a convolution's ReLU is a node of its own; the two
 * expand layers of a Fire meet in a Concat. ST_NOMEM; ST_USAGE for more than 2 GiB, ONNX's limit. */
enum status onnx_encode(const struct weights *w, const struct onnx_options *o, struct strbuf *out,
                        struct err *e);

#endif
