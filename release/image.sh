# The container image with only the binary, as an OCI image layout in a tar. It has no shell and no Git: Containerfile
# describes the image that has. https://github.com/opencontainers/image-spec describes the format.

# blob FILE: moves it to its place in the layout, and prints its descriptor, without the closing brace.
blob() {
    local digest size
    digest=$(sha256sum "$2" | cut -d ' ' -f 1)
    size=$(stat -c %s "$2")
    mv "$2" "$stage/oci/blobs/sha256/$digest"
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s' "$1" "$digest" "$size"
}

image() {
    local tree=$stage/image layout=$stage/oci created diff layer config manifest annotations
    created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
    mkdir -p "$layout/blobs/sha256"
    into "$tree" usr/bin "$binary"
    into "$tree" usr/share/doc/brandctl "$stage/$name"/LICENSE*
    into "$tree" etc "$here/passwd"
    mkdir -m 1777 "$tree/tmp"
    chmod -R u=rwX,go=rX "$tree/usr" "$tree/etc"
    pack "$tree" etc tmp usr >"$stage/layer"
    diff=$(sha256sum "$stage/layer" | cut -d ' ' -f 1)
    gzip -9 -n "$stage/layer"
    layer="$(blob layer.v1.tar+gzip "$stage/layer.gz")}"
    annotations='"org.opencontainers.image.title":"brandctl","org.opencontainers.image.licenses":"MIT OR Apache-2.0"'
    annotations+=",\"org.opencontainers.image.version\":\"$version\",\"org.opencontainers.image.created\":\"$created\""
    [ -z "$repository" ] || annotations+=",\"org.opencontainers.image.source\":\"$repository\""
    cat >"$stage/config" <<JSON
{"created":"$created","architecture":"amd64","os":"linux","config":{"User":"65532:65532","Env":["PATH=/usr/bin"],"Entrypoint":["/usr/bin/brandctl"],"WorkingDir":"/","Labels":{$annotations}},"rootfs":{"type":"layers","diff_ids":["sha256:$diff"]},"history":[{"created":"$created","created_by":"release/build"}]}
JSON
    config="$(blob config.v1+json "$stage/config")}"
    cat >"$stage/manifest" <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[$layer],"annotations":{$annotations}}
JSON
    manifest=$(blob manifest.v1+json "$stage/manifest")
    cat >"$layout/index.json" <<JSON
{"schemaVersion":2,"manifests":[$manifest,"platform":{"architecture":"amd64","os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"$version"}}]}
JSON
    printf '{"imageLayoutVersion":"1.0.0"}\n' >"$layout/oci-layout"
    chmod -R u=rwX,go=rX "$layout"
    pack "$layout" blobs index.json oci-layout >"$out/$name-oci.tar"
}
