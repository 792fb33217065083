#include "speed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/calibration.h"

void keep_speed(double seconds)
{
    struct calibration_key key;
    struct speed s;
    for (int k = 0; k < WORK_COUNT; k++)
        s.train[k] = s.infer[k] = seconds;
    calibration_key_init(&key);
    char *path = calibration_path();
    assert_non_null(path);
    assert_int_equal(calibration_write(path, &key, &s, NULL), ST_OK);
    mem_free(path);
}
