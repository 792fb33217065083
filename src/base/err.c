#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message is one line: whatever a file name or a library put in, line ends become spaces. */
static void flatten(char *text)
{
    for (; *text; text++)
        if (*text == '\n' || *text == '\r')
            *text = ' ';
}

static void record(struct err *e, enum status status, const char *format, va_list args)
{
    e->status = status;
    if (vsnprintf(e->text, sizeof e->text, format, args) < 0)
        e->text[0] = '\0';
    flatten(e->text);
}

/* Appends what fits. */
static void append(struct err *e, const char *text)
{
    size_t len = strlen(e->text);
    snprintf(e->text + len, sizeof e->text - len, "%s", text);
}

enum status err_set(struct err *e, enum status status, const char *format, ...)
{
    if (e) {
        va_list args;
        va_start(args, format);
        record(e, status, format, args);
        va_end(args);
    }
    return status;
}

static enum status status_of_errno(int number)
{
    switch (number) {
    case ENOMEM:
        return ST_NOMEM;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ST_NOSPACE;
    case EBUSY:
        return ST_BUSY;
    default:
        return ST_FAILED;
    }
}

enum status err_errno(struct err *e, const char *format, ...)
{
    int number = errno;
    enum status status = status_of_errno(number);
    if (e) {
        char buffer[128];
        va_list args;
        va_start(args, format);
        record(e, status, format, args);
        va_end(args);
        append(e, ": ");
        append(e, strerror_r(number, buffer, sizeof buffer));
    }
    return status;
}

enum status err_prefix(struct err *e, const char *format, ...)
{
    if (!e)
        return ST_FAILED;
    struct err old = *e;
    va_list args;
    va_start(args, format);
    record(e, old.status, format, args);
    va_end(args);
    append(e, ": ");
    append(e, old.text);
    return old.status;
}

int err_exit_code(enum status status)
{
    if (status == ST_OK)
        return 0;
    return status == ST_USAGE ? 2 : 1;
}
