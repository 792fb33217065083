# The database that the quickstart leaves, with a smaller sweep of the same name.
# shellcheck shell=bash
cat >quickstart.yaml <<END
version: 1
name: quickstart
data: {format: idx, path: $DATA, val: 100}
base: {preset: small32, conv1_filters: 8, base_e: 4, incr_e: 4}
sweep: [{id: squeeze_ratio, grid: {SR: [0.25, 0.5, 1.0]}}]
train: {epochs: 1, batch: 32}
run: {measure: false}
END
firesweep run quickstart.yaml
