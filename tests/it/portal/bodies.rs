//! Bodies that are more than they seem.

use std::io::Write as _;

use brandctl::domain::retry::Class;
use brandctl::ops::ports::ReadPortal as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::server::*;

/// `length` spaces after `start`, compressed.
fn bomb(start: &[u8], length: usize) -> Step {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(start).unwrap();
    encoder.write_all(&vec![b' '; length]).unwrap();
    let squeezed = encoder.finish().unwrap();
    assert!(squeezed.len() < length / 50);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        squeezed.len()
    );
    Step::Bytes([head.into_bytes(), squeezed].concat())
}

#[tokio::test]
async fn what_unpacks_without_end_is_cut_off() {
    let server = Server::answering([bomb(b"{", 64 * 1024 * 1024)]).await;
    let error = server.client().list().await.unwrap_err();
    assert_no_secret(&error);
    assert!(error.class == Class::Refused && error.message.contains("more than 67108864 bytes"), "{error}");
    let server = Server::answering([bomb(PNG, 1024 * 1024)]).await;
    let error = server.client().download("/upload/a").await.unwrap_err();
    assert!(error.class == Class::Refused && error.message.contains("more than 1048576 bytes"), "{error}");
    // What unpacks to an ordinary answer is one.
    let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}, "result_error": []}});
    let server = Server::answering([bomb(list.to_string().as_bytes(), 100_000)]).await;
    server.client().list().await.unwrap();
}

#[tokio::test]
async fn the_content_type_of_an_answer_does_not_matter_and_its_body_does() {
    let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}, "result_error": []}});
    for content_type in ["text/html; charset=windows-1251", "application/octet-stream", "image/png", ""] {
        let server = Server::answering([Step::Bytes(plain(200, content_type, list.to_string().as_bytes()))]).await;
        server.client().list().await.unwrap();
        let page = Step::Bytes(plain(403, content_type, b"<html>Forbidden"));
        let (error, requests) = failing_list(page).await;
        assert_eq!((error.class, requests), (Class::Configuration, 1));
        assert!(error.message.contains("answered 403 with no JSON: <html>Forbidden"), "{error}");
    }
}
