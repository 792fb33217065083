/* Files: whole reads, and writes that either happen completely or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/* Reads a whole file of at most `limit` bytes; *out is terminated after *n bytes and is the
 * caller's (mem_free). Errors name the path; a longer file is ST_USAGE. A named pipe that nobody has open for
 * writing is empty. */
enum status file_read(const char *path, size_t limit, char **out, size_t *n, struct err *e);

/* An atomic write: bytes go to the temporary file `path`.tmp; commit flushes, fsyncs, renames it over
 * `path` and fsyncs the folder. Until then `path` is untouched. While one writer has the temporary
 * open, a second one fails with ST_BUSY; what a killed writer left is overwritten. */
struct atomic_file {
    FILE *f; /* write here */
    char *path;
    char *temporary;
};
enum status atomic_open(struct atomic_file *a, const char *path, struct err *e);
/* Also closes; on failure, also of an earlier write to `f`, removes the temporary. */
enum status atomic_commit(struct atomic_file *a, struct err *e);
void atomic_abort(struct atomic_file *a); /* safe after commit: does nothing */

/* The folder that a path's last part stands in, "." when it names none. The caller frees; NULL: no memory. */
char *dir_of(const char *path);
/* Creates a folder and its parents. An existing folder is fine. */
enum status dir_create(const char *path, struct err *e);
bool file_exists(const char *path);
/* Last modification, nanoseconds since the epoch; -1 if there is none. */
long long file_mtime_ns(const char *path);

#endif
