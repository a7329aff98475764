# Sourced: installs a server without starting it. The tests run servers of their own.

# install_debian NAME PACKAGE…: Debian or Ubuntu, as root.
install_debian() {
  local name="$1"
  shift
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    echo "$name is not installed, and installing it needs root and apt-get" >&2
    exit 1
  fi
  echo "installing $name (apt-get install $*)" >&2
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    # Debian's way to install a server without starting it.
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq > /dev/null
  apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}
