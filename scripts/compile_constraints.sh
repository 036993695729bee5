#!/usr/bin/env bash
# Recompiles constraints.txt from the packages and requirements-dev.in. No index lines, no addresses, no editables.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
[ -x "$uv" ] || { .venv/bin/pip install -q uv; uv=.venv/bin/uv; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; input=$work/all.in
{
  echo "-r $PWD/requirements-dev.in"
  for package in packages/*/; do
    extras=$(sed -n '/^\[project.optional-dependencies\]/,/^\[/p' "$package/pyproject.toml" | sed -n 's/^\([a-z]*\) = .*/\1/p' | paste -sd,)
    echo "-e $PWD/$package${extras:+[$extras]}"
  done
} > "$input"
"$uv" pip compile -q --universal --python-version 3.11 --no-header --no-annotate "$input" -o "$work/out.txt"
grep -E '^[A-Za-z0-9_.-]+==' "$work/out.txt" > constraints.txt
