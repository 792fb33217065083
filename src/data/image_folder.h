/* Image folders: train/<class>/ and test/<class>/ (or val/<class>/). Private to the data module. */
#ifndef DATA_IMAGE_FOLDER_H
#define DATA_IMAGE_FOLDER_H

#include "data/dataset.h"

/* Classes by their folders, images by the first of them: dataset_look. */
enum status image_folder_look(const struct data_source *source, struct data_look *out, struct err *e);

/* Lists, splits, then decodes what the splits need, in one pass. */
enum status image_folder_load(const struct data_source *source, struct dataset *d, struct err *e);

#endif
