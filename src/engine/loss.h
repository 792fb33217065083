/* Softmax cross-entropy. */
#ifndef ENGINE_LOSS_H
#define ENGINE_LOSS_H

struct loss {
    double value; /* cross-entropy against the smoothed target */
    int rank; /* classes ahead of the label, 0 = right; of equal logits the lower class is ahead; NaN ranks
                 last */
};

/* Target: 1 - smoothing + smoothing / classes for the label, smoothing / classes for the others. `gradient`
 * (classes values, may be NULL) receives softmax - target, the gradient of `value` to the logits. */
struct loss loss_softmax(const float *logits, int classes, int label, double smoothing, float *gradient);

#endif
