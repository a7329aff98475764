#!/usr/bin/env bash
# Builds the template's image of its example for real and runs it read-only, without docker and without any registry of
# images: base images of Debian's packages and npm's Node, a stand-in for of-watchdog, buildah and runc.
# Debian on x86-64, as root: apt-get install buildah runc debootstrap. Takes some minutes, so no other command runs it.
set -euo pipefail
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
node_modules/.bin/tsx shared/testing/image/lay-out.ts "$work"

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

buildah build -q --network host --build-arg NODE=localhost/dynamos-try-node \
  --build-arg NODE_BUILD=localhost/dynamos-try-build --build-arg WATCHDOG=localhost/dynamos-try-watchdog \
  -t localhost/dynamos-try-greeter "$work/greeter"
from localhost/dynamos-try-greeter
root=$(buildah mount "$container")

mkdir "$work/oci"
cd "$work/oci"
runc spec
node -e '
const fs = require("fs");
const [root, env] = [process.argv[1], JSON.parse(process.argv[2]).OCIv1.config.Env];
const spec = JSON.parse(fs.readFileSync("config.json", "utf8"));
spec.root = { path: root, readonly: true };
const override = ["healthcheck_interval=1s", "port=18080"];
const { process: run, linux } = spec;
Object.assign(run, { terminal: false, args: ["fwatchdog"], cwd: "/home/node/function", user: { uid: 1000, gid: 1000 } });
run.env = [...env.filter((each) => !each.startsWith("healthcheck_interval=")), ...override];
run.capabilities = {};
linux.namespaces = linux.namespaces.filter(({ type }) => ["mount", "pid", "ipc", "uts"].includes(type));
delete linux.resources;
spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith("/sys"));
spec.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] });
fs.writeFileSync("config.json", JSON.stringify(spec));
' "$root" "$(buildah inspect "$container")"
runc run dynamos-try > run.log 2>&1 &
running=$!
for _ in $(seq 100); do
  curl -sf http://127.0.0.1:18080/_/ready > /dev/null && break
  sleep 0.2
done
answer=$(curl -s -H 'content-type: application/json' -d '{"name":"Ann"}' http://127.0.0.1:18080/)
[ "$answer" = '{"greeting":"hello Ann"}' ] || { echo "the image answered: $answer"; cat run.log; exit 1; }
[ "$(runc exec dynamos-try id -u)" = 1000 ] || { echo "the image does not run as user 1000"; exit 1; }
! runc exec dynamos-try touch /home/node/function/x 2> /dev/null || { echo "the image's root can be written"; exit 1; }
runc kill dynamos-try TERM
wait "$running" || { echo "the image ended with $?"; cat run.log; exit 1; }
echo "the image was built, answered from a read-only root as user 1000, and ended with 0 on SIGTERM"
