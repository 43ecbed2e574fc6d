# Puts brandctl into a new folder outside the checkout, which no pull request can fill. BRANDCTL_TOOL is the https URL of an archive,
# or its absolute path on this machine, with #sha256=SUM to pin it; or nothing, for the brandctl that this machine has.
stop() {
  printf 'error: brandctl is not installed: %s\n' "$1" >&2
  exit 1
}
outside() {
  case $(readlink -f "$1") in "$checkout"/*) stop "$1 is in the checkout, where a pull request can put it" ;; esac
}
copy() {
  case $1 in
    *[@?]*) stop "the URL in $source holds a user name, a password or a query" ;;
    https://*.tar.gz*)
      (ulimit -f 400000 && curl -q -fsSL --proto '=https' --connect-timeout 20 --max-time 300 --retry 2 -o "$2" "$1") ;;
    /*.tar.gz*) cp "$1" "$2" ;;
    *) stop "$source is neither an https URL nor the absolute path of a .tar.gz file" ;;
  esac || stop "$1 cannot be read"
}
source=${BRANDCTL_TOOL_NAME:-BRANDCTL_TOOL} # how the user sets it
tool=${BRANDCTL_TOOL:-}
archive=${tool%%'#'*}
top=$(git rev-parse --show-toplevel 2>/dev/null) || top=.
checkout=$(readlink -f "${GITHUB_WORKSPACE:-${CI_PROJECT_DIR:-${WORKSPACE:-$top}}}")
if [ -n "$tool" ]; then
  temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
  # What earlier jobs of this machine left.
  find "$temp" -mindepth 1 -maxdepth 1 -type d -name 'brandctl-install.??????????' -user "$(id -u)" -mtime +1 -exec rm -rf {} + 2>/dev/null || :
  folder=$(mktemp -d "$temp/brandctl-install.XXXXXXXXXX")
  copy "$archive" "$folder/archive"
  case $archive in /*) outside "$archive" ;; esac
  case $tool in
    *'#sha256='?*) sum=${tool##*'#sha256='} ;;
    *'#'*) stop "what follows # in $source is not sha256=SUM" ;;
    *)
      copy "$archive.sha256" "$folder/sum"
      sum=$(head -c 64 "$folder/sum")
      ;;
  esac
  case $sum in *[!0-9A-Fa-f]* | '') stop "there is no SHA-256 sum of $archive" ;; esac
  echo "$sum  $folder/archive" | sha256sum -c - >/dev/null 2>&1 || stop "$archive does not have the SHA-256 sum $sum"
  tar -xzof "$folder/archive" -C "$folder" --strip-components=1 || stop "$archive cannot be unpacked"
  [ -f "$folder/brandctl" ] && [ -x "$folder/brandctl" ] || stop "$archive does not hold the program brandctl"
  PATH=$folder:$PATH
  export PATH
  [ -z "${GITHUB_PATH:-}" ] || echo "$folder" >>"$GITHUB_PATH"
fi
found=$(command -v brandctl) || stop "this machine does not have it: install it, or set $source to the URL of an archive"
outside "$found"
brandctl --version || stop 'the program does not start on this machine'
