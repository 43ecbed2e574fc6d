//! Settings.

use std::sync::Arc;

use brandctl::domain::retry::Class;
use brandctl::portal::{Client, Rate, Settings, Webhook};
use tokio::time::Instant;

use super::server::*;

#[tokio::test]
async fn settings_without_sense_are_refused() {
    let webhook = || Webhook::parse(&format!("https://acme.example/rest/1/{SECRET}/"), "test").unwrap();
    let settings = || Settings::new(webhook(), Instant::now(), Arc::new(Told::default()));
    let rate = |per_second, burst| Settings { rate: Rate { per_second, burst, headroom: 0 }, ..settings() };
    for wrong in [
        rate(0.0, 50),
        rate(-1.0, 50),
        rate(f64::NAN, 50),
        rate(2.0, 0),
        Settings { downloads: 0, ..settings() },
        Settings { ca_cert: Some(b"no certificate".to_vec()), ..settings() },
    ] {
        let error = Client::new(wrong).unwrap_err();
        reject_listed_secret(&error);
        assert_eq!(error.class, Class::Configuration);
        assert!(error.hint.is_some());
    }
    let client = Client::new(settings()).unwrap();
    let told = format!("{client:?} {:?}", settings());
    assert!(told.contains("acme.example") && !told.contains(SECRET), "{told}");
}
