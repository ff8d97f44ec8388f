#!/usr/bin/env bash
# Makes the virtual environment $1 with the extras $2 of pyproject.toml, pinned by $3.
# uv is used when it is there (seconds), else venv and pip (minutes).
set -euo pipefail
venv=$1
extras=$2
constraints=${3:-constraints.txt}

# A pyenv shim may stand on PATH and still refuse to run: only running one tells.
usable() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1
}

have_uv() { uv --version >/dev/null 2>&1; }

find_python() {
  local name
  for name in python3.12 python3.11 python3; do
    if usable "$name"; then
      command -v "$name"
      return
    fi
  done
  if have_uv && name=$(uv python find --no-python-downloads '>=3.11,<3.13' 2>/dev/null); then
    echo "$name"
    return
  fi
  echo "make env: needs Python 3.11 or 3.12 (not 3.13: a dependency does not build there);" \
    "tried python3.12, python3.11 and python3." \
    "Get one with \`uv python install 3.12\` (uv: \`pip install uv\`) or your system's packages" >&2
  return 1
}

if ! usable "$venv/bin/python"; then
  python=$(find_python)
  echo "make env: $venv with $("$python" --version)"
  rm -rf "$venv"
  if have_uv; then
    uv venv --quiet --python "$python" "$venv"
  elif ! "$python" -m venv "$venv"; then
    echo "make env: $python has no venv; install it (Debian: apt-get install python3-venv)" >&2
    exit 1
  fi
fi
if have_uv; then
  uv pip install --quiet --python "$venv/bin/python" -c "$constraints" -e ".[$extras]"
else
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -c "$constraints" -e ".[$extras]"
fi
