#include "data/file_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"

void name_list_release(struct name_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        mem_free(l->names[i]);
    mem_free(l->names);
    *l = (struct name_list){NULL, 0, 0};
}

static enum status name_list_add(struct name_list *l, const char *name, struct err *e)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 16;
        char **names = mem_realloc(l->names, capacity, sizeof *names);
        if (!names)
            return err_set(e, ST_NOMEM, "out of memory for file names");
        l->names = names;
        l->capacity = capacity;
    }
    l->names[l->count] = mem_strdup(name);
    if (!l->names[l->count])
        return err_set(e, ST_NOMEM, "out of memory for file names");
    l->count++;
    return ST_OK;
}

/* Decides whether an entry belongs to the list; `folder` is its parent's path. */
typedef enum status (*entry_filter)(const char *folder, const struct dirent *entry, bool *wanted,
                                    struct err *e);

static enum status want_folder(const char *folder, const struct dirent *entry, bool *wanted, struct err *e)
{
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) {
        *wanted = entry->d_type == DT_DIR;
        return ST_OK;
    }
    char *path = mem_printf("%s/%s", folder, entry->d_name);
    if (!path)
        return err_set(e, ST_NOMEM, "out of memory for file names");
    struct stat info;
    enum status status = stat(path, &info) == 0 ? ST_OK : err_errno(e, "cannot read %s", path);
    *wanted = status == ST_OK && S_ISDIR(info.st_mode);
    mem_free(path);
    return status;
}

static enum status want_image(const char *folder, const struct dirent *entry, bool *wanted, struct err *e)
{
    (void)folder;
    (void)e;
    const char *suffix = strrchr(entry->d_name, '.');
    *wanted = suffix && (strcasecmp(suffix, ".jpg") == 0 || strcasecmp(suffix, ".jpeg") == 0 ||
                         strcasecmp(suffix, ".png") == 0);
    return ST_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status read_entries(DIR *dir, const char *path, entry_filter filter, struct name_list *out,
                                struct err *e)
{
    for (;;) {
        errno = 0; /* the only way to tell the end from an error */
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? err_errno(e, "cannot read folder %s", path) : ST_OK;
        if (entry->d_name[0] == '.')
            continue;
        bool wanted = false;
        enum status status = filter(path, entry, &wanted, e);
        if (status == ST_OK && wanted)
            status = name_list_add(out, entry->d_name, e);
        if (status != ST_OK)
            return status;
    }
}

static enum status list_entries(const char *path, entry_filter filter, struct name_list *out, struct err *e)
{
    *out = (struct name_list){NULL, 0, 0};
    DIR *dir = opendir(path);
    if (!dir)
        return err_errno(e, "cannot read folder %s", path);
    enum status status = read_entries(dir, path, filter, out, e);
    closedir(dir);
    if (status != ST_OK)
        name_list_release(out);
    else if (out->count > 0)
        qsort(out->names, out->count, sizeof *out->names, compare_names);
    return status;
}

enum status list_folders(const char *path, struct name_list *out, struct err *e)
{
    return list_entries(path, want_folder, out, e);
}

enum status list_images(const char *path, struct name_list *out, struct err *e)
{
    return list_entries(path, want_image, out, e);
}

void file_list_release(struct file_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        mem_free(l->paths[i]);
    mem_free(l->paths);
    mem_free(l->labels);
    *l = (struct file_list){NULL, NULL, 0, 0};
}

static enum status file_list_reserve(struct file_list *l, size_t more, struct err *e)
{
    if (l->capacity - l->count >= more)
        return ST_OK;
    size_t capacity = l->count + more > 2 * l->capacity ? l->count + more : 2 * l->capacity;
    char **paths = mem_realloc(l->paths, capacity, sizeof *paths);
    l->paths = paths ? paths : l->paths;
    uint16_t *labels = paths ? mem_realloc(l->labels, capacity, sizeof *labels) : NULL;
    l->labels = labels ? labels : l->labels;
    if (!labels)
        return err_set(e, ST_NOMEM, "out of memory for file names");
    l->capacity = capacity;
    return ST_OK;
}

/* Adds the images of one class folder, `folder` below the root. */
static enum status add_class(struct file_list *l, const char *root, const char *folder, uint16_t label,
                             struct err *e)
{
    struct name_list images = {NULL, 0, 0};
    char *path = mem_printf("%s/%s", root, folder);
    enum status status =
        path ? list_images(path, &images, e) : err_set(e, ST_NOMEM, "out of memory for file names");
    if (status == ST_OK && images.count == 0)
        status = err_set(e, ST_USAGE, "no images in %s: expected *.jpg, *.jpeg or *.png", path);
    if (status == ST_OK)
        status = file_list_reserve(l, images.count, e);
    for (size_t i = 0; status == ST_OK && i < images.count; i++) {
        l->labels[l->count] = label;
        l->paths[l->count] = mem_printf("%s/%s", folder, images.names[i]);
        if (l->paths[l->count])
            l->count++;
        else
            status = err_set(e, ST_NOMEM, "out of memory for file names");
    }
    name_list_release(&images);
    mem_free(path);
    return status;
}

enum status file_list_init(struct file_list *l, const char *root, const char *set, char **classes,
                           int class_count, struct err *e)
{
    enum status status = ST_OK;
    *l = (struct file_list){NULL, NULL, 0, 0};
    for (int k = 0; status == ST_OK && k < class_count; k++) {
        char *folder = mem_printf("%s/%s", set, classes[k]);
        status = folder ? add_class(l, root, folder, (uint16_t)k, e)
                        : err_set(e, ST_NOMEM, "out of memory for file names");
        mem_free(folder);
    }
    if (status != ST_OK)
        file_list_release(l);
    return status;
}
