/* The logger: progress and warnings on standard error. One of the two globals there are. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/strbuf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Messages above the level are dropped; the default is LOG_INFO. */
void log_set_level(enum log_level level);
/* One line, with a time stamp when standard error is not a terminal. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends what log_line would write at LOG_INFO, for who writes it in another way. */
void log_add_line(struct strbuf *out, const char *text);

#endif
