#!/bin/sh
# How long the commands take on a large database: 97,332 trials (250 widths x 100 squeeze ratios x 4 seeds, as far as
# they differ) with 1,946,560 epochs, of which four trials are left to train. A run records the trials; their results
# are made up. Usage: bench/scale.sh FIRESWEEP [FOLDER]; needs the program sqlite3 and Fashion-MNIST
# (dataset-fashion-mnist). The folder (default: a new one below /tmp) keeps the database.
set -eu

program=$(realpath "${1:?usage: bench/scale.sh FIRESWEEP [FOLDER]}")
folder=${2:-$(mktemp -d /tmp/firesweep-scale.XXXXXX)}
mkdir -p "$folder"
cd "$folder"

# Its budget lets a run begin and then end at once.
cat >scale.yaml <<END
version: 1
name: scale
data: {format: idx, path: /usr/share/datasets/fashion-mnist, val: 64, train_limit: 128, test_limit: 64}
base: {preset: small32, conv1_filters: 8, base_e: 8, incr_e: 4}
sweep: [{id: big, grid: {base_e: {from: 16, to: 265, step: 1}, SR: {from: 0.01, to: 1.0, step: 0.01}}}]
seeds: [1, 2, 3, 4]
train: {epochs: 20, batch: 64}
budget: {wall: 0.001s}
run: {workers: 1}
END

show() { # LABEL START END: times in seconds
    printf '%-42s %6.2f s\n' "$1" "$(echo "$3 - $2" | bc)"
}

measure() { # LABEL COMMAND...
    label=$1
    shift
    start=$(date +%s.%N)
    "$@" >/dev/null 2>last.err || cat last.err >&2
    show "$label" "$start" "$(date +%s.%N)"
}

# From the command to its first worker.
measure_start() { # LABEL DB
    start=$(date +%s.%N)
    "$program" run scale.yaml --db "$2" >/dev/null 2>last.err &
    while kill -0 $! 2>/dev/null && [ -z "$(cat /proc/$!/task/$!/children 2>/dev/null)" ]; do
        sleep 0.01
    done
    show "$1" "$start" "$(date +%s.%N)"
    wait $! || true # interrupted by its budget
}

results() { # SQL that makes all trials but four done, with 20 epochs each
    cat <<END
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;
UPDATE trial SET state = 'done', epochs_done = 20, val_count = 64, val_loss = 1, val_top5 = 1, test_count = 64,
  test_loss = 1, test_top5 = 1, train_s = 1, eval_s = 1, val_top1 = abs(random() % 10000) / 10000.0,
  test_top1 = abs(random() % 10000) / 10000.0 WHERE id > 4;
INSERT INTO epoch(trial_id, epoch, lr, train_loss, train_top1, val_count, val_loss, val_top1, val_top5, train_s, eval_s)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
  SELECT t.id, n.i, 0.04, 2.0 / n.i, 0.5, 64, 2.0 / n.i, 0.5, 0.9, 1.25, 0.125 FROM trial t, n WHERE t.id > 4;
INSERT OR IGNORE INTO attempt(trial_id, number, pid, host, threads, isa, started_utc, ended_utc, outcome, wall_s, cpu_s)
  SELECT id, 1, 1, 'none', 1, 'avx2', '2026-01-01T00:00:00Z', '2026-01-01T00:00:30Z', 'done', 30, 30
  FROM trial WHERE id > 4;
COMMIT;
END
}

if ! [ -e scale.db ]; then
    measure_start "run, all trials new, first worker" new.db
    echo "making $folder/scale.db ..." >&2
    results | sqlite3 new.db >/dev/null
    mv new.db scale.db
    rm -rf new.checkpoints new.logs
fi

sqlite3 scale.db 'SELECT count(*) || " trials, " || (SELECT count(*) FROM epoch) || " epochs" FROM trial'
for time in first second third; do
    measure_start "run, 4 trials left, first worker, $time" scale.db
done
measure status "$program" status scale.db
for query in curve leaderboard pareto trials attempts fires epochs; do
    measure "query $query" "$program" query scale.db $query --format csv
done
measure "plan" "$program" plan scale.yaml --only totals
measure "plan, beside the database" "$program" plan scale.yaml --db scale.db --only changes
measure "plot scatter" "$program" plot scale.db scatter -o figures
