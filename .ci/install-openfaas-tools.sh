#!/usr/bin/env bash
# Gets faas-cli and of-watchdog into build/tools where they are missing and can be had: with Go, from the source of
# their releases. Quiet, within a bound, and never a failure: what is missing is said in one line, and its tests run
# with stand-ins or are skipped.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools="$PWD/build/tools"
# Tags of these projects bear no v.
declare -A versions=([faas-cli]=0.18.1 [of-watchdog]=0.10.9)
seconds_max="${OPENFAAS_TOOLS_SECONDS_MAX:-180}"
# A refusal stays one for a while: the next run of the tests does not ask again.
refused="$tools/.refused"
refused_minutes=60

missing=()
for tool in faas-cli of-watchdog; do
  command -v "$tool" > /dev/null || [ -x "$tools/$tool" ] || missing+=("$tool")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

skip() {
  echo "SKIPPED: $(printf '%s and ' "${missing[@]}" | sed 's/ and $//') can't be had here ($1); suites that need them use stand-ins or do not run" >&2
  exit 0
}

command -v go > /dev/null || skip "there is no Go"
if [ -n "$(find "$refused" -mmin "-$refused_minutes" 2> /dev/null)" ]; then
  skip "$(cat "$refused"), a moment ago"
fi
mkdir -p "$tools"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
for tool in "${missing[@]}"; do
  status=0
  # What asks for a password would wait for it.
  GOBIN="$tools" GOFLAGS=-buildvcs=false GIT_TERMINAL_PROMPT=0 timeout --kill-after=5 "$seconds_max" \
    go install "github.com/openfaas/$tool@${versions[$tool]}" > "$log" 2>&1 < /dev/null || status=$?
  [ "$status" -ne 0 ] || continue
  # 124: of timeout.
  reason="not within $seconds_max s"
  [ "$status" -ge 124 ] || reason="$(grep -oE '[45][0-9]{2} [A-Z][A-Za-z ]+' "$log" | head -n 1)"
  echo "${reason:-go install failed}" > "$refused"
  # Who refuses one refuses the other.
  skip "$(cat "$refused")"
done
