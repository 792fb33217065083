#!/usr/bin/env bash
# Every check but the plain tests: formatting, warnings of gcc and clang as errors, tests under
# the address and undefined-behaviour sanitizers, cppcheck, clang-tidy, shellcheck.
# Runs them all, then says which failed.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

set -o pipefail
failed=()
folders=(src tests)
[ ! -d bench ] || folders+=(bench)

step() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    if "$@"; then
        echo "== $name: ok ($((SECONDS - start)) s)"
    else
        echo "== $name: FAILED ($((SECONDS - start)) s)"
        failed+=("$name")
    fi
}

sources() {
    find "${folders[@]}" -name '*.[ch]' -print0
}

check_format() {
    sources | xargs -0 clang-format --dry-run -Werror
}

build_strictly() { # FOLDER CMAKE-OPTION...
    build "$@" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFIRESWEEP_WERROR=ON
}

check_sanitizers() {
    build_strictly check-asan -DCMAKE_C_COMPILER=gcc -DFIRESWEEP_SANITIZE=address,undefined &&
        UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir build/check-asan --output-on-failure -j "$jobs"
}

check_cppcheck() {
    cppcheck -q -j "$jobs" --enable=warning,performance,portability --std=c11 --inline-suppr \
        --error-exitcode=1 -I src "${folders[@]}"
}

# Over the files that clang compiles, but generated ones, with the flags it has; one at a time, because clang-tidy 14
# raises false alarms about va_list when it sees several.
check_tidy() {
    sed -n 's/^ *"file": "\(.*\)",*$/\1/p' build/check-clang/compile_commands.json | grep -vF "$PWD/build/" | sort -u |
        xargs -P "$jobs" -n 1 clang-tidy -p build/check-clang --quiet 2>&1 |
        { grep -v '^[0-9]* warnings\? generated\.$' || true; }
}

scripts/setup.sh build plot test check
step "clang-format" check_format
step "warnings of gcc" build_strictly check-gcc -DCMAKE_C_COMPILER=gcc
step "warnings of clang" build_strictly check-clang -DCMAKE_C_COMPILER=clang
step "cppcheck" check_cppcheck
step "clang-tidy" check_tidy
step "shellcheck" shellcheck -x scripts/*.sh .ci/run
step "tests with ASan and UBSan" check_sanitizers

if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed checks:"
    printf '  %s\n' "${failed[@]}"
    exit 1
fi
echo "All checks passed."
