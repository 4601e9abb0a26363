#!/bin/sh
# Runs a TypeScript program of this project on the project's own Node.js.
# npm packages are installed first when package-lock.json is not what was installed last.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.installed-lock
want=$(sha256sum <package-lock.json)
is_installed() { [ "$(cat "$stamp" 2>/dev/null || true)" = "$want" ]; }
if ! is_installed; then
  # One at a time: a second program that starts meanwhile would remove what the first one installs.
  exec 9<package-lock.json
  flock 9
  if ! is_installed; then
    echo "Installing npm packages ..." >&2
    npm ci --no-audit --no-fund --loglevel=error >&2
    printf '%s\n' "$want" >"$stamp"
  fi
  exec 9<&-
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec node "$@"
