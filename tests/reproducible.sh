#!/usr/bin/env bash
# Builds the last commit twice, as two people would who have nothing in common but the commit, the
# toolchain and the linker, and fails unless both functions are the same to the byte. What differs: the
# folder and its depth, where cargo keeps the crates, the number of jobs, the language and the time zone.
#
# usage: tests/reproducible.sh [x86_64|arm64]
set -euo pipefail

arch=${1:?"usage: tests/reproducible.sh x86_64|arm64"}
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
results=$root/target/reproducible
if ! git -C "$root" diff --quiet HEAD; then
    echo "This is about the last commit; what has not been committed is left out." >&2
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/a" "$folder/b/some/folders deeper" "$folder/b/cargo" "$results"
one=$folder/a/passloom
other="$folder/b/some/folders deeper/another name"
for tree in "$one" "$other"; do
    git clone --quiet --no-hardlinks "$root" "$tree"
    # The build tool is the same, and not fetched again.
    ln -s "$root/.tools" "$tree/.tools"
done

# The same crates by another path.
home=${CARGO_HOME:-$HOME/.cargo}
cargo fetch --quiet --locked --manifest-path "$one/Cargo.toml"
ln -s "$home/registry" "$folder/b/cargo/registry"

make --no-print-directory -C "$one" build ARCH="$arch"
CARGO_HOME=$folder/b/cargo CARGO_BUILD_JOBS=1 LC_ALL=C TZ=Pacific/Kiritimati \
    make --no-print-directory -C "$other" build ARCH="$arch"

cp "$one/target/lambda/passloom/bootstrap" "$results/one"
cp "$other/target/lambda/passloom/bootstrap" "$results/other"
(cd "$results" && sha256sum one other)
if ! cmp "$results/one" "$results/other"; then
    echo "The two builds differ. They are in $results, for diffoscope or the like." >&2
    exit 1
fi
# A path of the machine that built would differ on the next one, though it may not have here.
if grep -aqF -e "$folder" -e "$home/" "$results/one"; then
    echo "The function holds the path of a folder of this machine." >&2
    exit 1
fi
echo 'Both builds are the same.'
