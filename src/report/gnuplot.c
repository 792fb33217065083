#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "report/layout.h"
#include "report/templates.h"
#include "report/utf8.h"

struct gnuplot_image {
    const char *name;
    const char *terminal; /* gnuplot's, but for the size */
    double scale;         /* of the size */
    const char *unit;
};
static const struct gnuplot_image images[] = {
    {"svg", "svg noenhanced font 'sans-serif,13' background rgb 'white'", 1, ""},
    {"png",
     "pngcairo noenhanced font 'sans-serif,13' fontscale 1.5 linewidth 2 dashlength 0.5 pointscale 3 "
     "background rgb 'white'",
     2, ""},
    {"pdf",
     "pdfcairo noenhanced font 'sans-serif,13' fontscale 0.54 linewidth 1.4 pointscale 0.9 background rgb "
     "'white'",
     0.01, "in"},
};
enum { IMAGE_COUNT = sizeof images / sizeof *images };

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw figures: out of memory");
}

/* The files gnuplot works with, in memory: it reads them as /proc/self/fd/N, so no path of the user reaches
 * it. */
enum { CHANNEL_SCRIPT, CHANNEL_STYLE, CHANNEL_TEMPLATE, CHANNEL_IMAGE, CHANNEL_MESSAGES, CHANNEL_COUNT };

struct channels {
    int fd[CHANNEL_COUNT]; /* -1: not open */
};

static void channels_close(struct channels *c)
{
    for (int i = 0; i < CHANNEL_COUNT; i++)
        if (c->fd[i] >= 0)
            close(c->fd[i]);
}

/* Opens them above the standard ones, so that redirecting those cannot hit another channel. */
static enum status channels_open(struct channels *c, struct err *e)
{
    enum { LOWEST = 10 };
    for (int i = 0; i < CHANNEL_COUNT; i++)
        c->fd[i] = -1;
    for (int i = 0; i < CHANNEL_COUNT; i++) {
        int fd = memfd_create("firesweep", MFD_CLOEXEC);
        if (fd >= 0) {
            c->fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
            close(fd);
        }
        if (c->fd[i] < 0) {
            enum status status = err_errno(e, "cannot open a file in memory for gnuplot");
            channels_close(c);
            return status;
        }
    }
    return ST_OK;
}

static enum status channel_write(int fd, const char *text, struct err *e)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = write(fd, text, left);
        if (written < 0 && errno != EINTR)
            return err_errno(e, "cannot write gnuplot's script");
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return ST_OK;
}

/* All of a channel, terminated; the caller's (mem_free). */
static enum status channel_read(int fd, char **out, size_t *n, struct err *e)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return err_errno(e, "cannot read what gnuplot wrote");
    size_t size = (size_t)info.st_size;
    char *text = mem_alloc(size + 1, 1);
    if (!text)
        return no_memory(e);
    for (*n = 0; *n < size;) {
        ssize_t got = pread(fd, text + *n, size - *n, (off_t)*n);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR) {
            enum status status = err_errno(e, "cannot read what gnuplot wrote");
            mem_free(text);
            return status;
        }
        *n += got > 0 ? (size_t)got : 0;
    }
    text[*n] = '\0';
    *out = text;
    return ST_OK;
}

/* Starts gnuplot without a shell and without the user's start-up files; 0 or an errno. */
static int gnuplot_start(const struct channels *c, pid_t *pid)
{
    char script[32];
    snprintf(script, sizeof script, "/proc/self/fd/%d", c->fd[CHANNEL_SCRIPT]);
    char name[] = "gnuplot", defaults[] = "--default-settings";
    char *const arguments[] = {name, defaults, script, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, c->fd[CHANNEL_IMAGE], STDOUT_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, c->fd[CHANNEL_MESSAGES], STDERR_FILENO);
    /* Onto itself: stays open in gnuplot. */
    for (int i = CHANNEL_SCRIPT; i <= CHANNEL_TEMPLATE && code == 0; i++)
        code = posix_spawn_file_actions_adddup2(&actions, c->fd[i], c->fd[i]);
    if (code == 0)
        code = posix_spawnp(pid, name, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code;
}

/* gnuplot's messages on one line, channels called by their names. */
static enum status gnuplot_error(const struct channels *c, const char *template_name, int wait_status,
                                 struct err *e)
{
    char *messages = NULL;
    size_t n = 0;
    enum status status = channel_read(c->fd[CHANNEL_MESSAGES], &messages, &n, e);
    if (!messages)
        return status;
    const char *names[] = {"definitions", "style.gp", template_name};
    struct strbuf line = STRBUF_INIT;
    for (const char *s = messages; *s;) {
        int fd = -1, length = 0;
        if (sscanf(s, "/proc/self/fd/%d%n", &fd, &length) == 1 && length > 0) {
            s += length;
            for (int i = CHANNEL_SCRIPT; i <= CHANNEL_TEMPLATE; i++)
                if (c->fd[i] == fd)
                    strbuf_puts(&line, names[i]);
            continue;
        }
        bool blank = strchr(" \t\r\n", *s);
        if (!blank)
            strbuf_putc(&line, *s);
        else if (line.len > 0 && line.text[line.len - 1] != ' ')
            strbuf_putc(&line, ' ');
        s++;
    }
    mem_free(messages);
    if (WIFSIGNALED(wait_status))
        status =
            err_set(e, ST_FAILED, "gnuplot was ended by signal %d: %s", WTERMSIG(wait_status), line.text);
    else
        status = err_set(e, ST_FAILED, "gnuplot failed: %s", line.len > 0 ? line.text : "it drew nothing");
    strbuf_release(&line);
    return status;
}

/* Runs what the channels hold. *missing: there is no gnuplot. */
static enum status gnuplot_run(const struct channels *c, const char *template_name, bool *missing,
                               struct err *e)
{
    pid_t pid = 0;
    int code = gnuplot_start(c, &pid), wait_status = 0;
    *missing = code == ENOENT || code == EACCES;
    if (*missing)
        return err_set(e, ST_FAILED,
                       "gnuplot is not in PATH, so only the data files were written; install it (Debian: apt "
                       "install gnuplot-nox) and try again");
    if (code != 0) {
        errno = code;
        return err_errno(e, "cannot start gnuplot");
    }
    while (waitpid(pid, &wait_status, 0) < 0)
        if (errno != EINTR)
            return err_errno(e, "cannot wait for gnuplot");
    struct stat image;
    bool drawn = fstat(c->fd[CHANNEL_IMAGE], &image) == 0 && image.st_size > 0;
    if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0 || !drawn)
        return gnuplot_error(c, template_name, wait_status, e);
    return ST_OK;
}

/* The folder of changed templates, if any. */
static enum status find_templates(const char *given, const char **out, struct err *e)
{
    const char *folder = given ? given : getenv("FIRESWEEP_TEMPLATES");
    struct stat info;
    *out = folder && *folder ? folder : NULL;
    if (*out && (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)))
        return err_set(e, ST_USAGE, "templates: %s is no folder", folder);
    return ST_OK;
}

enum status gnuplot_init(struct gnuplot *g, const char *image, const char *templates, struct err *e)
{
    *g = (struct gnuplot){0};
    for (size_t i = 0; i < IMAGE_COUNT && !g->image; i++)
        if (strcmp(images[i].name, image ? image : "svg") == 0)
            g->image = &images[i];
    if (!g->image)
        return err_set(e, ST_USAGE, "unknown image format \"%s\"; known are svg, png, pdf", image);
    return find_templates(templates, &g->templates, e);
}

const char *gnuplot_suffix(const struct gnuplot *g)
{
    return g->image->name;
}

/* The template's text, from the folder if it is there; the caller's (mem_free). */
static enum status template_text(const struct gnuplot *g, const char *name, char **out, struct err *e)
{
    enum { TEMPLATE_LIMIT = 1 << 20 };
    if (g->templates) {
        char *path = mem_printf("%s/%s.gp", g->templates, name);
        size_t n;
        if (!path)
            return no_memory(e);
        bool found = file_exists(path);
        enum status status = found ? file_read(path, TEMPLATE_LIMIT, out, &n, e) : ST_OK;
        mem_free(path);
        if (found)
            return status;
    }
    const char *builtin = template_builtin(name);
    if (!builtin)
        return err_set(e, ST_FAILED, "there is no template %s.gp", name);
    *out = mem_strdup(builtin);
    return *out ? ST_OK : no_memory(e);
}

static enum status fill_template(const struct gnuplot *g, const char *name, int fd, struct err *e)
{
    char *text = NULL;
    enum status status = template_text(g, name, &text, e);
    if (text)
        status = channel_write(fd, text, e);
    mem_free(text);
    return status;
}

static enum status fill_script(const struct gnuplot *g, const struct figure *f, const struct channels *c,
                               struct err *e)
{
    const struct gnuplot_image *image = g->image;
    char *head = mem_printf("set encoding utf8\nset terminal %s size %g%s, %g%s\n", image->terminal,
                            FIGURE_WIDTH * image->scale, image->unit, f->height * image->scale, image->unit);
    char *tail = mem_printf("load '/proc/self/fd/%d'\nload '/proc/self/fd/%d'\n", c->fd[CHANNEL_STYLE],
                            c->fd[CHANNEL_TEMPLATE]);
    enum status status = ST_NOMEM;
    if (head && tail) {
        const char *parts[] = {head, f->definitions.text, tail};
        status = ST_OK;
        for (int i = 0; i < 3 && status == ST_OK; i++)
            status = channel_write(c->fd[CHANNEL_SCRIPT], parts[i], e);
    } else
        no_memory(e);
    mem_free(head);
    mem_free(tail);
    return status;
}

/* Within an element of XML. */
static void xml_text(FILE *out, const char *text)
{
    for (const char *s = text; *s;) {
        int32_t code;
        const int length = utf8_decode(s, &code);
        if (code == '&' || code == '<' || code == '>')
            fprintf(out, "&#%d;", (int)code);
        else if (utf8_width(code) < 0)
            fputs("\xEF\xBF\xBD", out);
        else
            fwrite(s, 1, (size_t)length, out);
        s += length;
    }
}

/* The image, with the figure's title for the one that gnuplot writes into every SVG. */
static void write_image(FILE *out, const struct figure *f, const char *bytes, size_t n)
{
    static const char title[] = "<title>Gnuplot</title>";
    const char *at = f->title ? memmem(bytes, n, title, strlen(title)) : NULL;
    if (!at) {
        fwrite(bytes, 1, n, out);
        return;
    }
    fwrite(bytes, 1, (size_t)(at - bytes), out);
    fputs("<title>", out);
    xml_text(out, f->title);
    fputs("</title>", out);
    at += strlen(title);
    fwrite(at, 1, n - (size_t)(at - bytes), out);
}

static enum status write_file(const char *path, const struct figure *f, const char *bytes, size_t n,
                              struct err *e)
{
    struct atomic_file a;
    enum status status = atomic_open(&a, path, e);
    if (status != ST_OK)
        return status;
    write_image(a.f, f, bytes, n);
    return atomic_commit(&a, e);
}

enum status gnuplot_draw(struct gnuplot *g, const char *name, const struct figure *f, const char *path,
                         struct err *e)
{
    char template_name[64];
    snprintf(template_name, sizeof template_name, "%s.gp", name);
    struct channels c;
    enum status status = channels_open(&c, e);
    if (status != ST_OK)
        return status;
    status = fill_script(g, f, &c, e);
    if (status == ST_OK)
        status = fill_template(g, "style", c.fd[CHANNEL_STYLE], e);
    if (status == ST_OK)
        status = fill_template(g, name, c.fd[CHANNEL_TEMPLATE], e);
    if (status == ST_OK)
        status = gnuplot_run(&c, template_name, &g->missing, e);
    char *bytes = NULL;
    size_t n = 0;
    if (status == ST_OK)
        status = channel_read(c.fd[CHANNEL_IMAGE], &bytes, &n, e);
    if (status == ST_OK && bytes)
        status = write_file(path, f, bytes, n, e);
    mem_free(bytes);
    channels_close(&c);
    return status;
}
