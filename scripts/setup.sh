#!/usr/bin/env bash
# Installs what is missing for the named purposes: build, plot, data, test, check, browser, onnx.
#   scripts/setup.sh build plot data
# On a system without apt it only says what is missing.
set -eu

packages=() # Debian packages to install
lacking=()  # the same, in words

miss() { # WHAT PACKAGE
    lacking+=("$1 (Debian: $2)")
    packages+=("$2")
}

need_tool() { # COMMAND PACKAGE
    command -v "$1" >/dev/null || miss "$1" "$2"
}

need_library() { # PKG-CONFIG-NAME PACKAGE
    pkg-config --exists "$1" 2>/dev/null || miss "library $1" "$2"
}

need_file() { # PATH PACKAGE
    [ -e "$1" ] || miss "$1" "$2"
}

need_compiler() { # PACKAGE WHAT COMMAND...
    local package=$1 what=$2
    shift 2
    echo 'int main(void) { return 0; }' | "$@" -x c -o /dev/null - 2>/dev/null || miss "$what" "$package"
}

check_purpose() {
    case $1 in
    build)
        need_compiler build-essential "C compiler with OpenMP" cc -fopenmp
        need_tool make build-essential
        need_tool cmake cmake
        need_tool pkg-config pkg-config
        need_library yaml-0.1 libyaml-dev
        need_library sqlite3 libsqlite3-dev
        need_library zlib zlib1g-dev
        need_library libjpeg libjpeg-dev
        need_library libpng libpng-dev
        need_library json-c libjson-c-dev
        need_library libxxhash libxxhash-dev
        need_library popt libpopt-dev
        ;;
    plot) need_tool gnuplot gnuplot-nox ;;
    data) need_file /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz dataset-fashion-mnist ;;
    test)
        need_library cmocka libcmocka-dev
        need_tool sqlite3 sqlite3
        ;;
    browser) # for the test that opens the HTML report; large, so on its own
        command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || need_tool chromium chromium
        ;;
    onnx) # for the test that has another program read exported ONNX files
        /usr/bin/python3 -c 'import onnx, numpy' 2>/dev/null || miss "Python's onnx" python3-onnx
        ;;
    check)
        need_compiler libomp-dev "clang with OpenMP" clang -fopenmp
        need_tool clang clang
        need_tool clang-format clang-format
        need_tool clang-tidy clang-tidy
        need_tool cppcheck cppcheck
        need_tool shellcheck shellcheck
        ;;
    *)
        echo "setup.sh: unknown purpose '$1', known are build, plot, data, test, check, browser, onnx" >&2
        exit 2
        ;;
    esac
}

for purpose in "$@"; do
    check_purpose "$purpose"
done
if [ ${#packages[@]} -eq 0 ]; then
    exit 0
fi

echo "Missing:"
printf '  %s\n' "${lacking[@]}"
if ! command -v apt-get >/dev/null; then
    echo "setup.sh: no apt-get here; please install the above and run this again" >&2
    exit 1
fi
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup.sh: not root and no sudo here; as root, run: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt=(sudo "${apt[@]}")
fi
"${apt[@]}" update || echo "setup.sh: apt-get update failed, trying to install anyway" >&2
"${apt[@]}" install -y --no-install-recommends "${packages[@]}"
