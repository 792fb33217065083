/* An architecture as the text of a checkpoint's header: what arch_build needs to make it again. */
#ifndef ENGINE_CHECKPOINT_ARCH_H
#define ENGINE_CHECKPOINT_ARCH_H

#include "base/err.h"
#include "metamodel/arch.h"

enum { ARCH_TEXT_KEYS = 7, ARCH_TEXT_MAX = 256 };

/* Values of "arch.input", "arch.classes", "arch.conv1", ...: see arch_text_key. */
struct arch_text {
    char value[ARCH_TEXT_KEYS][ARCH_TEXT_MAX];
};

const char *arch_text_key(int i);
void arch_text_format(const struct arch *a, struct arch_text *out);
/* ST_USAGE with the key of a value that cannot be read. */
enum status arch_text_parse(const struct arch_text *t, struct arch *out, struct err *e);

#endif
