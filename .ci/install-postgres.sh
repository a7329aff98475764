#!/usr/bin/env bash
# Installs PostgreSQL where it is missing and can be.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/install-debian.sh"
if ! compgen -G "/usr/lib/postgresql/*/bin/initdb" > /dev/null; then
  install_debian PostgreSQL postgresql
fi
