/* Identity of a realised architecture. */
#include "metamodel/arch.h"

/* Numbers in a fixed order and a fixed byte order. */
struct canonical {
    size_t n;
    unsigned char bytes[4 * (8 + 3 * ARCH_MAX_TENSORS + 12 * ARCH_MAX_LAYERS)];
};

static void put(struct canonical *c, int value)
{
    unsigned v = (unsigned)value;
    for (int shift = 0; shift < 32; shift += 8)
        c->bytes[c->n++] = (unsigned char)(v >> shift & 0xff);
}

void arch_hash(const struct arch *a, char out[HASH_TEXT])
{
    struct canonical c;
    c.n = 0;
    put(&c, 1); /* version of this list */
    put(&c, a->classes);
    put(&c, a->tensor_count);
    put(&c, a->layer_count);
    for (int i = 0; i < a->tensor_count; i++) {
        const struct shape *t = &a->tensors[i];
        put(&c, t->c);
        put(&c, t->h);
        put(&c, t->w);
    }
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        put(&c, (int)l->kind);
        put(&c, l->in);
        put(&c, l->in2);
        put(&c, l->out);
        put(&c, l->out_c0);
        put(&c, l->cin);
        put(&c, l->cout);
        put(&c, l->kernel);
        put(&c, l->stride);
        put(&c, l->pad);
        put(&c, l->relu);
    }
    hash_text(hash_bytes(c.bytes, c.n), out);
}
