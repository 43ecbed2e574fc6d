# The wheel. maturin makes it of the binary that is already built; then manual pages, completions and licences are added.
# One file serves glibc and musl, because the binary needs neither.

wheel() {
    local built=$stage/wheel tools=$tools/env/bin info data bill
    "$tools/maturin" build --quiet --profile dist --locked --target "$target" --auditwheel skip \
        --compatibility manylinux_2_17 --out "$built"
    "$tools/python" -m wheel unpack --dest "$built/tree" "$built"/*.whl >&2
    info=$built/tree/brandctl-$version/brandctl-$version.dist-info
    data=$built/tree/brandctl-$version/brandctl-$version.data/data
    cmp "$binary" "${data%/data}/scripts/brandctl"
    share "$data"
    into "$data" share/doc/brandctl "$stage/$name/LICENSES-THIRD-PARTY.txt"
    sed -i '/^Tag: /d' "$info/WHEEL"
    printf 'Tag: py3-none-%s\n' manylinux_2_17_x86_64 manylinux2014_x86_64 musllinux_1_1_x86_64 >>"$info/WHEEL"
    # The bill of materials names the folder of the checkout.
    bill=$(cat "$info/sboms/brandctl.cyclonedx.json")
    printf '%s\n' "${bill//"$root"/\/brandctl}" | tee "$info/sboms/brandctl.cyclonedx.json" >"$out/brandctl-$version.cdx.json"
    "$tools/python" -m wheel pack --dest "$out" "$built/tree/brandctl-$version" >&2
}
