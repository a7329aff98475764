#!/usr/bin/env bash
# Installs RabbitMQ where it is missing and can be: Debian or Ubuntu, as root. Its service is not started;
# the tests run brokers of their own.
set -euo pipefail
if compgen -G "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server" > /dev/null; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
  echo "RabbitMQ is not installed, and installing it needs root and apt-get" >&2
  exit 1
fi
echo "installing RabbitMQ (apt-get install rabbitmq-server)" >&2
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
apt-get install -y -qq --no-install-recommends rabbitmq-server > /dev/null
