/* Errors: functions that can fail return a status and describe the failure in
 * a caller-owned struct err. Libraries never print and never exit; main prints
 * the text once. On success the struct is left untouched. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum status {
    ST_OK = 0,
    ST_FAILED,      /* the work could not be done (I/O, a damaged file, ...) */
    ST_USAGE,       /* the request itself is wrong: arguments, spec, value out of range */
    ST_NOMEM,       /* out of memory */
    ST_NOSPACE,     /* disk full or quota reached */
    ST_CORRUPT,     /* a file is damaged or foreign */
    ST_BUSY,        /* somebody else is at it, or has done it already */
    ST_INTERRUPTED, /* stopped on request, state saved */
};

struct err {
    enum status status;
    char text[1024]; /* one line, no newline, always terminated */
};
#define ERR_INIT ((struct err){ST_OK, ""})

/* Records a failure (printf style) and returns `status`. Text that does not fit is cut.
 * `e` may be NULL: the status is still returned. */
enum status err_set(struct err *e, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Same, with ": " and the text of the current errno appended. The status follows
 * errno: ENOMEM gives ST_NOMEM, ENOSPC, EDQUOT and EFBIG give ST_NOSPACE, EBUSY gives ST_BUSY, others
 * ST_FAILED. */
enum status err_errno(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of a recorded text; returns the recorded status. */
enum status err_prefix(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Process exit code for a status: 0 ok, 2 usage, 1 anything else. */
int err_exit_code(enum status status);

#endif
