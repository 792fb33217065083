#!/usr/bin/env bash
# Runs the commands of a Markdown page, so that they cannot go stale.
#
#     run-commands.sh PAGE.md SUBSTITUTIONS.sed [BEFORE.sh]
#
# In the page
#     ```sh            is a block of commands; they run one after the other, all blocks in one folder;
#     ```sh exit=N     the last command of the block ends with status N, which is what the page is about;
#     ```sh skip       is shown and not run (another machine, an hour's work);
#     ```yaml NAME     is a file that the reader saves under this name; one without a name is only shown;
#     ```sql DB        is a statement for `firesweep query DB --sql`;
#     ```text          is output, and is not compared;
#     ```text same     is what the block of commands before it prints, word for word.
# An indented block, and every other fenced block, is left alone.
#
# SUBSTITUTIONS.sed makes the work small enough for a test: it is applied to the files of the page, and, after each block,
# to every *.yaml file in the folder. @DATA@ in it stands for a folder with a tiny synthetic data set.
#
# BEFORE.sh runs before the page, for what it takes as given.
#
# FIRESWEEP_PROGRAM (the program), FIRESWEEP_MAKE_DATA (makes the data set), FIRESWEEP_SOURCE (the repository: folders of it
# that a page names are linked into the folder) say what is run with what.
set -euo pipefail

page=$(readlink -f "$1")
substitutions=$(readlink -f "$2")
before=${3:+$(readlink -f "$3")}
# In memory where that exists: every checkpoint waits for the disk.
if [ -w /dev/shm ]; then memory=/dev/shm; else memory=${TMPDIR:-/tmp}; fi
scratch=$(mktemp -d "$memory/firesweep-docs-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/work" "$scratch/blocks"
ln -s "$FIRESWEEP_PROGRAM" "$scratch/bin/firesweep"
export PATH="$scratch/bin:$PATH" HOME="$scratch" XDG_CACHE_HOME="$scratch/cache"
export LC_ALL=C.UTF-8
cd "$scratch/work"
ln -s "$FIRESWEEP_SOURCE/experiments" experiments
"$FIRESWEEP_MAKE_DATA" idx "$scratch/data" 10 40 10 28 >/dev/null

sed "s|@DATA@|$scratch/data|g" "$substitutions" >"$scratch/small.sed"

# One file for each block: NUMBER.sh or NUMBER.yaml, and NUMBER.info with what stands behind the three ticks.
awk -v folder="$scratch/blocks" '
    /^```/ && !inside {
        inside = 1
        info = substr($0, 4)
        split(info, word, " ")
        kind = word[1]
        kept = kind == "sh" || kind == "sql" || (kind == "yaml" && word[2] != "") || (kind == "text" && word[2] == "same")
        if (kept) {
            number++
            name = sprintf("%s/%03d", folder, number)
            print info >(name ".info")
            print NR >(name ".line")
        }
        next
    }
    /^```/ { inside = 0; if (kept) { close(name ".block") } kept = 0; next }
    inside && kept { print >(name ".block") }
    END { if (inside) { print "a block is not closed" >"/dev/stderr"; exit 1 } }
' "$page"

shrink() {
    local file
    for file in *.yaml; do
        # A file that was changed already stays as it is: the substitutions find nothing.
        if [ -f "$file" ] && [ ! -L "$file" ]; then sed -i -E -f "$scratch/small.sed" "$file"; fi
    done
}

if [ -n "$before" ]; then DATA="$scratch/data" bash -euo pipefail "$before" >"$scratch/out" 2>&1 || { cat "$scratch/out" >&2 && exit 1; }; fi

count=0
for info in "$scratch"/blocks/*.info; do
    [ -e "$info" ] || break
    read -r kind word <"$info" || true
    block=${info%.info}.block
    line=$(<"${info%.info}.line")
    if [ "$kind" = yaml ]; then
        sed -E -f "$scratch/small.sed" "$block" >"$word"
        continue
    fi
    if [ "$kind" = text ]; then
        diff "$block" "$scratch/out" >"$scratch/difference" || {
            echo "$page:$line: this is not what the commands before it print (<: here, >: printed):" >&2
            cat "$scratch/difference" >&2
            exit 1
        }
        continue
    fi
    if [ "$word" = skip ]; then continue; fi
    if [ "$kind" = sql ]; then printf 'firesweep query %q --sql %q\n' "$word" "$(<"$block")" >"$block"; fi
    expected=0
    if [[ $word == exit=* ]]; then expected=${word#exit=}; fi
    count=$((count + 1))
    status=0
    # What a command prints is shown only where it fails.
    bash -euo pipefail "$block" >"$scratch/out" 2>&1 </dev/null || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "$page:$line: this block ended with status $status, expected $expected:" >&2
        sed 's/^/    /' "$block" >&2
        echo "It printed:" >&2
        tail -n 40 "$scratch/out" >&2
        exit 1
    fi
    shrink
done
if [ "$count" -eq 0 ]; then
    echo "$page: has no commands" >&2
    exit 1
fi
echo "$page: $count blocks"
