/* The manual page firesweep(1), made from the commands' own tables and texts. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdio.h>

/* Writes the page in man(7)'s language. */
void manual_write(FILE *out, const char *version);

#endif
