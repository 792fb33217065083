/* An architecture as the text of a checkpoint's header: what arch_build needs to make it again; and opening
 * files that have one. */
#ifndef ENGINE_CHECKPOINT_ARCH_H
#define ENGINE_CHECKPOINT_ARCH_H

#include "base/err.h"
#include "engine/safetensors.h"
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

/* Metadata "format" of a file of weights alone. */
#define WEIGHTS_FORMAT "firesweep weights 1"

/* Reads a checkpoint or a file of weights alone, and its architecture. Errors as safetensors_read; ST_CORRUPT
 * also for another kind of file. *f is the caller's also after a failure (NULL if it could not be read). */
enum status checkpoint_open(const char *path, struct safetensors **f, struct arch *arch, struct err *e);

#endif
