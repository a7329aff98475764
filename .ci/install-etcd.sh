#!/usr/bin/env bash
# Installs etcd where it is missing and can be.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/install-debian.sh"
if ! command -v etcd > /dev/null || ! command -v etcdctl > /dev/null; then
  install_debian etcd etcd-server etcd-client
fi
