#!/bin/sh
# Prints the first Python on PATH that is new enough and can make a virtual environment.
for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    "$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    command -v "$name"
    exit 0
done
echo "Majuu needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2
echo "If it has another name here: make setup PYTHON=/path/to/python" >&2
exit 1
