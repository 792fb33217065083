#!/bin/sh
# How long the commands take on a large database: 100,000 trials with 2,000,000 epochs. Nothing is trained but one
# tiny trial, which makes the schema. Usage: bench/scale.sh FIRESWEEP [FOLDER]; needs the program sqlite3 and
# Fashion-MNIST (dataset-fashion-mnist). The folder (default: a new one below /tmp) keeps the database.
set -eu

program=$(realpath "${1:?usage: bench/scale.sh FIRESWEEP [FOLDER]}")
folder=${2:-$(mktemp -d /tmp/firesweep-scale.XXXXXX)}
mkdir -p "$folder"
cd "$folder"

spec() { # NAME BLOCK
    cat >"$1.yaml" <<END
version: 1
name: scale
data: {format: idx, path: /usr/share/datasets/fashion-mnist, val: 64, train_limit: 128, test_limit: 64}
base: {preset: small32, conv1_filters: 8, base_e: 8, incr_e: 4}
train: {epochs: 20, batch: 64}
$2
END
}

spec one 'seeds: [1]'
# 250 x 100 points x 4 seeds
spec many 'seeds: [1, 2, 3, 4]
sweep: [{id: big, grid: {base_e: {from: 16, to: 265, step: 1}, SR: {from: 0.01, to: 1.0, step: 0.01}}}]'

if ! [ -e scale.db ]; then
    echo "making $folder/scale.db ..." >&2
    "$program" run one.yaml --db new.db >/dev/null 2>&1
    # Rows are copies of the one that was trained, under other identities and with other accuracies.
    columns() { sqlite3 new.db "SELECT group_concat(name, ',') FROM pragma_table_info('$1') WHERE name NOT IN ($2)"; }
    variant=$(columns variant "'id','arch_hash','sr','params','model_bytes'")
    trial=$(columns trial "'id','variant_id','seed','val_top1','test_top1','state'")
    epoch=$(columns epoch "'trial_id','epoch'")
    attempt=$(columns attempt "'id','trial_id'")
    fire=$(columns fire "'variant_id'")
    sqlite3 new.db <<END
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN;
CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 25000) SELECT i FROM c;
INSERT INTO variant(id, arch_hash, sr, params, model_bytes, $variant)
  SELECT i, printf('%016x', i), i / 25000.0, params + i, model_bytes + 4 * i, $variant FROM n, variant WHERE id = 1;
INSERT INTO fire(variant_id, $fire) SELECT i, $fire FROM n, fire WHERE variant_id = 1;
INSERT INTO trial(id, variant_id, seed, state, val_top1, test_top1, $trial)
  SELECT 4 * (v.id - 1) + s.seed, v.id, s.seed, CASE v.id % 1000 WHEN 7 THEN 'failed' WHEN 8 THEN 'pending' ELSE 'done' END,
    abs(random() % 10000) / 10000.0, abs(random() % 10000) / 10000.0, $trial
  FROM variant v, (SELECT 1 AS seed UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) s, trial t WHERE t.id = 1 AND NOT (v.id = 1 AND s.seed = 1);
INSERT INTO block_trial(block_id, trial_id, axes, position, in_spec)
  SELECT 1, id, json_object('SR', (SELECT sr FROM variant v WHERE v.id = variant_id)), id, 1 FROM trial WHERE id > 1;
INSERT INTO epoch(trial_id, epoch, $epoch) SELECT t.id, n.i - 1, $(echo "$epoch" | sed 's/[^,]*/e.&/g')
  FROM trial t, (SELECT i FROM n LIMIT 20) n, epoch e WHERE e.trial_id = 1 AND e.epoch = 1 AND t.id > 1;
INSERT INTO attempt(trial_id, $attempt) SELECT t.id, $(echo "$attempt" | sed 's/[^,]*/a.&/g') FROM trial t, attempt a WHERE a.trial_id = 1 AND t.id > 1 ORDER BY t.id;
COMMIT;
END
    mv new.db scale.db
    rm -rf new.checkpoints new.logs
fi

measure() { # LABEL COMMAND...
    label=$1
    shift
    start=$(date +%s.%N)
    "$@" >/dev/null 2>last.err || { cat last.err >&2; }
    end=$(date +%s.%N)
    printf '%-34s %6.2f s\n' "$label" "$(echo "$end - $start" | bc)"
}

sqlite3 scale.db 'SELECT count(*) || " trials, " || (SELECT count(*) FROM epoch) || " epochs" FROM trial'
measure status "$program" status scale.db
for query in curve leaderboard pareto trials attempts fires epochs; do
    measure "query $query" "$program" query scale.db $query --format csv
done
measure "plan, 100,000 trials" "$program" plan many.yaml --only totals
measure "plan, beside the database" "$program" plan many.yaml --db scale.db --only changes
# A run that stops as soon as it would train: the first time it records 100,000 trials.
spec stopped 'seeds: [1, 2, 3, 4]
sweep: [{id: big, grid: {base_e: {from: 16, to: 265, step: 1}, SR: {from: 0.01, to: 1.0, step: 0.01}}}]
budget: {wall: 0.001s}
run: {workers: 1}'
measure "run, 100,000 new trials" "$program" run stopped.yaml --db stopped.db
measure "run, 100,000 known trials" "$program" run stopped.yaml --db stopped.db
