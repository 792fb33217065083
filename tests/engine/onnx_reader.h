/* Reads an ONNX model back and runs it: nothing here is shared with the code that writes models. */
#ifndef TESTS_ENGINE_ONNX_READER_H
#define TESTS_ENGINE_ONNX_READER_H

#include <stddef.h>
#include <stdint.h>

enum { MODEL_NODES = 128, MODEL_VALUES = 256, MODEL_TEXT = 48, MODEL_INTS = 4 };

struct model_attribute {
    char name[MODEL_TEXT];
    int count;
    int64_t values[MODEL_INTS];
};

struct model_node {
    char op[MODEL_TEXT], output[MODEL_TEXT], inputs[3][MODEL_TEXT];
    int input_count, attribute_count;
    struct model_attribute attributes[4];
};

/* A constant, an input or a computed value. */
struct model_value {
    char name[MODEL_TEXT];
    int dims;
    int64_t shape[4];
    float *data; /* owned; NULL when only shapes are followed */
};

struct model {
    int64_t ir_version, opset;
    char input[MODEL_TEXT], output[MODEL_TEXT], note[256];
    int64_t input_shape[4], output_shape[4]; /* -1: any */
    int input_dims, output_dims, meta_count;
    char meta[4][2][1024];
    int node_count, value_count;
    struct model_node nodes[MODEL_NODES];
    struct model_value values[MODEL_VALUES];
};

/* Fails the test on anything that is not well-formed or not expected in a model of firesweep. */
void model_read(const void *bytes, size_t n, struct model *m);
void model_release(struct model *m);

/* Runs the nodes in their order on `count` images (`data` NULL: shapes only), by ONNX's definitions. Fails
 * the test when a node reads what does not exist yet, shapes do not go together, or a name is used twice.
 * Returns the output. */
const struct model_value *model_run(struct model *m, int count, const float *images);
const struct model_value *model_find(const struct model *m, const char *name); /* NULL if absent */
const struct model_node *model_node_of(const struct model *m, const char *output);

#endif
