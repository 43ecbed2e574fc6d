#!/bin/sh
# brandctl in any CI system, such as Jenkins, Buildkite or Drone. `brandctl init` wrote it; change it as you like.
#
#   sh brandctl-ci.sh validate    on each change; needs no secret
#   sh brandctl-ci.sh plan        on each change from your own repository
#   sh brandctl-ci.sh apply       after the merge, one at a time for each portal
#   sh brandctl-ci.sh drift       on a schedule; exit code 2 if something differs
#
# More arguments go to brandctl. BITRIX24_WEBHOOK_URL comes from the system's secrets: for plan and drift a webhook of a user
# without administrator rights, for apply a webhook of an administrator, with the scope crm. BRANDCTL_REPORT_URL is the https
# URL where brandctl-out/ will be, if the system does not set BUILD_URL (Jenkins) or BUILDKITE_BUILD_URL.
#
# Keep these files also when it fails: brandctl-out/, and .brandctl/*/runs/, which holds the journal and the old images.
# Check out the whole history: it shows whether the portal or the repository changed.
set -eu
cd "$(dirname "$0")"
command=${1:-}
case $command in
  validate | plan | apply | drift) shift ;;
  *)
    echo 'usage: sh brandctl-ci.sh validate|plan|apply|drift [ARGUMENT...]' >&2
    exit 1
    ;;
esac
BRANDCTL_TOOL='' # empty: the brandctl that the machine has. Or the https URL of an archive, with #sha256=SUM
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
# A new folder, so that nothing committed under its name remains.
out=brandctl-out
rm -rf "$out"
mkdir "$out"
echo '*' >"$out/.gitignore"
url=${BRANDCTL_REPORT_URL:-}
[ -n "$url" ] || [ -z "${BUILD_URL:-}" ] || url=${BUILD_URL%/}/artifact${PWD#"${WORKSPACE:-$PWD}"}/$out/$command.html
[ -n "$url" ] || url=${BUILDKITE_BUILD_URL:-}
case $url in https://*) set -- --report-url "$url" "$@" ;; esac
case $command in
  plan) set -- -o "$out/plan.json" "$@" ;;
  apply)
    # brandctl makes no links there. One that was committed could lead what your system keeps to other files.
    find .brandctl -type l -exec rm -f {} + 2>/dev/null || :
    set -- --yes "$@"
    ;;
esac
# `exec`: a job that is cancelled signals brandctl itself, which then finishes what it has begun.
exec brandctl "$command" --report "$out/$command.html" --report "$out/$command.md" --report "$out/$command.xml" "$@"
