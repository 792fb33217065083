/* firesweep init: a spec to start from. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "metamodel/arch.h"

enum { OPTION_PRESET = OPTION_OWN, OPTION_OUTPUT };
enum { SWEEP_NAME = 101 }; /* with its end */

static const struct poptOption options[] = {
    {"preset", '\0', POPT_ARG_STRING, NULL, OPTION_PRESET,
     "Network to start from: small32 (default), squeezenet-1.0 or squeezenet-1.1", "NAME"},
    {"output", 'o', POPT_ARG_STRING, NULL, OPTION_OUTPUT,
     "File to write, which must not exist (default: sweep.yaml; -: standard output)", "FILE"},
    POPT_TABLEEND};

static const char head[] =
    "# A sweep spec for firesweep.\n"
    "#\n"
    "#     firesweep validate %1$s      is it right?\n"
    "#     firesweep plan %1$s          what will it train, at what cost?\n"
    "#     firesweep run %1$s           train it; the same command continues where it stopped\n"
    "#     firesweep plot results/%2$s.db\n"
    "#\n"
    "# `firesweep plan --reference` lists every key.\n"
    "version: 1\n"
    "name: %2$-25s # results go to results/%2$s.db\n"
    "\n";

/* Small images: the default data of Debian's package dataset-fashion-mnist. */
static const char small_data[] =
    "data:\n"
    "  format: idx                   # or cifar10, cifar100, image-folder\n"
    "  path: /usr/share/datasets/fashion-mnist\n"
    "  val: 5000                     # training images set aside to select on\n"
    "  train_limit: 15000            # for a quick first look; leave out to train on all\n"
    "\n";

static const char large_data[] =
    "data:\n"
    "  format: image-folder          # train/CLASS/*.jpg and test/CLASS/*.jpg, or png\n"
    "  path: data/images             # yours\n"
    "  resize: %dx%d                 # scale and crop to the network's input\n"
    "  val: 5000                     # training images set aside to select on\n"
    "\n";

static const char rest[] =
    "base:                           # where every variant starts from\n"
    "  preset: %s\n"
    "  base_e: %-3d                   # expand filters of fire2\n"
    "  incr_e: %-3d                   # added every freq Fires\n"
    "  freq: 2\n"
    "  SR: 0.5                       # squeeze filters over expand filters\n"
    "  pct3x3: 0.5                   # share of 3x3 among the expand filters\n"
    "  bypass: none                  # or simple, complex\n"
    "\n"
    "sweep:                          # blocks; what stands in several is trained once\n"
    "  - id: squeeze_ratio\n"
    "    grid: {SR: [0.125, 0.25, 0.5, 0.75, 1.0]}\n"
    "  - id: width                   # side by side, not every combination\n"
    "    zip: {base_e: [%d, %d], incr_e: [%d, %d]}\n"
    "\n"
    "# constraints: [\"model_bytes <= 5MiB\", \"macs <= 200M\"]    # checked before training\n"
    "seeds: [1]                      # [1, 2, 3] trains each point three times, for error bars\n"
    "\n"
    "train: {epochs: %d, batch: %d, optimizer: sgd, momentum: 0.9, lr: %s, schedule: triangular, warmup: "
    "0.15}\n"
    "\n"
    "plots:\n"
    "  - {kind: curve, block: squeeze_ratio, x: model_mib, y: val_top1}\n";

/* What the sweep is called: the file without folder and ending, or "sweep" where that is no name. */
static void sweep_name(const char *file, char out[SWEEP_NAME])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *slash = strrchr(file, '/'), *stem = slash ? slash + 1 : file, *dot = strrchr(stem, '.');
    const size_t n = dot ? (size_t)(dot - stem) : strlen(stem);
    const bool usable = n > 0 && n < SWEEP_NAME && strspn(stem, allowed) >= n && stem[0] != '-' &&
                        stem[0] != '.' &&
                        !(n == 4 && strncasecmp(stem, "null", n) == 0); /* that is nothing in YAML */
    snprintf(out, SWEEP_NAME, "%.*s", usable ? (int)n : 5, usable ? stem : "sweep");
}

static void write_spec(FILE *f, const char *file, const char *preset, const struct macro *m)
{
    char name[SWEEP_NAME];
    sweep_name(file, name);
    const bool small = m->input.h <= 64;
    const int width = small ? 32 : 128;
    fprintf(f, head, file, name);
    if (small)
        fputs(small_data, f);
    else
        fprintf(f, large_data, m->input.h, m->input.w);
    fprintf(f, rest, preset, width, width, width / 2, width, width / 2, width, small ? 4 : 60,
            small ? 32 : 128, small ? "0.06" : "0.04");
}

/* O_EXCL: whatever stands there, also a link, is left alone. */
static enum status write_new_file(const char *path, const char *preset, const struct macro *m, struct err *e)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return err_set(e, ST_FAILED, "%s exists and is left as it is, say -o FILE", path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) {
        enum status st = err_errno(e, "cannot write %s", path);
        if (fd >= 0)
            close(fd);
        return st;
    }
    write_spec(f, path, preset, m);
    const bool failed = fflush(f) != 0;
    if (failed)
        err_errno(e, "cannot write %s", path);
    if (fclose(f) != 0 && !failed)
        return err_errno(e, "cannot write %s", path);
    return failed ? e->status : ST_OK;
}

static enum status init_run(const struct args *a, struct err *e)
{
    const char *preset = a->value[OPTION_PRESET] ? a->value[OPTION_PRESET] : "small32";
    const char *path = a->value[OPTION_OUTPUT] ? a->value[OPTION_OUTPUT] : "sweep.yaml";
    struct design design;
    enum status st = design_preset(preset, &design, e);
    if (st == ST_OK && strcmp(path, "-") == 0) {
        write_spec(stdout, "sweep.yaml", preset, &design.macro);
    } else if (st == ST_OK) {
        st = write_new_file(path, preset, &design.macro, e);
        if (st == ST_OK) {
            table_print_escaped(stdout, path);
            putchar('\n');
        }
    }
    return st == ST_OK ? ST_OK : err_prefix(e, "init");
}

const struct command command_init = {
    .name = "init",
    .summary = "Write a commented sweep spec to start from",
    .description = "Writes a sweep spec with comments: two blocks, a recipe that trains, and a figure. An "
                   "existing file is never replaced. The small preset's spec runs as it is where Debian's "
                   "package dataset-fashion-mnist is installed; the others want the path of your images.",
    .examples = "  firesweep init\n"
                "  firesweep init --preset squeezenet-1.1 -o imagenet.yaml\n"
                "  firesweep init -o - | less\n",
    .options = options,
    .run = init_run,
};
