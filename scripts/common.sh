# shellcheck shell=bash
# For the other scripts: goes to the top of the repository and knows how to build.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=$(nproc 2>/dev/null || echo 2)

build() { # FOLDER-BELOW-build CMAKE-OPTION..., goes on after an error to show them all
    local folder=build/$1
    shift
    cmake -S . -B "$folder" -G "Unix Makefiles" "$@" &&
        cmake --build "$folder" -j "$jobs" -- -k
}
