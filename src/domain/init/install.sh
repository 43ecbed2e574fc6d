# Puts brandctl into a new folder outside the checkout, which no pull request can fill. BRANDCTL_TOOL says where it comes from:
# the https URL of an archive, with #sha256=SUM to pin it; the URL of a repository with releases; the absolute path of an
# archive on this machine; or nothing, for the brandctl that this machine has.
stop() {
  printf 'error: brandctl is not installed: %s\n' "$1" >&2
  exit 1
}
outside() {
  case $(cd "$(dirname "$1")" && pwd -P)/ in "$checkout"/*) stop "$1 is in the checkout, where a pull request can put it" ;; esac
}
copy() {
  case $1 in
    /*) cp "$1" "$2" ;;
    *)
      curl -q -fsSL --proto '=https' --max-redirs 5 --connect-timeout 20 --max-time 300 --max-filesize 200000000 \
        --retry 2 -o "$2" "$1"
      ;;
  esac || stop "$1 cannot be read"
}
checkout=$(cd "${GITHUB_WORKSPACE:-${CI_PROJECT_DIR:-${WORKSPACE:-.}}}" && pwd -P)
temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
# What earlier jobs of this machine left.
find "$temp" -maxdepth 1 -name 'brandctl.??????' -user "$(id -u)" -mtime +1 -exec rm -rf {} + 2>/dev/null || :
folder=$(mktemp -d "$temp/brandctl.XXXXXX")
mkdir "$folder/bin" "$folder/unpacked"
tool=${BRANDCTL_TOOL:-}
sum=
case $tool in
  *'#sha256='?*) sum=${tool##*'#sha256='} ;;
  *'#'*) stop 'what follows # in BRANDCTL_TOOL is not sha256=SUM' ;;
esac
tool=${tool%%'#'*}
case $tool in
  '')
    found=$(command -v brandctl) || stop 'this machine does not have it: install it, or set BRANDCTL_TOOL to the URL of an archive'
    outside "$found"
    ln -s "$found" "$folder/bin/brandctl"
    ;;
  https://*.tar.gz) ;;
  /*.tar.gz) outside "$tool" ;;
  https://*)
    case $(uname -sm) in
      'Linux x86_64') target=x86_64-unknown-linux-gnu ;;
      'Linux aarch64') target=aarch64-unknown-linux-gnu ;;
      'Darwin arm64') target=aarch64-apple-darwin ;;
      *) stop "there is no archive for $(uname -sm): set BRANDCTL_TOOL to the URL of one that you built" ;;
    esac
    tool=${tool%/}/releases/download/v$BRANDCTL_VERSION/brandctl-$BRANDCTL_VERSION-$target.tar.gz
    ;;
  *) stop 'BRANDCTL_TOOL is neither an https URL nor the absolute path of a .tar.gz file' ;;
esac
if [ -n "$tool" ]; then
  copy "$tool" "$folder/archive"
  if [ -z "$sum" ]; then
    copy "$tool.sha256" "$folder/sum"
    sum=$(head -c 64 "$folder/sum")
  fi
  case $sum in *[!0-9A-Fa-f]* | '') stop "there is no SHA-256 sum of $tool" ;; esac
  actual=$({ sha256sum || shasum -a 256; } <"$folder/archive" 2>/dev/null)
  actual=${actual%% *}
  [ "$actual" = "$(printf %s "$sum" | tr A-F a-f)" ] || stop "$tool has the SHA-256 sum $actual instead of $sum"
  tar -xzof "$folder/archive" -C "$folder/unpacked" || stop "$tool cannot be unpacked"
  mv "$folder/unpacked"/*/brandctl "$folder/bin/" || stop "$tool is not an archive of brandctl"
  rm -rf "$folder/unpacked" "$folder/archive"
fi
PATH=$folder/bin:$PATH
export PATH
[ -z "${GITHUB_PATH:-}" ] || printf '%s\n' "$folder/bin" >>"$GITHUB_PATH"
brandctl --version || stop 'the program does not start on this machine'
