/* Whether the trials of a space suit the data they are to be trained on. */
#include <stdio.h>

#include "data/dataset.h"
#include "sweep/space.h"
#include "sweep/spec_error.h"

static bool fits(const struct macro *m, struct shape image, int classes)
{
    return m->input.c == image.c && m->input.h == image.h && m->input.w == image.w && m->classes == classes;
}

/* "block a: {"classes":5}": the first place that names a trial. */
static struct mark name_trial(const struct spec *spec, const struct space *space, int trial, char *out,
                              size_t n)
{
    for (int i = 0; i < space->membership_count; i++) {
        const struct membership *m = &space->memberships[i];
        if (m->trial == trial) {
            snprintf(out, n, "block %s: %s", spec->blocks[m->block].id, m->axes);
            return spec->blocks[m->block].mark;
        }
    }
    snprintf(out, n, "base");
    return spec->base_mark;
}

static enum status check_trial(const struct spec *spec, const struct space *space, int trial,
                               const struct data_look *data, struct err *e)
{
    const struct trial *t = &space->trials[trial];
    const struct macro *m = &t->point.design.macro, *base = &spec->base.design.macro;
    const struct recipe *r = &t->point.recipe;
    const struct augmentation augmentation = {r->flip, r->crop_pad, r->crop_zero ? CROP_ZERO : CROP_REFLECT};
    struct shape found = data->image;
    char key[512] = "base";
    found = found.h ? found : m->input; /* no image could be looked at */
    found.c = found.c ? found.c : m->input.c;
    if (!fits(m, found, data->classes)) {
        const bool by_base = fits(m, base->input, base->classes);
        const struct mark at = by_base ? spec->base_mark : name_trial(spec, space, trial, key, sizeof key);
        return spec_error(
            e, spec->path, at, key,
            "the networks are for images of %dx%dx%d (CxHxW) in %d classes, but %s holds images "
            "of %dx%dx%d in %d classes; allowed: input and classes as in the data",
            m->input.c, m->input.h, m->input.w, m->classes, spec->data.path, found.c, found.h, found.w,
            data->classes);
    }
    if (augmentation_check(&augmentation, found, e) != ST_OK)
        return err_prefix(e, "%s: train", spec->path);
    return ST_OK;
}

enum status space_check_data(const struct spec *spec, const struct space *space, const struct data_look *data,
                             struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < space->trial_count && st == ST_OK; i++)
        if (!space->trials[i].skip_reason)
            st = check_trial(spec, space, i, data, e);
    return st;
}
