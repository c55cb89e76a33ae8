#!/usr/bin/env bash
# What the tests need beyond npm, on a machine that may install it: Chromium for the pages, memcached for the example connector.
set -euo pipefail
missing=()
for program in chromium memcached; do command -v "$program" >/dev/null || missing+=("$program"); done
[ ${#missing[@]} -eq 0 ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "Not here, and no right to install: ${missing[*]}. The tests that need them will fail under CI." >&2
fi
