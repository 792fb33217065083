#!/bin/sh
# How well a finished sweep used the machine, from its database alone. Usage: bench/utilisation.sh DB [CORES [FROM [TO]]]
#
# Two figures, over the time from the first start of an attempt to the last start of one (busy) and to the last
# end (overhead):
#   busy      thread-seconds in training steps and evaluations over cores x wall seconds, until the last trial starts: the
#             aim is 95 %. Epochs have durations, not dates: those of an attempt are taken to end with it, one after the
#             other, and the time of an attempt that is cut off counts by its share.
#   overhead  wall seconds of attempts that are neither training nor evaluation (starting a worker, saving, loading): the
#             aim is 1 %. The one pass over the test images has no time of its own in the database: it is taken to cost
#             per image what the last pass over the validation images did.
# CORES: default (0), the most threads that ran at once. FROM, TO: only attempts that start between these dates, such as
# 2026-11-25T02:16:20Z; a pause between two runs counts as idle, so give those of one run. Dates have whole seconds: runs of
# some minutes at least. The database is only read.
set -eu

db=${1:?usage: bench/utilisation.sh DB [CORES]}
cores=${2:-0} from=${3:-0} to=${4:-9}
[ -r "$db" ] || { echo "utilisation.sh: $db: no such file" >&2; exit 1; }

sqlite3 -readonly -box "$db" <<SQL
WITH a AS (
  SELECT a.id, a.trial_id, a.threads, a.outcome, unixepoch(a.started_utc) AS t0,
    unixepoch(a.started_utc) + a.wall_s AS t1, a.wall_s, a.cpu_s
  FROM attempt a
  WHERE a.ended_utc IS NOT NULL AND a.wall_s IS NOT NULL AND a.started_utc BETWEEN '$from' AND '$to'),
-- Training and evaluation of trials that took one attempt only; others cannot be told apart.
work AS (
  SELECT a.*, (SELECT total(e.train_s) FROM epoch e WHERE e.trial_id = a.trial_id) AS train_s,
    (SELECT total(e.eval_s) FROM epoch e WHERE e.trial_id = a.trial_id)
      + coalesce((SELECT e.eval_s * t.test_count / e.val_count FROM epoch e JOIN trial t ON t.id = e.trial_id
                  WHERE e.trial_id = a.trial_id AND e.val_count > 0 ORDER BY e.epoch DESC LIMIT 1), 0) AS eval_s
  FROM a WHERE a.outcome = 'done' AND (SELECT count(*) FROM attempt x WHERE x.trial_id = a.trial_id) = 1),
bounds AS (SELECT min(t0) AS first, max(t0) AS last_start, max(t1) AS last_end FROM a),
peak AS (SELECT max(n) AS threads FROM (
  SELECT (SELECT sum(b.threads) FROM a b WHERE b.t0 <= a.t0 AND b.t1 - 1 > a.t0) AS n FROM a)),
c AS (SELECT iif($cores > 0, $cores, threads) AS cores FROM peak),
-- The part of an attempt's wall time that lies before the last start, and its share of training and evaluation.
before AS (
  SELECT w.threads * max(0, min(w.t1, b.last_start) - w.t0) AS held,
    w.threads * max(0, min(w.t1, b.last_start) - w.t0) * min(1, (w.train_s + w.eval_s) / w.wall_s) AS busy
  FROM work w, bounds b)
SELECT (SELECT count(*) FROM a) AS attempts,
  (SELECT count(*) FROM work) AS measured,
  c.cores AS cores,
  round(b.last_start - b.first) AS s_until_last_start,
  round(b.last_end - b.first) AS s_until_end,
  round(100.0 * (SELECT sum(held) FROM before) / nullif((b.last_start - b.first) * c.cores, 0), 2) AS held_percent,
  round(100.0 * (SELECT sum(busy) FROM before) / nullif((b.last_start - b.first) * c.cores, 0), 2) AS busy_percent,
  round(100.0 * (SELECT 1 - sum(train_s + eval_s) / sum(wall_s) FROM work), 2) AS overhead_percent,
  round(100.0 * (SELECT sum(cpu_s) / sum(wall_s * threads) FROM work), 1) AS cpu_percent_of_threads
FROM bounds b, c;
SQL
