/* One test of figures: a database, what plot_draw made of it, and looks at the files. */
#ifndef TEST_PLOT_SESSION_H
#define TEST_PLOT_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

#include "report/plot.h"
#include "results.h"

extern const char spec_head[]; /* of a spec */

/* One test's database and what plot_draw made of it. */
struct session {
    struct results *results;
    struct plot_report report;
    struct err err;
    char dir[96];
};

int set_up(void **state);
int tear_down(void **state);
/* Draws into the session's folder unless `o` has one. */
enum status draw(struct session *s, struct plot_options o);
void draw_ok(struct session *s, struct plot_options o);
bool have_gnuplot(void);
void need_gnuplot(void);
char *path_in(const char *folder, const char *name);
void assert_file(const char *folder, const char *name, const char *expected);
void assert_contains(const char *path, const char *part);
void write_file(const char *path, const char *text, mode_t mode);
int count_files(const char *folder);
/* Two sizes, two and one seeds; 1 and 2 MiB. */
void fill_block(struct results *r, const char *name);
/* Two axes of two values, two seeds each; one cell has a trial that runs. */
void fill_plane(struct results *r, const char *name);
/* Draws a kind of block "plane" of sweep "s"; its data contain `data`. */
void draw_kind(struct session *s, const char *kind, const char *data);

#endif
