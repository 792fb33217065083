/* Opening the results database that a command is given. */
#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "base/err.h"
#include "sweep/store.h"

/* store_open_readonly, but a sweep spec in the place of a database is wrong usage (ST_USAGE) and named as
 * what it is, with the database it has. */
enum status database_open(const char *path, struct store **out, struct err *e);

/* The same for what others opened: `st` and *e are of the failure; returns the status to go on with. */
enum status database_failure(const char *path, enum status st, struct err *e);

#endif
