# What the scripts of this folder share; they set $name, $program and $seed before.

program=$(realpath "$program")
data_maker=$(realpath "$(dirname "$0")/make_data.py")
for tool in sqlite3 python3 setsid; do
    command -v $tool >/dev/null || { echo "$name: $tool is missing" >&2; exit 1; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 "$data_maker" data

# write_spec EPOCHS RUN: six trials, with the mapping RUN of run settings, as $name.yaml.
write_spec() {
    cat >"$name.yaml" <<SPEC
version: 1
name: $name
data: {format: idx, path: data, val: 80}
base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}
sweep: [{id: grid, grid: {SR: [0.25, 0.5, 1.0], pct3x3: [0.25, 0.75]}}]
train: {epochs: $1, batch: 16, lr: 0.02, flip: true, crop_pad: 2, dropout: 0.3}
run: $2
SPEC
}

number() { sqlite3 -readonly "$1" "$2"; }

# By how many rows the metrics of a database differ from those of reference.db.
differences() {
    number "$1" "ATTACH 'reference.db' AS r; SELECT
        (SELECT count(*) FROM (SELECT * FROM main.metrics EXCEPT SELECT * FROM r.metrics)) +
        (SELECT count(*) FROM (SELECT * FROM r.metrics EXCEPT SELECT * FROM main.metrics)) +
        abs((SELECT count(*) FROM main.metrics) - (SELECT count(*) FROM r.metrics))"
}

now_us() { echo $(($(date +%s%N) / 1000)); }

# sleep_below US: sleeps a random time below it. below N: $drawn, a random number below N, from a linear congruential
# generator, so that a seed repeats the moments.
random=$seed
below() {
    random=$(((random * 1103515245 + 12345) % 2147483648))
    drawn=$((random / 65536 * $1 / 32768))
}
sleep_below() {
    below "$1"
    sleep "$(printf '%d.%06d' $((drawn / 1000000)) $((drawn % 1000000)))"
}
