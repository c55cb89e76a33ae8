#!/usr/bin/env bash
# What the tests need beyond npm, on a machine that may install it: Chromium for the pages, memcached for the example connector,
# PostgreSQL's programs, which the tests start by themselves, and strace, which makes flushes fail.
set -euo pipefail
missing=()
for program in chromium memcached strace; do command -v "$program" >/dev/null || missing+=("$program"); done
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  install() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
  apt-get update -qq
  case " ${missing[*]} " in
    *" postgresql "*)
      # Debian would make a server at port 5432 whose password nobody has.
      install postgresql-common
      echo "create_main_cluster = false" >>/etc/postgresql-common/createcluster.conf
      ;;
  esac
  install "${missing[@]}"
else
  echo "Not here, and no right to install: ${missing[*]}. The tests that need them will fail under CI." >&2
fi
