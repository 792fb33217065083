#!/bin/sh
# How long a sweep takes to end when it is asked to: SIGTERM at random moments of a sweep of small networks, from the
# signal to the exit with everything saved. The same command then continues, and the metrics must be those of a sweep left
# alone, bit for bit.
#
#   tests/soak/stop.sh [options]
#     -b PROGRAM  the firesweep to test (default: build/release/src/cli/firesweep)
#     -n COUNT    requests to stop (default: 20)
#     -s SEED     of the random moments (default: 1)
#
# Prints the median and the longest time. The exit status is 0 when every stopped sweep had saved its state and the
# continued one is identical to the reference; times are not judged, a busy machine has others.
set -eu

program=build/release/src/cli/firesweep
count=20 seed=1
while getopts b:n:s: option; do
    case $option in
    b) program=$OPTARG ;;
    n) count=$OPTARG ;;
    s) seed=$OPTARG ;;
    *) exit 2 ;;
    esac
done
name=stop
. "$(dirname "$0")/common.sh"
write_spec 6 '{measure: false}'

begun=$(now_us)
"$program" run stop.yaml --db reference.db >reference.out 2>&1
length_us=$(($(now_us) - begun))

# One sweep, stopped once. Adds to `times`; returns 1 when it had ended before.
stop_one() {
    rm -rf trial.db* trial.checkpoints trial.logs trial.out
    "$program" run stop.yaml --db trial.db >trial.out 2>&1 &
    pid=$!
    sleep_below "$length_us"
    asked=$(now_us)
    kill -TERM $pid 2>/dev/null || :
    status=0
    wait $pid || status=$?
    took=$(($(now_us) - asked))
    # 143: before the program had taken charge of the signal, when there was nothing to save.
    if [ $status = 0 ]; then return 1; fi
    if [ $status != 1 ] && [ $status != 143 ]; then
        echo "stop: exit status $status" >&2
        wrong=$((wrong + 1))
    fi
    echo $took >>times.txt
}

saved() { # nothing is left open in the database
    [ ! -s trial.db ] || [ "$(number trial.db "SELECT (SELECT count(*) FROM trial WHERE state = 'running') +
        (SELECT count(*) FROM lease) + (SELECT count(*) FROM attempt WHERE outcome IS NULL OR outcome = 'crashed')")" = 0 ]
}

continued() { # and the same command ends like the reference
    "$program" run stop.yaml --db trial.db >>trial.out 2>&1 && [ "$(differences trial.db)" = 0 ]
}

stopped=0 tries=0 wrong=0
: >times.txt
while [ $stopped -lt "$count" ] && [ $tries -lt $((10 * count)) ]; do
    tries=$((tries + 1))
    if ! stop_one; then
        length_us=$((length_us * 9 / 10 + 1)) # the machine was less busy than before
        continue
    fi
    stopped=$((stopped + 1))
    if ! saved || ! continued; then
        echo "stop: sweep $stopped: not saved, or it continued to other metrics" >&2
        wrong=$((wrong + 1))
    fi
done

sort -n times.txt | awk -v n="$stopped" -v wrong="$wrong" -v seed="$seed" '
    { t[NR] = $1 / 1e6 }
    END { if (NR > 0) printf "stop: seed %s, %d sweeps stopped by SIGTERM: %.2f s median, %.2f s at most; %d not as they should be\n",
          seed, n, t[int((NR + 1) / 2)], t[NR], wrong }'
[ $stopped = "$count" ] && [ $wrong = 0 ]
