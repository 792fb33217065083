#include "report/paper_facts.h"

const struct paper_point paper_sr[5] = {
    {0.125, 4.8, 80.3, false}, {0.25, 7.6, 83.5, true}, {0.5, 13, 85.3, false},
    {0.75, 19, 86.0, false},   {1.0, 24, 86.0, false},
};

const struct paper_point paper_pct3x3[9] = {
    {0.01, 5.7, 76.3, false}, {0.125, 7.4, 81.0, true}, {0.25, 9.3, 84.2, true},
    {0.375, 11, 84.8, true},  {0.5, 13, 85.3, false},   {0.625, 15, 85.6, true},
    {0.75, 17, 85.4, true},   {0.875, 19, 85.4, true},  {0.99, 21, 85.3, false},
};

const struct paper_layer paper_table1[11] = {
    {"conv1", 14208, 14208},    {"fire2", 11920, 5746},     {"fire3", 12432, 6258},
    {"fire4", 45344, 20646},    {"fire5", 49440, 24742},    {"fire6", 104880, 44700},
    {"fire7", 111024, 46236},   {"fire8", 188992, 77581},   {"fire9", 197184, 77581},
    {"conv10", 513000, 103400}, {"total", 1248424, 421098},
};

const struct paper_compression paper_table2[7] = {
    {"AlexNet", "none", 240, 57.2, 80.3},
    {"AlexNet", "SVD", 48, 56.0, 79.4},
    {"AlexNet", "network pruning", 27, 57.2, 80.3},
    {"AlexNet", "deep compression, 5-8 bit", 6.9, 57.2, 80.3},
    {"SqueezeNet", "none", 4.8, 57.5, 80.3},
    {"SqueezeNet", "deep compression, 8 bit", 0.66, 57.5, 80.3},
    {"SqueezeNet", "deep compression, 6 bit", 0.47, 57.5, 80.3},
};

const struct paper_bypass paper_table3[3] = {
    {BYPASS_NONE, 4.8, 57.5, 80.3},
    {BYPASS_SIMPLE, 4.8, 60.4, 82.5},
    {BYPASS_COMPLEX, 7.7, 58.8, 82.0},
};

const struct paper_point *paper_points(enum paper_curve curve, size_t *count)
{
    *count =
        curve == PAPER_SR ? sizeof paper_sr / sizeof *paper_sr : sizeof paper_pct3x3 / sizeof *paper_pct3x3;
    return curve == PAPER_SR ? paper_sr : paper_pct3x3;
}
