/* What is not wrong with a sweep, but hardly what was meant. */
#ifndef SWEEP_SPACE_NOTES_H
#define SWEEP_SPACE_NOTES_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "sweep/space.h"

/* Appends a line for each: random blocks with fewer points than asked for, or whose points are no Latin
 * hypercube or unbroken Sobol sequence; and, with file:line:column and key, values that are given twice, axes
 * and keys without effect on any trial, batches of more than all `train_images` (none or < 0: not known).
 * Lack of memory is out->failed. */
void space_notes(const struct spec *spec, const struct space *space, double train_images, struct strbuf *out);

/* The next line of notes (NULL: none), without its end; false behind the last. */
enum { NOTE_TEXT = 4608 }; /* longer ones, of very long names, are cut */
bool space_note_next(const char **at, char out[NOTE_TEXT]);

#endif
