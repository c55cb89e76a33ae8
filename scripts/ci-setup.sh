#!/usr/bin/env bash
# What the tests need beyond npm, on a machine that may install it: Chromium, for the pages.
set -euo pipefail
command -v chromium >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
  echo "No Chromium here and no right to install one: the tests in a real browser will fail under CI." >&2
fi
