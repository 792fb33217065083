/* The files of an image folder, in order. Private to the data module. */
#ifndef DATA_FILE_LIST_H
#define DATA_FILE_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Names of one folder, sorted bytewise. */
struct name_list {
    char **names;
    size_t count, capacity;
};
void name_list_release(struct name_list *l);

/* Sub-folders (or links to folders) whose names do not start with a dot. */
enum status list_folders(const char *path, struct name_list *out, struct err *e);
/* Entries named *.jpg, *.jpeg, *.png in any case, not starting with a dot. */
enum status list_images(const char *path, struct name_list *out, struct err *e);

/* The images of train/ or test/: paths below the root, classes in order and files in order within. */
struct file_list {
    char **paths;     /* for example "train/cat/0001.jpg" */
    uint16_t *labels; /* index of the class */
    size_t count, capacity;
};
/* `set` is "train", "test" or "val". ST_USAGE when a class folder is missing or has no image. */
enum status file_list_init(struct file_list *l, const char *root, const char *set, char **classes,
                           int class_count, struct err *e);
void file_list_release(struct file_list *l);

#endif
