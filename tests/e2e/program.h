/* Runs the real program and keeps what it says. */
#ifndef TESTS_E2E_PROGRAM_H
#define TESTS_E2E_PROGRAM_H

#include <json-c/json.h>
#include <stdint.h>

struct outcome {
    int code;  /* exit code, or 128 + signal number */
    char *out; /* standard output, standard error; terminated */
    char *err;
};

/* Runs `firesweep ARGUMENTS...` (ends with NULL) to its end, without a terminal. The caller releases. */
struct outcome program_run(const char *const *arguments);
/* The same with standard output going to the file, or closed when `path` is NULL; `out` is then "". */
struct outcome program_run_to(const char *path, const char *const *arguments);
void outcome_release(struct outcome *o);

/* In a child process: becomes the program, its output and errors going to these; `out` -1: closed. */
_Noreturn void program_become(int out, int err, const char *const *arguments);

#define RUN(...) program_run((const char *const[]){__VA_ARGS__, NULL})

/* Runs a command that must succeed without a word on standard error, and parses its standard output. */
struct json_object *program_json(const char *const *arguments);
#define JSON(...) program_json((const char *const[]){__VA_ARGS__, NULL})

/* A member of an object ("totals.params" goes into objects); fails when there is none. */
struct json_object *json_at(struct json_object *object, const char *path);
int64_t json_int_at(struct json_object *object, const char *path);
double json_double_at(struct json_object *object, const char *path);
const char *json_text_at(struct json_object *object, const char *path);
/* Member of element i of an array. */
struct json_object *json_row(struct json_object *array, size_t i);

/* Asserts: exit code, nothing on standard output, one line on standard error, which holds `text`. */
void expect_error(int code, const char *text, const char *const *arguments);
#define EXPECT_ERROR(code, text, ...) expect_error(code, text, (const char *const[]){__VA_ARGS__, NULL})

/* A group's setup and teardown: a new folder named after the test, entered; and removed with all files. The
 * machine counts as not calibrated (speed.h). */
int folder_enter(void **state, const char *name);
int folder_leave(void **state);

/* A whole file; the caller frees what is read. */
void text_write(const char *path, const char *text);
char *text_read(const char *path);

/* Asserts that one text holds another. */
void assert_holds(const char *text, const char *part);

#endif
