#!/usr/bin/env bash
# Builds firesweep in build/dev and runs all tests. Arguments go to ctest, for example: scripts/test.sh -R base
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/setup.sh build plot test
scripts/setup.sh data || echo "Without Fashion-MNIST the test that learns real images by heart is skipped." >&2
build dev -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFIRESWEEP_WERROR=OFF
ctest --test-dir build/dev --output-on-failure -j "$jobs" "$@"
