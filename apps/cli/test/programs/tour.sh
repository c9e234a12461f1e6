# The tour by curl alone: prints a line for each thing that it learns, and nothing that differs each
# time. STORE is the server, SETUP_TOKEN what it printed; the folder holds the files, `large` cut
# in two. What it downloads is left in the folder.
set -eu -o pipefail
umask 077

field() { fields "$1" | sed -n 1p; }
fields() { grep -o "\"$1\":[^,}]*" | sed 's/^[^:]*:"\{0,1\}\([^"]*\)"\{0,1\}$/\1/'; }
digest() { sha256sum | cut -c 1-64; }
send() { curl --silent --header @auth "$@"; }
say() { echo "$*"; }

echo "Authorization: Bearer $SETUP_TOKEN" > setup
echo '{"username": "ada", "password": "a horse of brass runs"}' > ada.json
user=$(curl --silent --header @setup --json @ada.json "$STORE/api/v1/admin/users")
say "user $(field username <<< "$user")"
session=$(curl --silent --json @ada.json "$STORE/auth/login")
echo "Authorization: Bearer $(field access_token <<< "$session")" > ada
me=$(curl --silent --header @ada "$STORE/auth/me")
say "I am $(field username <<< "$me"), a $(field kind <<< "$me")"
token=$(curl --silent --header @ada --json '{"name": "tour", "scopes": ["admin:acme/*"]}' \
  "$STORE/api/v1/tokens")
echo "Authorization: Bearer $(field token <<< "$token")" > auth
say "a token with $(grep -o '"scopes":\["[^]]*' <<< "$token" | cut -d '"' -f 4)"

wanted='{"namespace": "acme", "name": "tour", "version": "1.0.0", "metadata": {"made": {"by": "tour"}}}'
id=$(send --json "$wanted" "$STORE/api/v1/packages" | field id)
package=$STORE/api/v1/packages/$id
missing=$(send --json "{\"addresses\": [\"sha256:$(digest < hello.txt)\"]}" "$STORE/api/v1/objects/missing")
say "known before: $(grep -o sha256 <<< "$missing" | wc -l) missing"

added() {
  line=added
  for name in path size executable content_address sha256 deduplicated; do
    line="$line $(field $name <<< "$1")"
  done
  say "$line"
}
one=$(send --upload-file hello.txt --header 'Content-Type: text/plain' "$package/files/hello.txt")
added "$one"
expect=sha256:$(digest < run.sh)
added "$(send --upload-file run.sh "$package/files/bin/run?executable=true&expect=$expect")"
object="Store-Object: $(field content_address <<< "$one")"
added "$(send --request PUT --header "$object" "$package/files/docs/copy%20of%20hello.txt")"
say "refused $(send --upload-file run.sh "$package/files/hello.txt" | field code)"
expect=sha256:$(digest < hello.txt)
say "refused $(send --upload-file run.sh "$package/files/wrong?expect=$expect" | field code)"

tus='Tus-Resumable: 1.0.0'
length=$(cat large.1 large.2 | wc -c)
place=$(send --request POST --header "$tus" --header "Upload-Length: $length" --output answer \
  --write-out '%header{location}' "$STORE/api/v1/uploads")
patch() {
  send --request PATCH --header "$tus" --header "Upload-Offset: $1" --data-binary "@$2" \
    --header 'Content-Type: application/offset+octet-stream' "$STORE$place"
}
patch 0 large.1
say "refused $(patch 0 large.2 | field code)"
offset=$(send --head --header "$tus" "$STORE$place" | tr -d '\r' | sed -n 's/^upload-offset: //p')
say "at $offset"
patch "$offset" large.2
say "upload $(send "$STORE$place" | field status)"
added "$(send --request PUT --header "Store-Upload: ${place##*/}" "$package/files/large.bin")"

finalized=$(send --request POST "$package/finalize")
files=$(field file_count <<< "$finalized")
say "finalized $(field reference <<< "$finalized") $files files $(field size <<< "$finalized") bytes"
say "refused $(send --json "$wanted" "$STORE/api/v1/packages" | field code)"

tag=$STORE/api/v1/names/acme/tour/tags/stable
set_tag() { send --request PUT --header "$1" --json "{\"package_id\": \"$id\"}" "$tag"; }
say "tag $(set_tag 'If-None-Match: *' | field reference)"
say "refused $(set_tag 'If-None-Match: *' | field code)"
say "tag $(set_tag "If-Match: \"$id\"" | field reference)"
say "resolved $(send "$STORE/api/v1/resolve?ref=acme/tour:stable" | fields reference | sed -n 2p)"
say "names $(send "$STORE/api/v1/names?namespace=acme" | fields name | tr '\n' ' ')"
say "versions $(send "$STORE/api/v1/names/acme/tour/versions" | fields version | tr '\n' ' ')"
say "found $(send "$STORE/api/v1/packages?q=tou" | fields reference | tr '\n' ' ')"
say "another $(send "$STORE/api/v1/resolve?ref=other/tour" | field code)"

for path in $(send "$package/files" | fields path | sed 's/ /%20/g'); do
  say "read $path $(send "$package/files/$path" | digest)"
done
say "part $(send --range 1-3 "$package/files/hello.txt")"
say "object $(send "$STORE/api/v1/objects/sha256:$(digest < hello.txt)" | digest)"
for format in tar tar.gz zip; do
  send --output "package.$format" "$package/archive.$format"
  say "archive.$format $(digest < "package.$format")"
done
say "verified $(send --request POST "$package/verify" | grep -o '"problems":.*')"

say "yanked $(send --json '{"reason": "a tour"}' "$package/yank" | field status)"
say "latest $(send "$STORE/api/v1/resolve?ref=acme/tour" | field code)"
say "unyanked $(send --request POST "$package/unyank" | field status)"
say "kept as $(send --request PUT --json '{"class": "release"}' "$package/retention" | field class)"
hold=$(send --json '{"reason": "a tour"}' "$package/holds" | field id)
holds() { say "holds $(send "$STORE/api/v1/holds?package_id=$id$1" | grep -o '"reason"' | wc -l)"; }
holds ''
send --request DELETE --output answer "$STORE/api/v1/holds/$hold"
holds '&released=false'
say "events $(send "$STORE/api/v1/events?subject=acme/tour" | fields type | tr '\n' ' ')"

curl --silent --header @ada --request POST "$STORE/auth/logout"
say "refused $(curl --silent --header @ada "$STORE/auth/me" | field code)"

send --header 'Accept: application/json' --output manifest.json "$package/manifest"
send --header 'Accept: application/cbor' --output manifest.cbor "$package/manifest"
echo "$id" > id
field manifest_digest <<< "$finalized" > digest
