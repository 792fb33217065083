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
name=soak
. "$(dirname "$0")/common.sh"
write_spec 4 '{checkpoint: 0.02s, retries: 100}'

# Also what is left open counts.
wrong() {
    found=$(differences "$1") || return 1
    open=$(number "$1" "SELECT (SELECT count(*) FROM trial WHERE state <> 'done') + (SELECT count(*) FROM lease)") ||
        return 1
    echo $((found + open))
}

begun=$(now_us)
"$program" run soak.yaml --db reference.db >reference.out 2>&1
[ "$(number reference.db "SELECT count(*) FROM trial WHERE state = 'done'")" = 6 ]
length_us=$(($(now_us) - begun))

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
    sleep_below "$length_us"
    alive=0
    for pid in $pids; do
        if kill -0 "$pid" 2>/dev/null; then alive=1; fi
    done
    if [ $alive = 0 ]; then
        early=$((early + 1)) # it had finished: the machine was less busy than before
        length_us=$((length_us * 9 / 10 + 1))
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
    difference=$(wrong trial.db) || difference=unreadable
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
