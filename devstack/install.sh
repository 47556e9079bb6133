#!/bin/sh
# Finds a Python to make .venv with, and hands over to install.py: sh devstack/install.sh [PYTHON]
# Plain sh, because this runs before any Python is known to be there.

is_new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "$1" ]; then
    if is_new_enough "$1"; then exec "$1" devstack/install.py; fi
    echo "PYTHON=$1: not a Python 3.11 or newer" >&2
    exit 1
fi
for python in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if is_new_enough "$python"; then exec "$python" devstack/install.py; fi
done
echo "No Python 3.11 or newer was found; install one, or name it: make install PYTHON=/path/to/python3" >&2
exit 1
