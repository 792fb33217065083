/* A machine that has been measured, as far as the program under test can tell. */
#ifndef TESTS_E2E_SPEED_H
#define TESTS_E2E_SPEED_H

/* Keeps this time, in seconds, for every unit of work as the machine's calibration, below XDG_CACHE_HOME:
 * a test's setup points that to its own folder, so that no real calibration is read or written. */
void keep_speed(double seconds);

#endif
