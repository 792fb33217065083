#include "report/plot.h"

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
#include "report/figures.h"
#include "report/layout.h"
#include "report/plot_report.h"
#include "report/plot_tasks.h"
#include "report/templates.h"

/* A new kind of figure is a line here, a function in figures.h and a template of the same name in plots/. */
struct plot_kind {
    const char *name;
    enum status (*build)(struct store *s, const struct figure_request *r, struct figure *out,
                         char nothing[256], struct err *e);
    struct plot_defaults defaults;
    const char *summary;
};
static const struct plot_kind kinds[] = {
    {"curve",
     figure_curve,
     {"model_mib", "test_top1"},
     "accuracy against model size, the metaparameter on the upper axis, error bars over seeds"},
    {"learning", figure_learning, {"epoch", "val_top1"}, "accuracy per epoch, one line for each variant"},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

const char *plot_kind_name(size_t i)
{
    return i < KIND_COUNT ? kinds[i].name : NULL;
}

const char *plot_kind_summary(size_t i)
{
    return i < KIND_COUNT ? kinds[i].summary : NULL;
}

struct image {
    const char *name;
    const char *terminal; /* gnuplot's, but for the size */
    double scale;         /* of the size */
    const char *unit;
};
static const struct image images[] = {
    {"svg", "svg noenhanced font 'sans-serif,13' background rgb 'white'", 1, ""},
    {"png",
     "pngcairo noenhanced font 'sans-serif,13' fontscale 1.5 linewidth 2 pointscale 2 background rgb 'white'",
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

/* One plot_draw. */
struct drawing {
    struct store *store;
    const char *dir;
    const struct image *image;
    const char *templates; /* folder or NULL */
    struct plot_report *report;
    bool no_gnuplot; /* found missing: only data files from now on */
};

/* The template's text, from the folder if it is there; the caller's (mem_free). */
static enum status template_text(const struct drawing *d, const char *name, char **out, struct err *e)
{
    enum { TEMPLATE_LIMIT = 1 << 20 };
    if (d->templates) {
        char *path = mem_printf("%s/%s.gp", d->templates, name);
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

static enum status fill_template(const struct drawing *d, const char *name, int fd, struct err *e)
{
    char *text = NULL;
    enum status status = template_text(d, name, &text, e);
    if (text)
        status = channel_write(fd, text, e);
    mem_free(text);
    return status;
}

static enum status fill_script(const struct drawing *d, const struct figure *f, const struct channels *c,
                               struct err *e)
{
    const struct image *image = d->image;
    char *head =
        mem_printf("set encoding utf8\nset terminal %s size %g%s, %g%s\n", image->terminal,
                   FIGURE_WIDTH * image->scale, image->unit, FIGURE_HEIGHT * image->scale, image->unit);
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

static enum status write_bytes(const char *path, const char *bytes, size_t n, struct err *e)
{
    struct atomic_file a;
    enum status status = atomic_open(&a, path, e);
    if (status != ST_OK)
        return status;
    fwrite(bytes, 1, n, a.f);
    return atomic_commit(&a, e);
}

static enum status draw_image(struct drawing *d, const struct plot_kind *kind, const struct figure *f,
                              const char *path, struct err *e)
{
    char template_name[64];
    snprintf(template_name, sizeof template_name, "%s.gp", kind->name);
    struct channels c;
    enum status status = channels_open(&c, e);
    if (status != ST_OK)
        return status;
    status = fill_script(d, f, &c, e);
    if (status == ST_OK)
        status = fill_template(d, "style", c.fd[CHANNEL_STYLE], e);
    if (status == ST_OK)
        status = fill_template(d, kind->name, c.fd[CHANNEL_TEMPLATE], e);
    if (status == ST_OK)
        status = gnuplot_run(&c, template_name, &d->no_gnuplot, e);
    char *bytes = NULL;
    size_t n = 0;
    if (status == ST_OK)
        status = channel_read(c.fd[CHANNEL_IMAGE], &bytes, &n, e);
    if (status == ST_OK)
        status = write_bytes(path, bytes, n, e);
    mem_free(bytes);
    channels_close(&c);
    return status;
}

static enum status write_data(const struct figure *f, const char *path, struct err *e)
{
    struct atomic_file a;
    enum status status = atomic_open(&a, path, e);
    if (status != ST_OK)
        return status;
    status = figure_write_data(f, a.f, e);
    if (status == ST_OK)
        return atomic_commit(&a, e);
    atomic_abort(&a);
    return status;
}

/* ST_USAGE "`problem`; known are ...". */
static enum status kind_error(const char *problem, struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    for (size_t i = 0; i < KIND_COUNT; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", kinds[i].name);
    enum status status = err_set(e, ST_USAGE, "%s; known are %s", problem, known.text);
    strbuf_release(&known);
    return status;
}

/* NULL, and the error, for an unknown one. */
static const struct plot_kind *find_kind(const char *name, struct err *e)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    char problem[128];
    snprintf(problem, sizeof problem, "unknown kind of plot \"%.80s\"", name);
    kind_error(problem, e);
    return NULL;
}

static enum status find_image(const char *name, const struct image **out, struct err *e)
{
    for (size_t i = 0; i < IMAGE_COUNT; i++) {
        if (strcmp(images[i].name, name) == 0) {
            *out = &images[i];
            return ST_OK;
        }
    }
    return err_set(e, ST_USAGE, "unknown image format \"%s\"; known are svg, png, pdf", name);
}

/* Data first: it is there whatever becomes of the image. */
static enum status write_files(struct drawing *d, const struct plot_kind *kind, const struct figure *f,
                               const struct figure_request *request, struct err *e)
{
    struct plot_file *file = NULL;
    enum status status = dir_create(d->dir, e);
    if (status == ST_OK)
        status = plot_report_add(d->report, d->dir, kind->name, d->image->name, &kind->defaults, request,
                                 &file, e);
    if (status != ST_OK || !file)
        return status;
    const char *figure = file->figure;
    file->figure = NULL;
    file->points = f->points;
    status = write_data(f, file->data, e);
    if (status != ST_OK) {
        d->report->count--;
        return status;
    }
    if (d->no_gnuplot)
        return ST_OK;
    status = draw_image(d, kind, f, figure, e);
    if (status == ST_OK)
        file->figure = figure;
    return status;
}

static enum status draw_task(struct drawing *d, const struct plot_task *task, struct err *e)
{
    const struct plot_kind *kind = find_kind(task->kind, e);
    if (!kind)
        return ST_USAGE;
    struct figure f;
    char nothing[256] = "";
    figure_init(&f);
    enum status status = kind->build(d->store, &task->figure, &f, nothing, e);
    if (status == ST_OK && f.points == 0)
        status = plot_report_skip(d->report, kind->name, &task->figure, nothing, e);
    else if (status == ST_OK)
        status = write_files(d, kind, &f, &task->figure, e);
    else
        err_prefix(e, "sweep %s, block %s, %s", task->figure.sweep, task->figure.name, kind->name);
    figure_release(&f);
    return status;
}

static enum status draw_all(struct drawing *d, const struct plot_tasks *tasks, struct err *e)
{
    enum status missing = ST_OK;
    for (size_t i = 0; i < tasks->count; i++) {
        bool was_missing = d->no_gnuplot;
        enum status status = draw_task(d, &tasks->items[i], e);
        if (status != ST_OK && (was_missing || !d->no_gnuplot))
            return status;
        missing = status != ST_OK ? status : missing;
    }
    if (missing != ST_OK)
        return missing;
    const struct plot_report *r = d->report;
    if (r->count > 0)
        return ST_OK;
    if (r->skipped_count == 0)
        return err_set(e, ST_FAILED, "nothing to plot: the spec requests no figure of this block");
    return err_set(e, ST_FAILED, "nothing to plot yet: %s%s", r->skipped[0],
                   r->skipped_count > 1 ? ", and the same for all other figures" : "");
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

enum status plot_draw(struct store *s, const struct plot_options *o, struct plot_report *report,
                      struct err *e)
{
    struct drawing d = {.store = s, .dir = o->dir, .report = report};
    enum status status = find_image(o->image ? o->image : "svg", &d.image, e);
    if (status == ST_OK && o->kind)
        status = find_kind(o->kind, e) ? ST_OK : ST_USAGE;
    else if (status == ST_OK && (o->x || o->y))
        status = kind_error("columns belong to one kind of plot, so name it", e);
    if (status == ST_OK)
        status = find_templates(o->templates, &d.templates, e);
    if (status != ST_OK)
        return status;
    struct plot_tasks tasks;
    plot_tasks_init(&tasks);
    status = plot_tasks_collect(s, o, &tasks, e);
    if (status == ST_OK)
        status = draw_all(&d, &tasks, e);
    plot_tasks_release(&tasks);
    return status;
}
