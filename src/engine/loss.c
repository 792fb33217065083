#include "engine/loss.h"

#include <math.h>

static int rank_of(const float *logits, int classes, int label)
{
    int ahead = 0;
    if (isnan(logits[label]))
        return classes;
    for (int c = 0; c < classes; c++)
        ahead += logits[c] > logits[label] || (c < label && logits[c] == logits[label]);
    return ahead;
}

struct loss loss_softmax(const float *logits, int classes, int label, double smoothing, float *gradient)
{
    double largest = logits[0], sum = 0, mean_logit = 0;
    for (int c = 1; c < classes; c++)
        largest = logits[c] > largest ? logits[c] : largest;
    for (int c = 0; c < classes; c++) {
        sum += exp(logits[c] - largest);
        mean_logit += logits[c];
    }
    mean_logit /= classes;
    /* cppcheck-suppress invalidFunctionArg ; there is at least one class, so sum >= 1 */
    const double log_sum = log(sum) + largest;
    if (gradient) {
        for (int c = 0; c < classes; c++)
            gradient[c] =
                (float)(exp(logits[c] - log_sum) - smoothing / classes - (c == label ? 1 - smoothing : 0));
    }
    const double value = log_sum - (1 - smoothing) * logits[label] - smoothing * mean_logit;
    return (struct loss){value, rank_of(logits, classes, label)};
}
