#!/usr/bin/env bash
# Builds images from the template for real and runs them read-only, without docker and without any registry of images:
# base images of Debian's packages and npm's Node, a stand-in for of-watchdog, buildah and runc.
#   .ci/try-image.sh [NAME…]   greeter: the template's example; else a step of stack.yml. Absent: greeter uva-sql-query
# Debian on x86-64, as root: apt-get install buildah runc debootstrap. Takes some minutes, so no other command runs it.
set -euo pipefail
[ $# -gt 0 ] || set -- greeter uva-sql-query
cd "$(dirname "$0")/.."
home=$PWD
for tool in buildah runc debootstrap; do
  command -v "$tool" > /dev/null || { echo "SKIPPED: $tool is not installed, no image is built"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED: building an image here needs root"; exit 0; }
.ci/install-nodes.sh || { echo "SKIPPED: Node could not be had, no image is built"; exit 0; }

cache=$home/build/image-try
work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
mkdir -p "$cache"
containers=()
end() {
  runc delete -f dynamos-try > /dev/null 2>&1 || true
  [ "${#containers[@]}" -eq 0 ] || buildah rm "${containers[@]}" > /dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT
from() {
  container=$(buildah from --pull-never "$1")
  containers+=("$container")
}

if [ ! -e "$cache/rootfs/.done" ]; then
  rm -rf "$cache/rootfs"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$cache/rootfs" > "$cache/debootstrap.log"
  touch "$cache/rootfs/.done"
fi
node_modules/.bin/tsx shared/testing/image/lay-out.ts "$work" "$@"

nodes=$home/build/nodes/node_modules
from scratch
buildah copy -q "$container" "$cache/rootfs" / > /dev/null
buildah copy -q --chmod 755 "$container" "$nodes/node18/bin/node" /usr/local/bin/node > /dev/null
buildah commit -q "$container" localhost/dynamos-try-node > /dev/null
from localhost/dynamos-try-node
buildah copy -q --chmod 755 "$container" "$nodes/node22/bin/node" /usr/local/bin/node > /dev/null
buildah copy -q "$container" "$(readlink -f "$(npm root -g)/npm")" /usr/local/lib/node_modules/npm > /dev/null
buildah run "$container" -- ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
# A proxy in between has a certificate of its own.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  buildah copy -q "$container" "$NODE_EXTRA_CA_CERTS" /etc/ssl/more.pem > /dev/null
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/more.pem "$container"
fi
buildah commit -q "$container" localhost/dynamos-try-build > /dev/null
from scratch
buildah copy -q "$container" "$work/fwatchdog" /fwatchdog > /dev/null
buildah commit -q "$container" localhost/dynamos-try-watchdog > /dev/null

version=$(node -p 'require("./package.json").version')
revision=$(git rev-parse HEAD 2> /dev/null || echo unknown)
for name in "$@"; do
  buildah build -q --network host --build-arg NODE=localhost/dynamos-try-node \
    --build-arg NODE_BUILD=localhost/dynamos-try-build --build-arg WATCHDOG=localhost/dynamos-try-watchdog \
    --build-arg TITLE="$name" --build-arg VERSION="$version" --build-arg REVISION="$revision" \
    --build-arg SOURCE="file://$home" --build-arg LICENSES=MIT -t "localhost/dynamos-try-$name" "$work/$name"
  from "localhost/dynamos-try-$name"
  mkdir "$work/oci-$name"
  buildah inspect "$container" > "$work/$name.json"
  node_modules/.bin/tsx shared/testing/image/run-image.ts \
    "$name" "$(buildah mount "$container")" "$work/$name.json" "$work/oci-$name"
done
