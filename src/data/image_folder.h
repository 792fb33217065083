/* Image folders: train/<class>/ and test/<class>/ (or val/<class>/). Private to the data module. */
#ifndef DATA_IMAGE_FOLDER_H
#define DATA_IMAGE_FOLDER_H

#include "data/dataset.h"

/* Lists, splits, then decodes what the splits need, in one pass. */
enum status image_folder_load(const struct data_source *source, struct dataset *d, struct err *e);

#endif
