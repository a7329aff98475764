#!/usr/bin/env bash
# Builds what the tests of k8s/check ask where it is: kube-apiserver, with the definitions of the Prometheus operator's
# kinds beside it, and promtool. By hand, once: ten minutes of a processor and more on a busy machine, 2 GB of Go's cache.
# `install-kubernetes-programs.sh [FOLDER]`; without one into build/tools, where the tests look besides the PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-build/tools}"
kubernetes=1.34.4 # The types in node_modules are of this minor release too.
prometheus=0.305.0
operator=0.85.0
mkdir -p "$folder/definitions"
folder="$(cd "$folder" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export GOFLAGS="-buildvcs=false -mod=mod" GIT_TERMINAL_PROMPT=0

# A field of what Go says of a module: GoMod, Dir.
module() { (cd "$work" && go mod download -json "$1") | sed -n "s/.*\"$2\": \"\(.*\)\",/\1/p"; }

# program NAME PACKAGE: of the module in the folder of that name.
program() { (cd "$work/$1" && nice go build -trimpath -ldflags="-s -w" -o "$folder/$1" "$2"); }

mkdir "$work/kube-apiserver" "$work/promtool"
# Kubernetes names its own parts by folders of its checkout, which a module of ours must name by version.
file="$(module "k8s.io/kubernetes@v$kubernetes" GoMod)"
{
  printf 'module check\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v%s\n\n' "$kubernetes"
  sed -nE "s,^\s*(k8s\.io/[a-z-]+) => \./staging/.*,replace \1 => \1 v0.${kubernetes#*.},p" "$file"
} > "$work/kube-apiserver/go.mod"
program kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver

definitions="$(module "github.com/prometheus-operator/prometheus-operator@v$operator" Dir)/example/prometheus-operator-crd"
for kind in prometheusrules servicemonitors; do
  install -m 644 "$definitions/monitoring.coreos.com_$kind.yaml" "$folder/definitions/"
done

# Without what finds targets in clouds: most of its build, and no rule needs it.
cp -r "$(module "github.com/prometheus/prometheus@v$prometheus" Dir)" "$work/promtool/source"
chmod -R u+w "$work/promtool"
rm "$work/promtool/source/plugins/plugins.go"
printf 'module check\n\ngo 1.24.0\n\nrequire github.com/prometheus/prometheus v%s\n\nreplace github.com/prometheus/prometheus => ./source\n' \
  "$prometheus" > "$work/promtool/go.mod"
program promtool github.com/prometheus/prometheus/cmd/promtool
