#!/usr/bin/env zsh
# What an interactive zsh lists for command lines: complete.zsh FOLDER LINE...
#
# FOLDER has _firesweep. The shell runs in a pseudo-terminal; Control-D at the end of a line lists what can follow.
# Prints for each line all that the terminal got, without control sequences, and then a line "end".
emulate -L zsh
zmodload zsh/zpty zsh/datetime || exit 1
folder=$1
marks=$1/marks
shift
zpty shell "zsh -f -i"

# Reads the terminal until there are so many lines in the file of marks.
await() {
    local -F give_up=$((EPOCHREALTIME + 60))
    local part
    seen=''
    while :; do
        local -i done=$(($(wc -l <$marks) >= $1))
        while zpty -r -t shell part 2>/dev/null; do seen+=$part; done
        if ((done)); then return; fi
        if ((EPOCHREALTIME > give_up)); then
            print -u2 "zsh does not answer: $seen"
            exit 1
        fi
        sleep 0.02
    done
}

: >$marks
zpty -w shell "stty columns 200 rows 500; unsetopt beep prompt_sp; PS1=; fpath=(${(q)folder} \$fpath)"
zpty -w shell "autoload -Uz compinit && compinit -u -D; LISTMAX=1000"
zpty -w shell "mark() { print x >>${(q)marks} }; zle -N mark; bindkey '^T' mark; bindkey '^G' kill-buffer; mark"
integer count=1
await count
for line in "$@"; do
    # After the list, a mark; then the line is forgotten.
    zpty -w -n shell "$line"$'\x04\x14\x07'
    await $((++count))
    print -r -- "$seen" | tr -d '\r\a' | sed $'s/\x1b\\[[0-9;?]*[a-zA-Z]//g'
    print end
done
zpty -d shell
