/* Whether the trials of a space suit the data they are to be trained on. */
#include "data/dataset.h"
#include "sweep/space.h"

static enum status check_trial(const struct spec *spec, const struct trial *t, const struct data_look *data,
                               struct err *e)
{
    const struct macro *m = &t->point.design.macro;
    const struct recipe *r = &t->point.recipe;
    const struct augmentation augmentation = {r->flip, r->crop_pad, r->crop_zero ? CROP_ZERO : CROP_REFLECT};
    struct shape found = data->image;
    found.c = found.c ? found.c : m->input.c;
    if (m->input.c != found.c || m->input.h != found.h || m->input.w != found.w ||
        m->classes != data->classes)
        return err_set(
            e, ST_USAGE,
            "%s:%d:%d: base: the networks are for images of %dx%dx%d (CxHxW) in %d classes, but %s holds "
            "images of %dx%dx%d in %d classes; allowed: input and classes as in the data",
            spec->path, spec->base_mark.line, spec->base_mark.column, m->input.c, m->input.h, m->input.w,
            m->classes, spec->data.path, found.c, found.h, found.w, data->classes);
    if (augmentation_check(&augmentation, found, e) != ST_OK)
        return err_prefix(e, "%s: train", spec->path);
    return ST_OK;
}

enum status space_check_data(const struct spec *spec, const struct space *space, const struct data_look *data,
                             struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < space->trial_count && st == ST_OK; i++) {
        if (!space->trials[i].skip_reason)
            st = check_trial(spec, &space->trials[i], data, e);
    }
    return st;
}
