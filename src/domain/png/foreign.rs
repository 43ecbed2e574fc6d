//! The format of bytes that do not start with the PNG signature, as far as their first bytes show.

use super::fault::PngFault;

/// The eight bytes with which a PNG starts. They hold a byte above 127, CR LF, Ctrl-Z and a lone LF so that any transfer
/// in text mode shows.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The fault of `bytes` that do not start with the signature.
pub(super) fn explain(bytes: &[u8]) -> PngFault {
    if bytes.is_empty() {
        return PngFault::Empty;
    }
    if SIGNATURE.starts_with(bytes) {
        return PngFault::SignatureTruncated;
    }
    if bytes.starts_with(b"version https://git-lfs.github.com/spec") {
        return PngFault::LfsPointer;
    }
    if is_damaged_by_text_mode(bytes) {
        return PngFault::TextMode;
    }
    match binary_format(bytes).or_else(|| text_format(bytes)) {
        Some(format) => PngFault::Foreign(format),
        None => PngFault::Signature,
    }
}

/// Whether line ends were rewritten, the eighth bit stripped, or the bytes recoded to UTF-8.
fn is_damaged_by_text_mode(bytes: &[u8]) -> bool {
    let without_line_ends: Vec<u8> =
        bytes.iter().copied().take(12).filter(|byte| !matches!(byte, b'\r' | b'\n')).take(5).collect();
    without_line_ends == b"\x89PNG\x1a"
        || [&b"\x09PNG"[..], b"\xc2\x89PNG", b"\xef\xbf\xbdPNG"].iter().any(|start| bytes.starts_with(start))
}

fn binary_format(bytes: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let formats = [
        (at(0, b"\xff\xd8\xff"), "a JPEG"),
        (at(0, b"GIF87a") || at(0, b"GIF89a"), "a GIF"),
        (at(0, b"RIFF") && at(8, b"WEBP"), "a WebP"),
        (at(0, b"BM") && at(6, &[0; 4]), "a BMP"),
        (at(0, &[0, 0, 1, 0]), "an ICO"),
        (at(4, b"ftypavif") || at(4, b"ftypavis"), "an AVIF"),
        (at(4, b"ftyphei") || at(4, b"ftypmif1"), "a HEIC"),
        (at(0, b"II*\0") || at(0, b"MM\0*"), "a TIFF"),
        (at(0, b"8BPS"), "a Photoshop document"),
        (at(0, b"%PDF-"), "a PDF"),
        (at(0, b"PK\x03\x04"), "a ZIP archive"),
    ];
    formats.into_iter().find_map(|(is_it, name)| is_it.then_some(name))
}

fn text_format(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let start: Vec<u8> = start.iter().take(1024).map(u8::to_ascii_lowercase).collect();
    let holds = |what: &[u8]| start.windows(what.len()).any(|window| window == what);
    if start.starts_with(b"ivborw0kggo") || start.starts_with(b"data:image/") {
        Some("Base64 text")
    } else if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        Some("an HTML page")
    } else if start.starts_with(b"<") && holds(b"<svg") {
        Some("an SVG")
    } else if start.starts_with(b"<") && holds(b"<html") {
        Some("an HTML page")
    } else if start.starts_with(b"<?xml") {
        Some("an XML document")
    } else if start.starts_with(b"{") {
        Some("JSON text")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_recognises() {
        let cases: [(&[u8], &str); 28] = [
            (b"", "the file is empty"),
            (b"\x89PNG\r\n\x1a", "the file ends inside the PNG signature"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:00",
                "it is a Git LFS pointer, not the image itself",
            ),
            (b"\x89PNG\n\x1a\n\0\0\0", "it is a PNG that a transfer in text mode damaged"),
            (b"\x89PNG\r\r\n\x1a\r\n\0\0\0", "it is a PNG that a transfer in text mode damaged"),
            (b"\x89PNG\r\n\x1a\r\n\0\0\0", "it is a PNG that a transfer in text mode damaged"),
            (b"\x09PNG\r\n\x1a\n", "it is a PNG that a transfer in text mode damaged"),
            (b"\xc2\x89PNG\r\n\x1a\n", "it is a PNG that a transfer in text mode damaged"),
            (b"\xef\xbf\xbdPNG\r\n\x1a\n", "it is a PNG that a transfer in text mode damaged"),
            (b"\xff\xd8\xff\xe0", "it is a JPEG, not a PNG"),
            (b"GIF89a", "it is a GIF, not a PNG"),
            (b"RIFF\x24\0\0\0WEBPVP8L", "it is a WebP, not a PNG"),
            (b"BM\x36\0\0\0\0\0\0\0", "it is a BMP, not a PNG"),
            (b"\0\0\x01\0\x01\0", "it is an ICO, not a PNG"),
            (b"\0\0\0\x20ftypavif", "it is an AVIF, not a PNG"),
            (b"\0\0\0\x20ftypheic", "it is a HEIC, not a PNG"),
            (b"II*\0", "it is a TIFF, not a PNG"),
            (b"8BPS", "it is a Photoshop document, not a PNG"),
            (b"%PDF-1.7", "it is a PDF, not a PNG"),
            (b"PK\x03\x04", "it is a ZIP archive, not a PNG"),
            (b"\xef\xbb\xbf <?xml version='1.0'?><!-- x --><SVG>", "it is an SVG, not a PNG"),
            (b"<!DOCTYPE html><svg>", "it is an HTML page, not a PNG"),
            (b"<?xml version='1.0'?><html>", "it is an HTML page, not a PNG"),
            (b"<?xml version='1.0'?><feed>", "it is an XML document, not a PNG"),
            (b"{\"error\":\"x\"}", "it is JSON text, not a PNG"),
            (b"iVBORw0KGgoAAAANSUhEUgAA", "it is Base64 text, not a PNG"),
            (b"BMW", "it does not start with the PNG signature"),
            (b"\x89PNX\r\n\x1a\n", "it does not start with the PNG signature"),
        ];
        for (bytes, message) in cases {
            assert_eq!(explain(bytes).to_string(), message, "{}", bytes.escape_ascii());
        }
    }
}
