# The Debian package, by dpkg-deb: a tree and a dozen lines of control files need no other tool.

# Who maintains the package is a fact that a publisher adds: DEBFULLNAME and DEBEMAIL, as for Debian's own tools.
deb() {
    local tree=$stage/deb doc=$stage/deb/usr/share/doc/brandctl
    local maintainer="${DEBFULLNAME:-brandctl} <${DEBEMAIL:-brandctl@localhost.invalid}>"
    into "$tree" usr/bin "$binary"
    share "$tree/usr"
    into "$tree" usr/share/zsh/vendor-completions "$stage/$name/complete/_brandctl"
    into "$tree" usr/share/doc/brandctl "$stage/$name/LICENSES-THIRD-PARTY.txt"
    cp CHANGELOG.md "$doc/changelog"
    printf 'brandctl (%s-1) stable; urgency=medium\n\n  * Version %s: see changelog.gz.\n\n -- %s  %s\n' \
        "$version" "$version" "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" >"$doc/changelog.Debian"
    gzip -9 -n "$doc"/changelog* "$doc/LICENSES-THIRD-PARTY.txt" "$tree"/usr/share/man/man1/*
    copyright >"$doc/copyright"
    into "$tree" usr/share/lintian/overrides "$here/deb-overrides"
    mv "$tree"/usr/share/lintian/overrides/{deb-overrides,brandctl}
    mkdir "$tree/DEBIAN"
    (cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
    control "$maintainer" >"$tree/DEBIAN/control"
    chmod -R u=rwX,go=rX "$tree"
    dpkg-deb --root-owner-group -Zxz --build "$tree" "$out/brandctl_$version-1_amd64.deb" >&2
}

# The whole of release/description.md is the long description: lines begin with a blank, and `.` stands for an empty one.
control() {
    printf '%s: %s\n' Package brandctl Version "$version-1" Architecture amd64 Maintainer "$1" Section vcs Priority optional \
        Installed-Size "$(du -ks --apparent-size "$stage/deb/usr" | cut -f 1)" Recommends git
    [ -z "$repository" ] || printf 'Homepage: %s\n' "$repository"
    printf 'Description: %s\n' "keeps icons and logos of Bitrix24 portals equal to a Git repository"
    sed -e '1,2d' -e 's/^$/./' -e 's/^/ /' "$here/description.md"
}

copyright() {
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n'
    printf 'Files: *\n'
    sed -n '1s/^Copyright (c)/Copyright:/p' LICENSE-MIT
    printf 'License: MIT or Apache-2.0\n'
    printf 'Comment: The works of others that are linked in are listed in LICENSES-THIRD-PARTY.txt.gz.\n\n'
    printf 'License: MIT\n'
    sed -e '1,2d' -e 's/^$/./' -e 's/^/ /' LICENSE-MIT
    printf '\nLicense: Apache-2.0\n On Debian systems, the text is in /usr/share/common-licenses/Apache-2.0.\n'
}
