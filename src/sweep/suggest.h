/* "Did you mean". */
#ifndef SWEEP_SUGGEST_H
#define SWEEP_SUGGEST_H

enum { SUGGESTIONS = 3, SUGGEST_LISTED = 12, SUGGEST_TEXT = 128, SUGGEST_LIST = 512 };

/* The words of `known` nearest to `word`, all equally near, the first SUGGESTIONS of them; where none is
 * near, those that contain it or that it contains. Returns their number. To words of more than 24 letters
 * none is near. */
int suggest_words(const char *word, const char *const *known, int count, const char *out[SUGGESTIONS]);
/* The first of them, NULL if there is none. */
const char *suggest_word(const char *word, const char *const *known, int count);

/* For messages; both return out. ", did you mean A, B or C?", "" where nothing is near. */
const char *suggest_text(const char *word, const char *const *known, int count, char out[SUGGEST_TEXT]);
/* "a, b, c", and of more than SUGGEST_LISTED words the first, " and 63 more" and the text `more`. */
const char *suggest_list(const char *const *known, int count, const char *more, char out[SUGGEST_LIST]);

#endif
