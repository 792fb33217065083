/* "Did you mean". */
#ifndef SWEEP_SUGGEST_H
#define SWEEP_SUGGEST_H

/* The word of `known` nearest to `word`, NULL if none is near. Words of more than 24 letters are near none.
 */
const char *suggest_word(const char *word, const char *const *known, int count);

#endif
