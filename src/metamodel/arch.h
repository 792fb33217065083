/* The architecture of one variant: the contract between the design space and the engine.
 *
 * A design says what is wanted (metaparameters, macro-architecture); an arch is the
 * realised network: tensors and the layers that compute them, in order of execution.
 * Plain data, copied by assignment, nothing to release. */
#ifndef METAMODEL_ARCH_H
#define METAMODEL_ARCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "metamodel/metaparams.h"

enum bypass { BYPASS_NONE, BYPASS_SIMPLE, BYPASS_COMPLEX };

struct shape {
    int c, h, w; /* channels, rows, columns */
};

enum { POOL_AFTER_CONV1 = 1 << 1 }; /* bit k of `pools`: after fire k, k = 2..9; bit 1: after conv1 */

/* Bounds of the macro-architecture: with WIDTH_MAX they keep every cost within int64_t. */
enum { CHANNELS_MAX = 256, SIDE_MAX = 4096, CLASSES_MAX = 65535, KERNEL_MAX = 64 };

/* Everything around the Fires. */
struct macro {
    struct shape input; /* c 1..CHANNELS_MAX, h and w 1..SIDE_MAX */
    int classes;        /* 1..CLASSES_MAX */
    int conv1_filters;  /* 1..WIDTH_MAX */
    int conv1_kernel;   /* 1..KERNEL_MAX */
    int conv1_stride;   /* 1..KERNEL_MAX */
    int conv1_pad;      /* 0..conv1_kernel-1: no window lies in the border alone */
    unsigned pools;     /* places of the 3x3/2 max pools */
    bool pool_floor;    /* floor instead of ceil for the pools' output size */
    enum bypass bypass;
    bool conv10_relu; /* v1.0 has one */
    int conv10_pad;   /* 1 in v1.0's files, 0 elsewhere; nothing else */
};

struct design {
    struct metaparams meta; /* used unless explicit_fires */
    struct macro macro;
    struct fire fires[FIRE_COUNT]; /* the explicit list */
    bool explicit_fires;
};

enum layer_kind {
    LAYER_CONV,    /* out[:, out_c0 .. out_c0+cout) = act(conv(in) + bias); act is ReLU or nothing */
    LAYER_MAXPOOL, /* 3x3/2 or as given; the window is clipped at the border */
    LAYER_ADD,     /* out = in + in2, all of one shape (bypass) */
    LAYER_DROPOUT, /* the rate belongs to the training recipe; identity at evaluation */
    LAYER_AVGPOOL, /* global: out is c x 1 x 1 */
};

/* Names: conv1, pool1 (after conv1; pool4 is after fire4), fire2.squeeze1x1, fire2.expand1x1,
 * fire2.expand3x3, fire4.bypass1x1, fire3.add, dropout, conv10, avgpool. */
struct layer {
    enum layer_kind kind;
    char name[24];
    int in, in2;             /* tensors read; in2 is -1 unless LAYER_ADD */
    int out;                 /* tensor written */
    int out_c0;              /* first channel written: the expand layers share one concatenated output */
    int cin, cout;           /* LAYER_CONV: channels read and written */
    int kernel, stride, pad; /* LAYER_CONV and LAYER_MAXPOOL */
    bool pool_floor;         /* LAYER_MAXPOOL */
    bool relu;               /* LAYER_CONV */
};

enum { ARCH_MAX_LAYERS = 56, ARCH_MAX_TENSORS = 48 };

/* Every tensor is written by one layer, or by the two expand layers of a Fire. */
struct arch {
    struct shape input; /* == tensors[0] */
    int classes;
    struct fire fires[FIRE_COUNT];
    int layer_count, tensor_count;
    struct layer layers[ARCH_MAX_LAYERS];
    /* 0 is the image; the last one holds the logits, classes x 1 x 1. */
    struct shape tensors[ARCH_MAX_TENSORS];
};

/* Presets: "squeezenet-1.0", "squeezenet-1.1", "small32". Fills macro and meta with the
 * preset's values; an unknown name is ST_USAGE listing the known ones. */
enum status design_preset(const char *name, struct design *out, struct err *e);
/* NULL-terminated list of preset names. */
const char *const *design_preset_names(void);

/* Names for spec, CLI, database: "none", "simple", "complex". */
const char *bypass_name(enum bypass b);
bool bypass_parse(const char *text, enum bypass *out);

/* Pool places as text, for example "conv1,fire4,fire8" ("none" when empty). */
bool pools_parse(const char *text, unsigned *out); /* spaces around names are fine, repeated places are not */
char *pools_format(unsigned pools, char out[64]);  /* returns out */

/* The Fires of a design, derived from its metaparameters or taken from its explicit list (each s1x1 at least
 * 1, each e1x1 and e3x3 at least 0, each e1x1 + e3x3 from 1 to WIDTH_MAX), with the realised ratios. Errors
 * as metaparams_derive; an explicit value is named "fire2.s1x1". */
enum status design_derive(const struct design *d, struct derived *out, struct err *e);

/* Realises a design. Checks every value (ST_USAGE: key, value, range) and that the maps do
 * not shrink to nothing (naming the layer). On failure *out is untouched.
 * - Sizes: convolutions floor((in + 2 pad - kernel) / stride) + 1; max pools the same without pad, with ceil
 *   unless pool_floor: the last window may then reach past the border and is clipped (Caffe).
 * - Fire: squeeze, expand 1x1, expand 3x3 (pad 1), each with ReLU; an expand branch of 0 filters gives no
 *   layer.
 * - Bypass: simple adds around every Fire whose input and output widths are equal; complex adds a 1x1
 *   convolution (no ReLU) around every other Fire too (paper, section 6). What is added is the Fire's own
 *   input, so behind a pool the bypass starts at the pool's output. A pool after a Fire comes after its sum.
 * - After fire9 and its pool: dropout, conv10, global average pool. */
enum status arch_build(const struct design *d, struct arch *out, struct err *e);

/* Identity: a hash of the realised input, classes, tensor shapes and layer list. Designs with equal realised
 * layers have equal identity whatever metaparameters they came from; names do not count, and pool_floor
 * only where it changes a shape. Equal on every machine. */
void arch_hash(const struct arch *a, char out[HASH_TEXT]);

#endif
