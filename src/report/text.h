/* Texts in figures: how wide they are about, and how they become shorter. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* About the pixels a text takes in a sans-serif font of this size. */
double text_pixels(const char *text, double font_size);
/* The text, or its beginning and an ellipsis where it would be wider; in `arena`, NULL: no memory. */
const char *text_cut(struct arena *arena, const char *text, double font_size, double pixels);

/* The text with at most three significant digits in its long decimal numbers ("SR=0.0648322" as "SR=0.0648");
 * in `arena`, NULL: no memory. */
const char *text_brief(struct arena *arena, const char *text);
/* The texts as labels of at most so many pixels: text_brief where one would be wider, then text_cut. Where
 * different texts would then look alike, as long lists of numbers may, their labels are the items, between
 * commas, in which they differ ("...6/12/12..."); where that does not tell them apart, their place among the
 * texts stands behind ("2/4... (3)"). out: n, in `arena` or of `texts`. False: no memory. */
bool texts_fit(struct arena *arena, const char *const *texts, size_t n, double font_size, double pixels,
               const char **out);

#endif
