/* Whether the trials of a space suit the data they are to be trained on. */
#include "data/dataset.h"
#include "sweep/space_internal.h"
#include "sweep/spec_error.h"

static bool fits(const struct macro *m, struct shape image, int classes)
{
    return m->input.c == image.c && m->input.h == image.h && m->input.w == image.w && m->classes == classes;
}

/* The block that names the trial first, by a point that no condition excludes; -1: none. */
static int block_of(const struct space *space, int trial)
{
    for (int i = 0; i < space->membership_count; i++)
        if (space->memberships[i].trial == trial && !space->memberships[i].skip_reason)
            return space->memberships[i].block;
    return -1;
}

static enum status check_trial(const struct spec *spec, const struct space *space, int trial,
                               const struct data_look *data, struct err *e)
{
    const struct trial *t = &space->trials[trial];
    const struct macro *m = &t->point.design.macro;
    struct shape found = data->image;
    struct place place;
    found = found.h ? found : m->input; /* no image could be looked at */
    found.c = found.c ? found.c : m->input.c;
    if (fits(m, found, data->classes))
        return ST_OK;
    const char *key = fits(m, found, m->classes) ? "classes" : "input";
    space_place_value(spec, block_of(space, trial), field_find(SECTION_BASE, key), &t->point, &place);
    return spec_error(e, spec->path, place.at, place.key,
                      "the networks are for images of %dx%dx%d (CxHxW) in %d classes, but %s holds images "
                      "of %dx%dx%d in %d classes; allowed: input and classes as in the data",
                      m->input.c, m->input.h, m->input.w, m->classes, spec->data.path, found.c, found.h,
                      found.w, data->classes);
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
