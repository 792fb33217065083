/* Strict parsing of numbers: the whole string must be the number, in the C locale. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal integer, optional sign. False when malformed or out of int64. */
bool num_parse_int(const char *s, int64_t *out);
/* Decimal or scientific, finite ("nan", "inf" and hex are refused). */
bool num_parse_double(const char *s, double *out);
/* Number with optional unit KiB, MiB, GiB, KB, MB, GB, K, M, G (K, KB, M.. are powers of 1000; Ki.. of 1024):
 * bytes or a count. */
bool num_parse_scaled(const char *s, double *out);
/* Duration: a number with unit s, m, h or d, or combined ("1h30m"); without a unit, seconds. */
bool num_parse_duration(const char *s, double *seconds);
/* Shortest decimal text that reads back to the same double, whole numbers below 1e15 without an exponent;
 * out holds at least 32 bytes. Returns out. */
char *num_format_double(double v, char *out);

#endif
