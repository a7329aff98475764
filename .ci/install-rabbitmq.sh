#!/usr/bin/env bash
# Installs RabbitMQ where it is missing and can be.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/install-debian.sh"
if ! compgen -G "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server" > /dev/null; then
  install_debian RabbitMQ rabbitmq-server
fi
