#!/usr/bin/env bash
# Gets faas-cli, of-watchdog and kustomize into build/tools where they are missing and can be had: with Go, from the
# source of their releases. Quiet, within a bound, and never a failure: what is missing is said in one line, and its
# tests run with stand-ins or are skipped.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools="$PWD/build/tools"
# Tags of OpenFaaS bear no v.
declare -A modules=(
  [faas-cli]=github.com/openfaas/faas-cli@0.18.1
  [of-watchdog]=github.com/openfaas/of-watchdog@0.10.9
  [kustomize]=sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
)
# A refusal stays one for a while: the next run of the tests does not ask again.
refused_minutes=60
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# skip WHY TOOL...
skip() {
  local why="$1"
  shift
  echo "SKIPPED: $(printf '%s and ' "$@" | sed 's/ and $//') can't be had here ($why); suites that need such a tool use a stand-in or do not run" >&2
}

# get SOURCE SECONDS_MAX TOOL...: who refuses one tool of a source refuses the others of it; other sources are asked.
get() {
  local refused="$tools/.refused-$1" seconds_max="${GO_TOOLS_SECONDS_MAX:-$2}" missing=() tool status reason
  shift 2
  for tool in "$@"; do
    command -v "$tool" > /dev/null || [ -x "$tools/$tool" ] || missing+=("$tool")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if ! command -v go > /dev/null; then
    skip "there is no Go" "${missing[@]}"
    return 0
  fi
  if [ -n "$(find "$refused" -mmin "-$refused_minutes" 2> /dev/null)" ]; then
    skip "$(cat "$refused"), a moment ago" "${missing[@]}"
    return 0
  fi
  mkdir -p "$tools"
  for tool in "${missing[@]}"; do
    status=0
    # What asks for a password would wait for it.
    GOBIN="$tools" GOFLAGS=-buildvcs=false GIT_TERMINAL_PROMPT=0 timeout --kill-after=5 "$seconds_max" \
      go install "${modules[$tool]}" > "$log" 2>&1 < /dev/null || status=$?
    [ "$status" -ne 0 ] || continue
    # 124: of timeout.
    reason="not within $seconds_max s"
    [ "$status" -ge 124 ] || reason="$(grep -oE '[45][0-9]{2} [A-Z][A-Za-z ]+' "$log" | head -n 1)"
    echo "${reason:-go install failed}" > "$refused"
    skip "$(cat "$refused")" "${missing[@]}"
    return 0
  done
}

get openfaas 180 faas-cli of-watchdog
# Large: its first build takes minutes where others build too.
get kustomize 420 kustomize
