#!/usr/bin/env bash
# Names what a machine lacks before anything is installed. Needs PYTHON.
set -euo pipefail
missing=0
say() { echo "xunkao: $*" >&2; missing=1; }
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null; then
  say "Python was not found. Install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)."
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  say "$("$python" --version) is too old. Install Python 3.11 or newer, or say which: make PYTHON=python3.12."
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  say "Python's venv is missing (Debian: apt-get install python3-venv)."
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  say "Node.js was not found; the pages are built with it. Install Node.js 20.19 or newer, with npm."
elif ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  say "Node.js $(node --version) is too old. Install Node.js 20.19 or newer."
fi
exit $missing
