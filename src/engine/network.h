/* A network as the engine runs it: operations in order, and where every parameter lies.
 *
 * An arch lists layers; here the convolutions that share input and output (the two expand layers of a
 * Fire) are branches of one operation, so that the gradient to the squeeze output is gathered in one pass.
 *
 * Parameters are one block of floats: the weights of all convolutions in layer order, each in the panels of
 * kernels.h, then all biases, each padded to panel_channels. A second block holds the transposed weights that
 * the gradient to the data needs, rebuilt after every update. */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/kernels.h"
#include "metamodel/arch.h"

enum {
    BRANCH_MAX = 2,
    NETWORK_MAX_KERNEL = 11,
    SEGMENT_MAX = BRANCH_MAX * NETWORK_MAX_KERNEL * NETWORK_MAX_KERNEL
};

/* One convolution layer. */
struct branch {
    int layer; /* index into arch.layers */
    int cin, cout;
    int c0; /* first channel it writes */
    int kernel, pad;
    bool relu;
    int k_count;    /* kernel * kernel * cin */
    size_t weights; /* offsets into the parameter block, floats */
    size_t biases;
};

enum op_kind { OP_CONV, OP_MAXPOOL, OP_ADD, OP_DROPOUT, OP_AVGPOOL };

struct op {
    enum op_kind kind;
    int in, in2, out; /* tensors; in2 is -1 unless OP_ADD */
    int branch_count;
    struct branch branch[BRANCH_MAX];
    int kernel, stride, pad; /* pool; stride also of a convolution */
    bool wants_dx;           /* false when `in` is the image */
    size_t transposed;       /* OP_CONV with wants_dx: offset into the transposed block */
    int transposed_k;        /* sum over branches of kernel * kernel * cout */
    /* Whether this op is the first (last) in the backward pass to add to the gradient of in, in2. */
    bool first[2], last[2];
};

struct net_tensor {
    struct shape shape;
    int border;                    /* zero pixels around the values: largest padding of a reader */
    int grad_border;               /* the same around the gradient */
    bool relu;                     /* values are outputs of ReLU: the gradient is masked by value > 0 */
    int writer;                    /* op that writes it, -1 for the image */
    int first_reader, last_reader; /* ops; -1 if none (the logits) */
};

struct network {
    struct arch arch;
    int op_count;
    struct op ops[ARCH_MAX_LAYERS];
    int tensor_count;
    struct net_tensor tensors[ARCH_MAX_TENSORS];
    int logits;           /* tensor */
    size_t weight_floats; /* the weights' part of the block */
    size_t param_floats;  /* weights and biases */
    size_t transposed_floats;
};

/* Compiles an arch. With `dropout` false the dropout layer is left out (its output is its input).
 * ST_USAGE for what the engine cannot run: a strided convolution other than the first, kernels beyond
 * NETWORK_MAX_KERNEL. */
enum status network_init(struct network *n, const struct arch *a, bool dropout, struct err *e);

/* Converts one branch's weights between panels and the plain order [cout][cin][ky][kx]. */
void network_pack(const struct branch *b, const float *oihw, float *panels);
void network_unpack(const struct branch *b, const float *panels, float *oihw);

/* Rebuilds the transposed weights of one op from the parameter block. */
void network_transpose(const struct op *op, const float *params, float *transposed);

#endif
