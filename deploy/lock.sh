#!/bin/sh
# Writes the two lock files: versions and hashes, for every Python >= 3.11 and platform, and no index address.
set -eu
uv=${1:?path of uv}
common="--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --quiet"
# hatchling and editables build our own package in the same environment, so that nothing unpinned is ever fetched
printf 'hatchling\neditables\n' | "$uv" pip compile $common pyproject.toml - -o requirements.lock
"$uv" pip compile $common --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock
