#!/usr/bin/env bash
# Installs etcd where it is missing and can be: Debian or Ubuntu, as root. Its service is not started;
# the tests run an etcd of their own.
set -euo pipefail
if command -v etcd > /dev/null && command -v etcdctl > /dev/null; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
  echo "etcd is not installed, and installing it needs root and apt-get" >&2
  exit 1
fi
echo "installing etcd (apt-get install etcd-server etcd-client)" >&2
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
  # Debian's way to install a server without starting it.
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod +x "$policy"
  made=1
fi
trap '[ -z "$made" ] || rm -f "$policy"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq > /dev/null
apt-get install -y -qq --no-install-recommends etcd-server etcd-client > /dev/null
