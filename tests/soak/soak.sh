#!/bin/sh
# Kills sweeps at random moments, runs the same command again until it is done, and compares the metrics with those
# of a sweep left alone, bit for bit.
#
#   tests/soak/soak.sh [options]
#     -b PROGRAM  the firesweep to test (default: build/release/src/cli/firesweep)
#     -n COUNT    databases to make (default: 20)
#     -k KILLS    kills of each, one after the other (default: 1)
#     -t SECONDS  start no further database after so long (default: 1200)
#     -s SEED     of the random moments (default: 1)
#     -r RUNS     runs that share each database, all killed at once (default: 1)
#
# Each kill takes, at random: the supervisor, one worker, or all of them at once (SIGKILL). The moments are spread
# evenly over what an uninterrupted sweep takes, so they fall into checkpoint writes and commits too; a database that was
# done before its first kill does not count. The exit status is
# 0 when all databases that were made are identical to the reference.
set -eu

program=build/release/src/cli/firesweep
count=20 kills=1 seconds=1200 seed=1 runs=1
while getopts b:n:k:t:s:r: option; do
    case $option in
    b) program=$OPTARG ;;
    n) count=$OPTARG ;;
    k) kills=$OPTARG ;;
    t) seconds=$OPTARG ;;
    s) seed=$OPTARG ;;
    r) runs=$OPTARG ;;
    *) exit 2 ;;
    esac
done
program=$(realpath "$program")
data_maker=$(realpath "$(dirname "$0")/make_data.py")
for tool in sqlite3 python3 setsid; do
    command -v $tool >/dev/null || { echo "soak: $tool is missing" >&2; exit 1; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 "$data_maker" data
cat >soak.yaml <<SPEC
version: 1
name: soak
data: {format: idx, path: data, val: 80}
base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}
sweep: [{id: grid, grid: {SR: [0.25, 0.5, 1.0], pct3x3: [0.25, 0.75]}}]
train: {epochs: 4, batch: 16, lr: 0.02, flip: true, crop_pad: 2, dropout: 0.3}
run: {checkpoint: 0.02s, retries: 100}
SPEC

metrics() {
    # Hexadecimal would be exact as well; 17 digits are for every double.
    sqlite3 -readonly "$1" "SELECT * FROM metrics" ".exit" >/dev/null 2>&1 || return 1
    sqlite3 -readonly "$1" "ATTACH 'reference.db' AS r; SELECT
        (SELECT count(*) FROM (SELECT * FROM main.metrics EXCEPT SELECT * FROM r.metrics)) +
        (SELECT count(*) FROM (SELECT * FROM r.metrics EXCEPT SELECT * FROM main.metrics)) +
        abs((SELECT count(*) FROM main.metrics) - (SELECT count(*) FROM r.metrics)) +
        (SELECT count(*) FROM main.trial WHERE state <> 'done') + (SELECT count(*) FROM main.lease)"
}

now_ms() { date +%s%3N; }

begun=$(now_ms)
"$program" run soak.yaml --db reference.db >reference.out 2>&1
[ "$(sqlite3 -readonly reference.db "SELECT count(*) FROM trial WHERE state = 'done'")" = 6 ]
length_ms=$(($(now_ms) - begun))

# The next random number below $1: a linear congruential generator, so that a seed repeats the moments.
random=$seed
below() {
    random=$(((random * 1103515245 + 12345) % 2147483648))
    drawn=$((random / 65536 * $1 / 32768))
}

# Starts the sweep(s); $pids: the supervisors.
start() {
    pids=
    i=0
    while [ $i -lt "$runs" ]; do
        setsid "$program" run soak.yaml --db trial.db >>trial.out 2>&1 &
        pids="$pids $!"
        i=$((i + 1))
    done
}

children() { for pid in $pids; do cat "/proc/$pid/task/$pid/children" 2>/dev/null || :; done; }

killed=0 supervisors=0 workers=0 everything=0 early=0
strike() {
    below 3
    kind=$drawn
    below "$length_ms"
    sleep "$(printf '%d.%03d' $((drawn / 1000)) $((drawn % 1000)))"
    alive=0
    for pid in $pids; do
        if kill -0 "$pid" 2>/dev/null; then alive=1; fi
    done
    if [ $alive = 0 ]; then
        early=$((early + 1)) # it had finished: the machine was less busy than before
        length_ms=$((length_ms * 9 / 10 + 1))
        return 1
    fi
    killed=$((killed + 1))
    case $kind in
    0)
        supervisors=$((supervisors + 1))
        kill -KILL $pids 2>/dev/null || :
        ;;
    1)
        victim=$(children | tr ' ' '\n' | head -n 1)
        if [ -n "$victim" ]; then kill -KILL "$victim" 2>/dev/null || :; fi
        workers=$((workers + 1))
        ;;
    2)
        everything=$((everything + 1))
        for pid in $pids; do kill -KILL "-$pid" 2>/dev/null || :; done
        ;;
    esac
}

identical=0 different=0 made=0
deadline=$(($(date +%s) + seconds))
while [ $made -lt "$count" ] && [ "$(date +%s)" -lt $deadline ]; do
    rm -rf trial.db* trial.checkpoints trial.logs trial.out
    round=0 struck=0
    while [ $round -lt "$kills" ]; do
        start
        if strike; then struck=$((struck + 1)); fi
        round=$((round + 1))
        # A killed worker is the supervisor's to replace: let it end. Others are gone.
        for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    done
    if [ $struck = 0 ]; then continue; fi # proves nothing: another one
    status=0
    "$program" run soak.yaml --db trial.db >>trial.out 2>&1 || status=$?
    made=$((made + 1))
    difference=$(metrics trial.db) || difference=unreadable
    if [ "$status" = 0 ] && [ "$difference" = 0 ]; then
        identical=$((identical + 1))
    else
        different=$((different + 1))
        echo "soak: database $made: exit status $status, differences: $difference; kept as ${TMPDIR:-/tmp}/soak-$$-$made" >&2
        mkdir -p "${TMPDIR:-/tmp}/soak-$$-$made"
        cp -r trial.* reference.db "${TMPDIR:-/tmp}/soak-$$-$made/"
    fi
done

echo "soak: seed $seed, $made databases, $killed kills ($supervisors supervisor, $workers worker, $everything all;" \
    "$early came after the end): $identical identical, $different different"
[ $different = 0 ] && [ $made = "$count" ]
