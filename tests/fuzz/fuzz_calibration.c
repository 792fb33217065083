/* The file of this machine's speeds: whatever it holds, it gives a usable speed or counts as empty. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/calibration.h"
#include "fuzz.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct calibration_key key = {.cpu = "cpu", .isa = "isa", .numerics = "n", .threads = 4};
    const size_t live = mem_live();
    struct speed speed;
    for (int k = 0; k < WORK_COUNT; k++)
        speed.train[k] = speed.infer[k] = -1;
    const bool found = calibration_read(memory_file(bytes, n), &key, &speed);
    for (int k = 0; k < WORK_COUNT; k++) {
        const bool usable = isfinite(speed.train[k]) && speed.train[k] >= 0 && isfinite(speed.infer[k]) &&
                            speed.infer[k] >= 0;
        if (found ? !usable : speed.train[k] != -1 || speed.infer[k] != -1)
            abort();
    }
    if (mem_live() != live)
        abort();
    return 0;
}
