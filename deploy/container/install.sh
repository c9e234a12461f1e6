#!/bin/sh
# Every step that makes the image; the Dockerfile only runs these. On a machine with Debian the same
# steps install the server for systemd (docs/DEPLOYMENT.md).
#
#   install.sh tools     what building needs: Debian's Node.js and npm
#   install.sh program   builds this checkout, and installs it with Node.js 24 in $PREFIX
#   install.sh account   the user that runs it, and the folder of its data, $DATA
set -eu

PREFIX=${PREFIX:-/opt/store}
DATA=${DATA:-/data}
# Fixed, so that a volume belongs to the same user whatever machine it is mounted on.
ACCOUNT=store
ACCOUNT_ID=10001

tools() {
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates nodejs npm
  rm -rf /var/lib/apt/lists/*
}

program() {
  cd "$(dirname "$0")/../.."
  manager=$(node -p 'require("./package.json").packageManager')
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  export CI=true

  # Node.js 24 comes with the lockfile, and stands first on the path of the build.
  npx --yes "$manager" install --frozen-lockfile
  npx --yes "$manager" --filter @store/cli run build
  npx --yes "$manager" --filter @store/cli pack --pack-destination "$work"

  mkdir -p "$PREFIX/bin"
  # Renamed into its place, so that it may be the one that runs.
  cp -L node_modules/node-linux-*/bin/node "$PREFIX/bin/node.new"
  chmod 755 "$PREFIX/bin/node.new"
  mv "$PREFIX/bin/node.new" "$PREFIX/bin/node"
  # It warns of the engine, since it runs on Debian's Node.js and the program does not.
  npm install --global --prefix "$PREFIX" --no-audit --no-fund --loglevel=error \
    "$work"/store-cli-*.tgz
  cp deploy/container/install.sh deploy/container/healthcheck.mjs "$PREFIX/"
  PATH="$PREFIX/bin:$PATH" store version
}

account() {
  getent group "$ACCOUNT" > /dev/null || groupadd --gid "$ACCOUNT_ID" "$ACCOUNT"
  getent passwd "$ACCOUNT" > /dev/null || useradd --uid "$ACCOUNT_ID" --gid "$ACCOUNT" \
    --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$ACCOUNT"
  install -d -o "$ACCOUNT" -g "$ACCOUNT" -m 700 "$DATA"
}

case "${1:-}" in
  tools | program | account) "$1" ;;
  *)
    echo "usage: $0 tools | program | account" >&2
    exit 2
    ;;
esac
