#!/usr/bin/env bash
# Builds the last commit twice and fails if the two functions are not identical, byte for byte. The builds have the
# commit, the toolchain and the linker in common. They differ in the path of the folder, the path of cargo's crates, the
# number of jobs, the locale and the time zone.
#
# usage: tests/reproducible.sh [x86_64|arm64]
set -euo pipefail

arch=${1:?"usage: tests/reproducible.sh x86_64|arm64"}
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
results=$root/target/reproducible
if ! git -C "$root" diff --quiet HEAD; then
    echo "Builds the last commit; uncommitted changes are ignored." >&2
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/a" "$folder/b/some/folders deeper" "$folder/b/cargo" "$results"
one=$folder/a/passloom
other="$folder/b/some/folders deeper/another name"
for tree in "$one" "$other"; do
    git clone --quiet --no-hardlinks "$root" "$tree"
    # Both builds use the installed tools.
    ln -s "$root/.tools" "$tree/.tools"
done

# The same crates in another path.
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
    echo "The builds differ. Compare them, for example with diffoscope: $results" >&2
    exit 1
fi
# Both builds may contain the same path of this machine, which would differ on another machine.
if grep -aqF -e "$folder" -e "$home/" "$results/one"; then
    echo "The function contains a path of this machine." >&2
    exit 1
fi
echo 'The builds are identical.'
