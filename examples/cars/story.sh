#!/usr/bin/env bash
# The story of the `cars` endpoint, told against a running platform: `tools/mooring demo cars` starts one and runs this.
# Each step prints what it does and what it shows; the first thing that is not as told ends it with status 1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
mooring=("$root/tools/mooring")
work=$(mktemp -d)
started=$SECONDS
background=
cleanup() {
  touch "$work/stop"
  [ -z "$background" ] || wait "$background" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

step() { printf '\n== %s\n' "$*"; }
show() { printf '  $ mooring %s\n' "$*"; "${mooring[@]}" "$@" --only-show-errors; }
quietly() { printf '  $ mooring %s\n' "$*"; "${mooring[@]}" "$@" >/dev/null; }
value() { "${mooring[@]}" "$@" -o tsv; }
photos() { node "$here/send-photos.ts" --url "$url" --key "$key" "$@"; }

step "1. A stable URL: the endpoint 'cars'"
quietly online-endpoint create -f "$here/endpoint.yml"
url=$(value online-endpoint show -n cars --query scoring_uri)
key=$(value online-endpoint get-credentials -n cars --query primaryKey)
echo "  callers use $url and their key, and never need to change either"

step "2. Martina's model goes live (a scoring script; the first time its Python environment is built)"
quietly online-deployment create -f "$here/martina.yml" --all-traffic
node -e 'const fs = require("node:fs"); fs.writeFileSync(process.argv[2], JSON.stringify({ image: fs.readFileSync(process.argv[1]).toString("base64") }))' \
  "$here/images/car-001.jpg" "$work/photo.json"
show online-endpoint invoke -n cars --request-file "$work/photo.json" | node -e '
  let text = ""; process.stdin.on("data", (part) => { text += part }).on("end", () => {
    const [command, ...answer] = text.split("\n"); const result = JSON.parse(answer.join("\n"));
    console.log(command); console.log(`  a ${result.colour} ${result.type}, says ${result.model}`) })'
photos --count 200

step "3. Months later: Luca's model beside it, with 0 % of the traffic, called by header only"
quietly online-deployment create -f "$here/luca.yml"
photos --count 100
photos --count 100 --deployment luca

step "4. A mirrored copy of 20 % of the live traffic goes to Luca's model; the answers are compared"
quietly online-endpoint update -n cars --mirror-traffic "luca=20"
photos --count 600
for _ in $(seq 50); do
  compared=$(value online-endpoint mirror-report -n cars --query '[0].compared.total')
  [ "${compared:-0}" -ge 60 ] && break
  sleep 0.2
done
show online-endpoint mirror-report -n cars -o table

step "5. Luca gets 10 %, then all of the live traffic, while callers go on and notice nothing"
photos --count 1000000 --until "$work/stop" --concurrency 4 >"$work/steady" 2>&1 &
background=$!
quietly online-endpoint update -n cars --mirror-traffic "luca=0"
quietly online-endpoint update -n cars --traffic "martina=90 luca=10"
photos --count 400
quietly online-endpoint update -n cars --traffic "martina=0 luca=100"
photos --count 100

step "6. Martina's deployment is deleted under load; no caller changed anything, no request was lost"
quietly online-deployment delete -n martina -e cars --yes
touch "$work/stop"
wait "$background" || { cat "$work/steady"; exit 1; }
background=
echo "  all through steps 5 and 6:"
cat "$work/steady"

step "7. A key is made new while the other one goes on working"
second=$(value online-endpoint get-credentials -n cars --query secondaryKey)
quietly online-endpoint regenerate-keys -n cars --key-type primary
key=$second photos --count 20
key=$(value online-endpoint get-credentials -n cars --query primaryKey)
photos --count 20

step "8. The same models without any code: ONNX in, tensors out"
quietly online-endpoint create -f "$here/tensors-endpoint.yml"
quietly online-deployment create -f "$here/martina-tensors.yml" --all-traffic
quietly online-deployment create -f "$here/luca-tensors.yml"
node "$here/compare-tensors.ts" --management-cli "${mooring[0]}" --photos 40

look="tools/mooring online-endpoint list -o table"
data=${MOORING_DATA:-$HOME/.mooring}
[ "$data" = "$HOME/.mooring" ] || look+=" --data $(printf %q "$data")"
printf '\nThe story of cars is told, in %s s. Look around: %s\n' "$((SECONDS - started))" "$look"
