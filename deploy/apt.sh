#!/usr/bin/env bash
# Installs the named Debian packages that are missing; asks for sudo only when not root.
set -euo pipefail
wanted=()
for package in "$@"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || wanted+=("$package")
done
[ ${#wanted[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "xunkao: these programs are missing and this system has no apt-get: ${wanted[*]}" >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "xunkao: run as root once: apt-get install ${wanted[*]}" >&2; exit 1; }
  root=(sudo)
fi
echo "xunkao: installing ${wanted[*]}"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
