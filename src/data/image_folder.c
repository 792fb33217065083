#include "data/image_folder.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "data/file_list.h"
#include "data/image_decode.h"
#include "data/image_file.h"
#include "data/image_set.h"
#include "data/image_stream.h"
#include "data/split.h"

struct loading {
    const struct data_source *source;
    struct dataset *d;
    struct file_list train, test;
    uint8_t *train_choice, *test_choice; /* enum split of each file; SPLIT_COUNT = left out */
    size_t capacity[SPLIT_COUNT];        /* files chosen for each split */
    struct image_decoder decoder;
    struct image_request request;
    size_t memory; /* bytes this process may use; 0 = unknown */
    bool stream;   /* decided, at the first image or when gray ones turn out to be RGB, not to keep them */
};

/* The folder with the test images: test/, or val/ where there is no test/. */
static enum status find_test_folder(const char *root, const char **name, struct err *e)
{
    static const char *const names[] = {"test", "val"};
    for (size_t i = 0; i < 2; i++) {
        struct stat info;
        char *path = mem_printf("%s/%s", root, names[i]);
        if (!path)
            return err_set(e, ST_NOMEM, "out of memory for file names");
        bool found = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
        mem_free(path);
        if (found) {
            *name = names[i];
            return ST_OK;
        }
    }
    return err_set(e, ST_USAGE, "no test set in %s: expected a folder test or val beside train", root);
}

/* The classes are the sub-folders of train/. */
static enum status find_classes(struct loading *l, struct err *e)
{
    struct name_list folders;
    char *path = mem_printf("%s/train", l->source->path);
    if (!path)
        return err_set(e, ST_NOMEM, "out of memory for file names");
    enum status status = list_folders(path, &folders, e);
    if (status == ST_OK && (folders.count < 2 || folders.count > CLASSES_MAX)) {
        status = err_set(e, ST_USAGE, "%zu class folders in %s: allowed are 2 to %d", folders.count, path,
                         CLASSES_MAX);
        name_list_release(&folders);
    }
    if (status == ST_OK) {
        l->d->class_names = folders.names;
        l->d->classes = (int)folders.count;
    }
    mem_free(path);
    return status;
}

/* Test folders must not hold classes that training does not know. */
static enum status check_test_classes(struct loading *l, const char *set, struct err *e)
{
    struct name_list folders;
    char *path = mem_printf("%s/%s", l->source->path, set);
    if (!path)
        return err_set(e, ST_NOMEM, "out of memory for file names");
    enum status status = list_folders(path, &folders, e);
    if (status == ST_OK) {
        size_t k = 0; /* both lists are sorted */
        for (size_t i = 0; status == ST_OK && i < folders.count; i++) {
            while (k < (size_t)l->d->classes && strcmp(l->d->class_names[k], folders.names[i]) < 0)
                k++;
            if (k == (size_t)l->d->classes || strcmp(l->d->class_names[k], folders.names[i]) != 0) {
                status = err_set(e, ST_USAGE, "%s/%s is a class that train/ does not have", path,
                                 folders.names[i]);
            }
        }
        name_list_release(&folders);
    }
    mem_free(path);
    return status;
}

/* Classes, and the test set's folder, which has no others. */
static enum status find_folders(struct loading *l, const char **test, struct err *e)
{
    enum status status = find_classes(l, e);
    if (status == ST_OK)
        status = find_test_folder(l->source->path, test, e);
    return status == ST_OK ? check_test_classes(l, *test, e) : status;
}

static enum status list_files(struct loading *l, struct err *e)
{
    const char *root = l->source->path;
    const char *test = NULL;
    enum status status = find_folders(l, &test, e);
    if (status == ST_OK)
        status = file_list_init(&l->train, root, "train", l->d->class_names, l->d->classes, e);
    if (status == ST_OK)
        status = file_list_init(&l->test, root, test, l->d->class_names, l->d->classes, e);
    return status;
}

static enum status choose(struct loading *l, struct err *e)
{
    l->train_choice = mem_alloc(l->train.count, 1);
    l->test_choice = mem_alloc(l->test.count, 1);
    if (!l->train_choice || !l->test_choice) {
        return err_set(e, ST_NOMEM, "out of memory while splitting %zu images",
                       l->train.count + l->test.count);
    }
    enum status status =
        split_training(l->train.labels, l->train.count, l->d->classes, l->source, l->train_choice, e);
    if (status == ST_OK)
        status = split_test(l->test.labels, l->test.count, l->d->classes, l->source, l->test_choice, e);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < l->train.count; i++) {
        l->capacity[SPLIT_TRAIN] += l->train_choice[i] == SPLIT_TRAIN;
        l->capacity[SPLIT_VAL] += l->train_choice[i] == SPLIT_VAL;
    }
    for (size_t i = 0; i < l->test.count; i++)
        l->capacity[SPLIT_TEST] += l->test_choice[i] == SPLIT_TEST;
    return ST_OK;
}

static size_t total_capacity(const struct loading *l)
{
    return l->capacity[SPLIT_TRAIN] + l->capacity[SPLIT_VAL] + l->capacity[SPLIT_TEST];
}

/* An image may take its share of the memory; one that is not kept as decoded may take half of it. */
static enum status prepare_request(struct loading *l, struct err *e)
{
    struct cpu_info machine;
    cpu_detect(&machine);
    l->memory = machine.memory_bytes;
    size_t memory = l->memory ? l->memory : SIZE_MAX / 16;
    l->request = (struct image_request){.resize_h = l->source->resize_h, .resize_w = l->source->resize_w};
    bool kept = l->source->memory == DATA_LOAD && l->request.resize_h == 0;
    l->request.max_bytes = kept ? memory / total_capacity(l) : memory / 2;
    return l->source->memory == DATA_LOAD
               ? image_memory_check(total_capacity(l),
                                    (struct shape){1, l->request.resize_h, l->request.resize_w}, e)
               : ST_OK;
}

static bool must_stream(const struct loading *l, struct shape shape)
{
    return l->source->memory == DATA_STREAM ||
           (l->source->memory == DATA_AUTO && image_memory_is_short(total_capacity(l), shape, l->memory));
}

/* Room for the names and places of a split's images. */
static enum status allocate_names(struct image_set *set, size_t count, struct err *e)
{
    set->names = mem_calloc(count, sizeof *set->names);
    set->places = mem_alloc(count, sizeof *set->places);
    return set->names && set->places
               ? ST_OK
               : err_set(e, ST_NOMEM, "out of memory for the names of %zu images", count);
}

/* The first image decides the size: makes room for all, or decides to stream. */
static enum status allocate_sets(struct loading *l, const struct image *first, struct err *e)
{
    l->d->image = (struct shape){first->c, first->h, first->w};
    l->request.expect_h = first->h;
    l->request.expect_w = first->w;
    l->stream = must_stream(l, l->d->image);
    if (l->stream)
        return ST_OK;
    enum status status = image_memory_check(total_capacity(l), l->d->image, e);
    for (int s = 0; status == ST_OK && s < SPLIT_COUNT; s++) {
        if (l->capacity[s] > 0) {
            struct image_set *set = &l->d->sets[s];
            status = image_set_alloc(set, l->capacity[s], l->d->image, e);
            if (status == ST_OK)
                status = allocate_names(set, l->capacity[s], e);
        }
    }
    return status;
}

/* The first image with colours makes those that came before RGB too. */
static enum status widen_sets(struct loading *l, struct err *e)
{
    struct shape gray = l->d->image, rgb = {3, gray.h, gray.w};
    l->stream = must_stream(l, rgb);
    if (l->stream)
        return ST_OK;
    enum status status = image_memory_check(total_capacity(l), rgb, e);
    for (int s = 0; status == ST_OK && s < SPLIT_COUNT; s++) {
        struct image_set *set = &l->d->sets[s];
        if (l->capacity[s] == 0)
            continue;
        uint8_t *pixels = mem_realloc(set->pixels, l->capacity[s], shape_bytes(rgb));
        if (pixels) {
            set->pixels = pixels;
            image_widen(pixels, set->count * shape_bytes(gray), pixels);
        } else {
            status = err_set(e, ST_NOMEM, "out of memory for %zu images", l->capacity[s]);
        }
    }
    if (status == ST_OK)
        l->d->image = rgb;
    return status;
}

/* Puts a decoded image behind those in its split. */
static enum status append(struct loading *l, const struct image *image, const struct file_list *files,
                          size_t place, enum split split, struct err *e)
{
    enum status status = ST_OK;
    if (l->d->image.c == 0)
        status = allocate_sets(l, image, e);
    else if (image->c > l->d->image.c)
        status = widen_sets(l, e);
    if (status != ST_OK || l->stream)
        return status;
    struct image_set *set = &l->d->sets[split];
    size_t bytes = shape_bytes(l->d->image);
    uint8_t *pixels = set->pixels + set->count * bytes;
    set->names[set->count] = mem_strdup(files->paths[place]);
    if (!set->names[set->count])
        return err_set(e, ST_NOMEM, "out of memory for file names");
    if (image->c < l->d->image.c)
        image_widen(image->pixels, bytes / 3, pixels);
    else
        memcpy(pixels, image->pixels, bytes);
    set->places[set->count] = (uint32_t)place;
    set->labels[set->count++] = files->labels[place];
    return ST_OK;
}

static enum status load_file(struct loading *l, const struct file_list *files, size_t place, enum split split,
                             struct err *e)
{
    const struct image *image = NULL;
    struct err reason = ERR_INIT;
    enum status status =
        image_file_decode(&l->decoder, l->source->path, files->paths[place], &l->request, &image, &reason);
    if (status == ST_OK)
        return append(l, image, files, place, split, e);
    if (image_file_may_skip(l->source, status)) {
        image_file_note_skipped(l->d, &reason);
        return ST_OK;
    }
    return err_set(e, status, "%s", reason.text);
}

static enum status load_files(struct loading *l, const struct file_list *files, const uint8_t *choice,
                              struct err *e)
{
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && !l->stream && i < files->count; i++)
        if (choice[i] != SPLIT_COUNT)
            status = load_file(l, files, i, (enum split)choice[i], e);
    return status;
}

static enum status check_not_empty(const struct loading *l, struct err *e)
{
    for (int s = 0; s < SPLIT_COUNT; s++) {
        if (l->capacity[s] > 0 && l->d->sets[s].count == 0) {
            return err_set(e, ST_CORRUPT, "no readable image in the %s set of %s; the first failure was: %s",
                           split_name((enum split)s), l->source->path, l->d->first_skipped);
        }
    }
    return ST_OK;
}

/* Names and labels of the files chosen for one split, behind those that are there. The names move from the
 * list to the set. */
static void move_names(struct loading *l, struct file_list *files, const uint8_t *choice)
{
    for (size_t i = 0; i < files->count; i++) {
        if (choice[i] != SPLIT_COUNT) {
            struct image_set *set = &l->d->sets[choice[i]];
            set->labels[set->count] = files->labels[i];
            set->places[set->count] = (uint32_t)i;
            set->names[set->count++] = files->paths[i];
            files->paths[i] = NULL;
        }
    }
}

/* Starts again, with names and labels only: the first pass ended where it was decided not to keep pixels. */
static enum status stream_files(struct loading *l, struct err *e)
{
    l->d->skipped = 0;
    for (int s = 0; s < SPLIT_COUNT; s++) {
        struct image_set *set = &l->d->sets[s];
        image_set_release(set);
        if (l->capacity[s] > 0) {
            set->labels = mem_calloc(l->capacity[s], sizeof *set->labels);
            if (!set->labels)
                return err_set(e, ST_NOMEM, "out of memory for the labels of %zu images", l->capacity[s]);
            enum status status = allocate_names(set, l->capacity[s], e);
            if (status != ST_OK)
                return status;
        }
    }
    move_names(l, &l->train, l->train_choice);
    move_names(l, &l->test, l->test_choice);
    return image_stream_open(l->d, l->source, &l->request, e);
}

static enum status load_all(struct loading *l, struct err *e)
{
    enum status status = load_files(l, &l->train, l->train_choice, e);
    if (status == ST_OK)
        status = load_files(l, &l->test, l->test_choice, e);
    if (status == ST_OK && l->stream)
        status = stream_files(l, e);
    return status == ST_OK ? check_not_empty(l, e) : status;
}

/* The first image that can be read tells size and colours; gray ones may still be among others with colours.
 */
static enum status look_at_images(struct loading *l, const struct name_list *images, const char *folder,
                                  struct data_look *out, struct err *e)
{
    const struct image *image = NULL;
    enum status status = ST_USAGE;
    for (size_t i = 0; i < images->count; i++) {
        struct err reason = ERR_INIT;
        status = image_file_decode(&l->decoder, folder, images->names[i], &l->request, &image, &reason);
        if (status == ST_OK) {
            out->image = (struct shape){image->c == 3 ? 3 : 0, image->h, image->w};
            return ST_OK;
        }
        if (!image_file_may_skip(l->source, status))
            return err_set(e, status, "%s", reason.text);
    }
    /* Bad ones are left out, and those of other classes may be good: nothing is known yet. */
    return images->count > 0 ? ST_OK
                             : err_set(e, status, "no images in %s: expected *.jpg, *.jpeg or *.png", folder);
}

enum status image_folder_look(const struct data_source *source, struct data_look *out, struct err *e)
{
    struct dataset d = {0};
    struct loading l = {.source = source, .d = &d};
    struct name_list images = {NULL, 0, 0};
    char *folder = NULL;
    const char *test = NULL;
    image_decoder_init(&l.decoder);
    l.capacity[SPLIT_TRAIN] = 1;
    enum status status = prepare_request(&l, e);
    if (status == ST_OK)
        status = find_folders(&l, &test, e);
    if (status == ST_OK) {
        folder = mem_printf("%s/train/%s", source->path, d.class_names[0]);
        status =
            folder ? list_images(folder, &images, e) : err_set(e, ST_NOMEM, "out of memory for file names");
    }
    if (status == ST_OK)
        status = look_at_images(&l, &images, folder, out, e);
    out->classes = d.classes;
    name_list_release(&images);
    mem_free(folder);
    image_decoder_release(&l.decoder);
    dataset_release(&d);
    return status;
}

enum status image_folder_load(const struct data_source *source, struct dataset *d, struct err *e)
{
    struct loading l = {.source = source, .d = d};
    image_decoder_init(&l.decoder);
    enum status status = list_files(&l, e);
    if (status == ST_OK)
        status = choose(&l, e);
    if (status == ST_OK)
        status = prepare_request(&l, e);
    if (status == ST_OK)
        status = load_all(&l, e);
    image_decoder_release(&l.decoder);
    file_list_release(&l.train);
    file_list_release(&l.test);
    mem_free(l.train_choice);
    mem_free(l.test_choice);
    return status;
}
