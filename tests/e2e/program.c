#include "program.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_ARGUMENTS = 32, PATIENCE_S = 120 };

static char *read_all(FILE *f)
{
    char *text = NULL;
    size_t n = 0;
    FILE *copy = open_memstream(&text, &n);
    assert_non_null(copy);
    rewind(f);
    for (int c; (c = getc(f)) != EOF;)
        putc(c, copy);
    fclose(copy);
    fclose(f);
    return text;
}

_Noreturn void program_become(int out, int err, const char *const *arguments)
{
    const char *all[MOST_ARGUMENTS + 2] = {"firesweep"};
    for (int i = 0; i < MOST_ARGUMENTS && arguments[i]; i++)
        all[i + 1] = arguments[i];
    signal(SIGPIPE, SIG_DFL);
    alarm(PATIENCE_S); /* outlives execv: a program that hangs is killed */
    int in = open("/dev/null", O_RDONLY);
    bool ready = dup2(in, STDIN_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0;
    if (out >= 0)
        ready = ready && dup2(out, STDOUT_FILENO) >= 0;
    else
        close(STDOUT_FILENO);
    if (ready)
        execv(FIRESWEEP_PROGRAM, (char *const *)all);
    _exit(127);
}

static int run_to(int out, int err, const char *const *arguments)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        program_become(out, err, arguments);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct outcome program_run(const char *const *arguments)
{
    FILE *out = tmpfile(), *err = tmpfile();
    assert_non_null(out);
    assert_non_null(err);
    int code = run_to(fileno(out), fileno(err), arguments);
    return (struct outcome){code, read_all(out), read_all(err)};
}

struct outcome program_run_to(const char *path, const char *const *arguments)
{
    FILE *err = tmpfile();
    int out = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    assert_non_null(err);
    assert_true(!path || out >= 0);
    int code = run_to(out, fileno(err), arguments);
    if (out >= 0)
        close(out);
    return (struct outcome){code, strdup(""), read_all(err)};
}

void outcome_release(struct outcome *o)
{
    free(o->out);
    free(o->err);
    *o = (struct outcome){0};
}

struct json_object *program_json(const char *const *arguments)
{
    struct outcome o = program_run(arguments);
    struct json_tokener *tokener = json_tokener_new_ex(16);
    assert_non_null(tokener);
    assert_string_equal(o.err, "");
    assert_int_equal(o.code, 0);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *object = json_tokener_parse_ex(tokener, o.out, (int)strlen(o.out) + 1);
    if (!object)
        print_error("no JSON: %s\n%s", json_tokener_error_desc(json_tokener_get_error(tokener)), o.out);
    assert_non_null(object);
    json_tokener_free(tokener);
    outcome_release(&o);
    return object;
}

struct json_object *json_at(struct json_object *object, const char *path)
{
    char key[64];
    while (*path) {
        size_t n = strcspn(path, ".");
        assert_true(n < sizeof key);
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        if (!json_object_object_get_ex(object, key, &object))
            fail_msg("there is no member %s", key);
        path += n + (path[n] == '.');
    }
    return object;
}

int64_t json_int_at(struct json_object *object, const char *path)
{
    struct json_object *member = json_at(object, path);
    assert_int_equal(json_object_get_type(member), json_type_int);
    return json_object_get_int64(member);
}

double json_double_at(struct json_object *object, const char *path)
{
    struct json_object *member = json_at(object, path);
    assert_true(json_object_is_type(member, json_type_double) || json_object_is_type(member, json_type_int));
    return json_object_get_double(member);
}

const char *json_text_at(struct json_object *object, const char *path)
{
    struct json_object *member = json_at(object, path);
    assert_int_equal(json_object_get_type(member), json_type_string);
    return json_object_get_string(member);
}

struct json_object *json_row(struct json_object *array, size_t i)
{
    assert_int_equal(json_object_get_type(array), json_type_array);
    assert_true(i < json_object_array_length(array));
    return json_object_array_get_idx(array, i);
}

void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not hold \"%s\"", text, part);
}

void expect_error(int code, const char *text, const char *const *arguments)
{
    struct outcome o = program_run(arguments);
    assert_holds(o.err, text);
    assert_int_equal(strncmp(o.err, "firesweep: ", 11), 0);
    assert_ptr_equal(strchr(o.err, '\n'), o.err + strlen(o.err) - 1);
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

int folder_enter(void **state, const char *name)
{
    static char folder[96];
    snprintf(folder, sizeof folder, "%s/firesweep-%s-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

int folder_leave(void **state)
{
    return chdir("/") == 0 ? nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

void text_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    if (!f)
        return;
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

char *text_read(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    return f ? read_all(f) : NULL;
}
