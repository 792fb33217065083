/* A network as the engine runs it: operations in order, and where every parameter lies.
 *
 * An arch lists layers; here the convolutions that share input and output (the two expand layers of a
 * Fire) are branches of one operation, so that the gradient to the squeeze output is gathered in one pass.
 *
 * Parameters are one block of floats: the weights of all convolutions in layer order, each in the panels of
 * kernels.h, then all biases, each padded to panel_channels. A second block holds what is
 * derived from the weights and rebuilt after every update: weights in Winograd's domain, and transposed for
 * the gradient to the data. */
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
    bool winograd; /* runs as F(4x4, 3x3); */
    bool columns;  /* or as nine columns per output (columns.h), but for the gradient to the data; or directly
                    */
    /* winograd: offsets into the derived block of WINOGRAD_PLANES panels each: [cin][cout], and turned by 180
     * degrees [cout][cin]. */
    size_t forward_planes, backward_planes;
    size_t column_weights; /* columns: offset into the derived block */
};

enum op_kind { OP_CONV, OP_MAXPOOL, OP_ADD, OP_DROPOUT, OP_AVGPOOL };

struct op {
    enum op_kind kind;
    int in, in2, out; /* tensors; in2 is -1 unless OP_ADD */
    int branch_count;
    struct branch branch[BRANCH_MAX];
    int stride;        /* of a convolution */
    bool wants_dx;     /* false when `in` is the image */
    size_t transposed; /* OP_CONV with wants_dx: direct branches' weights in panels of cin, in the derived
                          block */
    int transposed_k;  /* sum over direct branches of kernel * kernel * cout */
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
    size_t derived_floats;
};

/* What the engine may choose; all of it is part of a trial's numerics. */
struct network_options {
    bool dropout;  /* false: the dropout layer is left out, its output is its input */
    bool winograd; /* use F(4x4, 3x3) where it needs fewer operations */
    /* Only for forward passes: nothing is derived for gradients. Not part of the numerics; values are the
     * same. */
    bool forward_only;
};

/* Compiles an arch. ST_USAGE for what the engine cannot run: a strided convolution other than the first,
 * kernels beyond NETWORK_MAX_KERNEL. */
enum status network_init(struct network *n, const struct arch *a, struct network_options options,
                         struct err *e);

/* Converts one branch's weights between panels and the plain order [cout][cin][ky][kx]. */
void network_pack(const struct branch *b, const float *oihw, float *panels);
void network_unpack(const struct branch *b, const float *panels, float *oihw);

/* Rebuilds what is derived from output channels o0 .. o0 + PANEL (o0 a multiple of PANEL) of one branch.
 * Panels are independent, so threads can share them. */
void network_derive(const struct op *op, const struct branch *b, int o0, const struct kernels *k,
                    const float *params, float *derived);
/* The same for all panels of the network. */
void network_derive_all(const struct network *n, const struct kernels *k, const float *params,
                        float *derived);

#endif
