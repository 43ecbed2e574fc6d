//! Bodies of the type `multipart/form-data`, which PHP clients send when they give curl an array.

use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use multer::Multipart;

use super::php::{Parameters, Variables};

/// The fields of a body, up to its first malformed part. As in PHP, a part with a file name is an upload, not a parameter.
pub(super) fn fields(content_type: &str, body: &[u8]) -> Parameters {
    let mut all = Variables::default();
    if let Ok(boundary) = multer::parse_boundary(content_type) {
        let body = Bytes::copy_from_slice(body);
        let whole = stream::once(std::future::ready(Ok::<_, std::convert::Infallible>(body)));
        // The whole body is in memory, so this never waits.
        let _ = read(Multipart::new(whole, boundary), &mut all).now_or_never();
    }
    all.parameters
}

async fn read(mut parts: Multipart<'_>, all: &mut Variables) {
    while let Ok(Some(part)) = parts.next_field().await {
        let name = part.name().map(ToOwned::to_owned);
        let upload = part.file_name().is_some();
        let Ok(value) = part.bytes().await else { return };
        if let Some(name) = name.filter(|_| !upload) {
            all.put(&name, String::from_utf8_lossy(&value).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn fields_nest_uploads_are_passed_over_and_a_torn_part_is_none() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"cmd[a]\"\r\n\r\nscope?x=1+2\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.png\"\r\n\r\nbytes\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"halt\"\r\n\r\n0\r\n--x--\r\n";
        let read = |body: &str| Value::Object(fields("multipart/form-data; boundary=x", body.as_bytes()));
        assert_eq!(read(body), json!({ "cmd": { "a": "scope?x=1+2" }, "halt": "0" }));
        assert_eq!(read(body.split_at(body.len() - 9).0), json!({ "cmd": { "a": "scope?x=1+2" } }));
        assert_eq!(fields("multipart/form-data", body.as_bytes()), Parameters::new());
    }
}
