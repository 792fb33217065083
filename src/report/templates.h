/* The gnuplot templates of plots/, compiled into the program. */
#ifndef REPORT_TEMPLATES_H
#define REPORT_TEMPLATES_H

/* Text of plots/<name>.gp; NULL if there is none. */
const char *template_builtin(const char *name);

#endif
