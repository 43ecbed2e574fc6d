# Puts brandctl into a new folder outside the checkout, which no pull request can fill. BRANDCTL_TOOL is the https URL of an archive,
# or its absolute path on this machine, with #sha256=SUM to pin it; or nothing, for the brandctl that this machine has.
stop() {
  printf 'error: brandctl is not installed: %s\n' "$1" >&2
  exit 1
}
outside() {
  case $(cd "$(dirname "$1")" && pwd -P)/ in "$checkout"/*) stop "$1 is in the checkout, where a pull request can put it" ;; esac
}
copy() {
  case $1 in
    https://*.tar.gz*) curl -q -fsSL --proto '=https' --connect-timeout 20 --max-time 300 --max-filesize 200000000 --retry 2 -o "$2" "$1" ;;
    /*.tar.gz*) cp "$1" "$2" ;;
    *) stop 'BRANDCTL_TOOL is neither an https URL nor the absolute path of a .tar.gz file' ;;
  esac || stop "$1 cannot be read"
}
checkout=$(cd "${GITHUB_WORKSPACE:-${CI_PROJECT_DIR:-${WORKSPACE:-.}}}" && pwd -P)
tool=${BRANDCTL_TOOL:-}
archive=${tool%%'#'*}
if [ -n "$tool" ]; then
  temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
  # What earlier jobs of this machine left.
  find "$temp" -maxdepth 1 -name 'brandctl.??????' -user "$(id -u)" -mtime +1 -exec rm -rf {} + 2>/dev/null || :
  folder=$(mktemp -d "$temp/brandctl.XXXXXX")
  copy "$archive" "$folder/archive"
  case $archive in /*) outside "$archive" ;; esac
  case $tool in
    *'#sha256='?*) sum=${tool##*'#sha256='} ;;
    *'#'*) stop 'what follows # in BRANDCTL_TOOL is not sha256=SUM' ;;
    *)
      copy "$archive.sha256" "$folder/sum"
      sum=$(head -c 64 "$folder/sum")
      ;;
  esac
  case $sum in *[!0-9A-Fa-f]* | '') stop "there is no SHA-256 sum of $archive" ;; esac
  echo "$sum  $folder/archive" | sha256sum -c - >/dev/null 2>&1 || stop "$archive does not have the SHA-256 sum $sum"
  tar -xzof "$folder/archive" -C "$folder" --strip-components=1 || stop "$archive cannot be unpacked"
  PATH=$folder:$PATH
  export PATH
  [ -z "${GITHUB_PATH:-}" ] || echo "$folder" >>"$GITHUB_PATH"
fi
found=$(command -v brandctl) || stop 'this machine does not have it: install it, or set BRANDCTL_TOOL to the URL of an archive'
outside "$found"
brandctl --version || stop 'the program does not start on this machine'
