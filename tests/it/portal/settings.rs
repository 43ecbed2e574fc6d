//! What a client is made of.

use std::sync::Arc;
use std::time::Duration;

use brandctl::domain::retry::Class;
use brandctl::ops::ports::DOWNLOADS;
use brandctl::portal::{Access, Rate, Throttle, TrustStore, Webhook};

use super::server::*;

#[tokio::test]
async fn settings_without_sense_are_refused() {
    let throttle = |per_second, burst, downloads| {
        let rate = Rate { per_second, burst, headroom: 0 };
        Throttle::new(rate, downloads, Arc::new(Told::default())).map(drop)
    };
    for wrong in [
        throttle(0.0, 50, DOWNLOADS),
        throttle(-1.0, 50, DOWNLOADS),
        throttle(f64::NAN, 50, DOWNLOADS),
        throttle(2.0, 0, DOWNLOADS),
        throttle(2.0, 50, 0),
        TrustStore::new(Some(b"no certificate")).map(drop),
    ] {
        let error = wrong.unwrap_err();
        assert_no_secret(&error);
        assert_eq!(error.class, Class::Configuration);
        assert!(error.hint.is_some());
    }
    let access = || Access::from(Webhook::parse(&format!("https://acme.example/rest/1/{SECRET}/"), "test").unwrap());
    let told = format!("{:?} {:?}", client(access(), Duration::ZERO, |_| {}), access());
    assert!(told.contains("acme.example") && !told.contains(SECRET), "{told}");
}
