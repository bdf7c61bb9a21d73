#!/usr/bin/env bash
# Tracked files name no package registry's host: an installation may use any mirror.
set -euo pipefail
pattern='pypi\.(org|python)|pythonhosted\.org|registry\.(npmjs|yarnpkg|npmmirror)|(deb|security|ftp)\.debian\.org|pypi\.tuna|mirrors\.aliyun'
if git grep -nIE "$pattern" -- . ':!deploy/no-registry-hosts.sh'; then
  echo "xunkao: a tracked file names a package registry's host (above)" >&2
  exit 1
fi
