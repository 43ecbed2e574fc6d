//! Downloads: from where they may come, what they carry, how large they may be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brandctl::domain::retry::Class;
use brandctl::ops::ports::ReadPortal as _;
use brandctl::portal::Webhook;
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::server::*;

#[tokio::test]
async fn downloads_carry_no_credentials() {
    let mut image = plain(200, "image/png", PNG);
    let cookie = b"Set-Cookie: session=1\r\n";
    let place = image.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
    image.splice(place..place, cookie.iter().copied());
    let server = Server::answering([Step::Bytes(image.clone()), Step::Bytes(image)]).await;
    let client = server.client();
    assert_eq!(client.download("/upload/crm/a.png").await.unwrap(), PNG);
    assert_eq!(client.download(&format!("http://me:pw@{}/b", server.address)).await.unwrap(), PNG);
    let requests = server.requests();
    assert_eq!((requests[0].target(), requests[1].target()), ("/upload/crm/a.png", "/b"));
    for request in requests {
        let head = request.head.to_lowercase();
        for word in ["cookie", "authorization", "referer", &SECRET.to_lowercase()] {
            assert!(!head.contains(word), "{head}");
        }
    }
}

#[tokio::test]
async fn downloads_have_bounds() {
    const MIB: usize = 1024 * 1024;
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", MIB + 1);
    let streamed = [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &vec![0; MIB + 1]].concat();
    for bytes in [announced.into_bytes(), streamed] {
        let server = Server::answering([Step::Bytes(bytes)]).await;
        let error = server.client().download("/upload/a").await.unwrap_err();
        assert_eq!(error.class, Class::Refused);
        assert!(error.message.contains("more than 1048576 bytes"), "{error}");
        server.requests();
    }
    let server = Server::answering([Step::Bytes(plain(200, "image/png", &vec![0; MIB]))]).await;
    assert_eq!(server.client().download("/upload/a").await.unwrap().len(), MIB);
}

#[tokio::test]
async fn a_download_is_an_image_or_an_error() {
    let redirect = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    let cases = [
        (html(404, "<html>"), Class::Refused, "answered 404 to a download"),
        (html(403, "<html>"), Class::Refused, "answered 403 to a download"),
        (html(200, "<html>log in"), Class::Transient, "answered a download with a page instead of an image"),
        (html(503, "<html>"), Class::Transient, "answered 503 to a download"),
        (Step::Bytes(plain(200, "image/png", b"")), Class::Transient, "answered a download with nothing"),
        (Step::Bytes(redirect), Class::Refused, "not from https to https"),
        (Step::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234".to_vec()), Class::Transient, "broke"),
    ];
    let check = async |(step, class, expected): (Step, Class, &str)| {
        let server = Server::answering(vec![step; 10]).await;
        let error = server.client().download("/upload/a").await.unwrap_err();
        assert_no_secret(&error);
        assert!(error.message.contains(expected), "{expected}: {error}");
        let requests = if class == Class::Transient { 5 } else { 1 };
        assert_eq!((error.class, server.asked()), (class, requests), "{error}");
    };
    join_all(cases.map(check)).await;
    let server = Server::answering([html(502, ""), Step::Bytes(plain(200, "image/png", PNG))]).await;
    assert_eq!(server.client().download("/upload/a").await.unwrap(), PNG, "a download is tried again");
    let server = Server::answering([]).await;
    for uri in ["", "http://10.0.0.1/a", "file:///etc/passwd"] {
        assert_eq!(server.client().download(uri).await.unwrap_err().class, Class::Refused, "{uri}");
    }
}

#[tokio::test]
async fn downloads_go_side_by_side_within_a_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook =
        Webhook::parse(&format!("http://{}/rest/1/{SECRET}/", listener.local_addr().unwrap()), "test").unwrap();
    let counts = Arc::new(Mutex::new((0_u32, 0_u32)));
    let counted = Arc::clone(&counts);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counts = Arc::clone(&counted);
            tokio::spawn(async move {
                receive(&mut stream).await;
                {
                    let mut counts = counts.lock().unwrap();
                    counts.0 += 1;
                    counts.1 = counts.1.max(counts.0);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                counts.lock().unwrap().0 -= 1;
                drop(stream.write_all(&plain(200, "image/png", PNG)).await);
            });
        }
    });
    let client = client(webhook, Duration::from_secs(30), |settings| settings.downloads = 3);
    let all = join_all((0..9).map(|index| {
        let client = &client;
        async move { client.download(&format!("/upload/{index}")).await }
    }));
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(counts.lock().unwrap().1, 3);
}
