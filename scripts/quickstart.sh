#!/usr/bin/env bash
# From a fresh clone to curves: installs what is missing, builds, trains a small sweep on
# Fashion-MNIST, shows its results and draws its figures. Run it again to continue or repeat.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

database=results/quickstart.db
firesweep=build/release/src/cli/firesweep

scripts/setup.sh build plot
if ! scripts/setup.sh data; then
    echo "quickstart.sh: Fashion-MNIST (Debian package dataset-fashion-mnist) could not be installed." >&2
    echo "With its four .gz files elsewhere, set data.path in experiments/quickstart.yaml and run:" >&2
    echo "  $firesweep run experiments/quickstart.yaml" >&2
    exit 1
fi
build release -DCMAKE_BUILD_TYPE=Release -DFIRESWEEP_TESTS=OFF

"$firesweep" run experiments/quickstart.yaml
echo
"$firesweep" query "$database" trials
echo
"$firesweep" plot "$database" -o plots
cat <<END

Results database: $PWD/$database
Figures:          $PWD/plots

Next:
  $firesweep status $database
  $firesweep query $database --sql 'SELECT * FROM leaderboard'
  $firesweep derive --preset squeezenet-1.0 --sr 0.75
  edit experiments/quickstart.yaml and run this script again: only new trials are trained
END
