use super::*;

fn problem(message: &str) -> Problem {
    Problem::new(message)
}

fn setup() -> Setup {
    Setup {
        url: "https://acme.example".to_owned(),
        encrypted: true,
        peer: "acme.example".to_owned(),
        port: 443,
        proxied: false,
        per_second: 2.0,
        burst: 50,
    }
}

fn inquiry() -> Inquiry {
    Inquiry {
        caller: Ok("user 1".to_owned()),
        scopes: Ok(vec!["task".to_owned(), "CRM".to_owned()]),
        administrator: Ok(true),
        methods: vec![
            ("icon.add".to_owned(), Ok(Presence::Available)),
            ("icon.get".to_owned(), Ok(Presence::Available)),
        ],
        operating: Some(1.2),
    }
}

/// All is well.
fn healthy() -> DoctorObservations {
    let address = "192.0.2.7".to_owned();
    DoctorObservations {
        config: Some(Ok((setup(), "the webhook of B24_HOOK".to_owned()))),
        renewable: Some(Ok(())),
        lost: None,
        manifest: Some(Ok("brand.yaml is for any portal".to_owned())),
        state: Some(Ok(".brandctl can be written".to_owned())),
        resolved: Some(Ok(vec![address.clone()])),
        connected: Some(Ok(address)),
        greeted: Some(Ok(Greeting { ahead: Some(-3) })),
        inquired: Some(Ok(inquiry())),
        downloaded: Some(Ok(Some("icon/acme".parse().unwrap()))),
    }
}

fn lines(observed: &DoctorObservations) -> Vec<String> {
    checks(observed).into_iter().map(|c| format!("{} {}: {}", c.health.name(), c.subject.name(), c.message)).collect()
}

/// The one check that is not as in [`healthy`].
#[track_caller]
fn changed(observed: &DoctorObservations) -> (Health, String) {
    let before = checks(&healthy());
    let different: Vec<_> = checks(observed).into_iter().zip(before).filter(|(now, then)| now != then).collect();
    match <[_; 1]>::try_from(different) {
        Ok([(now, _)]) => (now.health, now.message),
        Err(several) => panic!("{several:#?}"),
    }
}

#[test]
fn all_is_well() {
    assert_eq!(
        lines(&healthy()),
        [
            "ok config: https://acme.example, by the webhook of B24_HOOK",
            "ok manifest: brand.yaml is for any portal",
            "ok state: .brandctl can be written",
            "ok dns: acme.example is 192.0.2.7",
            "ok tcp: 192.0.2.7 accepts connections on port 443",
            "ok tls: the certificate is trusted",
            "ok clock: the clocks of the portal and of this machine differ by less than 60 s",
            "ok credentials: user 1",
            "ok scope: `crm` is included",
            "ok rights: the user is an administrator",
            "ok methods: the portal has all 2 methods",
            "ok downloads: the image of icon/acme can be downloaded",
            "ok limits: at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5; 1 of 480 s of method time used",
        ]
    );
}

#[test]
fn what_cannot_be_looked_at_is_skipped() {
    let down = DoctorObservations {
        connected: Some(Err(problem("refused"))),
        greeted: None,
        inquired: None,
        downloaded: None,
        ..healthy()
    };
    assert_eq!(
        lines(&down)[4..],
        [
            "failed tcp: refused",
            "skipped tls: no connection",
            "skipped clock: no connection",
            "skipped credentials: no connection",
            "skipped scope: no connection",
            "skipped rights: no connection",
            "skipped methods: no connection",
            "skipped downloads: the portal could not be read",
            "ok limits: at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5",
        ]
    );
    let nothing = DoctorObservations { config: Some(Err(problem("no credentials"))), ..DoctorObservations::default() };
    let failed: Vec<_> = checks(&nothing).into_iter().filter(|check| check.health != Health::Skipped).collect();
    assert!(failed.len() == 1 && failed.iter().all(|check| check.subject == DoctorSubject::Config), "{failed:?}");
}

#[test]
fn each_fault_is_told_where_it_is() {
    let with = |change: &dyn Fn(&mut Inquiry)| {
        let mut inquiry = inquiry();
        change(&mut inquiry);
        DoctorObservations { inquired: Some(Ok(inquiry)), ..healthy() }
    };
    let methods = |presence| vec![("icon.add".to_owned(), presence), ("icon.get".to_owned(), Ok(Presence::Available))];
    for (observed, health, message) in [
        (with(&|i| i.scopes = Ok(vec!["task".to_owned()])), Health::Failed, "`crm` is missing; the scopes are: task"),
        (with(&|i| i.scopes = Ok(vec![])), Health::Failed, "`crm` is missing; the scopes are: none"),
        (with(&|i| i.administrator = Ok(false)), Health::Failed, "the user is not an administrator"),
        (with(&|i| i.administrator = Err(problem("x"))), Health::Failed, "x"),
        (with(&|i| i.methods = methods(Ok(Presence::Absent))), Health::Failed, "the portal does not have icon.add"),
        (
            with(&|i| i.methods = methods(Ok(Presence::Withheld))),
            Health::Failed,
            "these credentials may not call icon.add",
        ),
        (with(&|i| i.methods = methods(Err(problem("y")))), Health::Failed, "y"),
        (
            with(&|i| i.operating = Some(480.0)),
            Health::Warning,
            "at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5; a method has used up its 480 s in ten minutes",
        ),
        (
            DoctorObservations { greeted: Some(Ok(Greeting { ahead: Some(61) })), ..healthy() },
            Health::Warning,
            "the portal's clock is 61 s ahead of this machine's",
        ),
        (
            DoctorObservations { greeted: Some(Ok(Greeting { ahead: Some(-3600) })), ..healthy() },
            Health::Warning,
            "the portal's clock is 3600 s behind this machine's",
        ),
        (DoctorObservations { manifest: None, ..healthy() }, Health::Skipped, "there is no manifest here"),
    ] {
        assert_eq!(changed(&observed), (health, message.to_owned()));
    }
}

#[test]
fn behind_a_proxy_addresses_are_the_proxys() {
    let setup = Setup { peer: "proxy.example".to_owned(), port: 3128, proxied: true, ..setup() };
    let lines = lines(&DoctorObservations { config: Some(Ok((setup, "x".to_owned()))), ..healthy() });
    assert_eq!(lines[3], "ok dns: the proxy proxy.example is 192.0.2.7");
    assert_eq!(lines[4], "ok tcp: the proxy 192.0.2.7 accepts connections on port 3128");
}

#[test]
fn tokens_that_could_not_be_kept_are_a_warning() {
    let stuck = problem("the access token will expire, and its file cannot be rewritten");
    let found = checks(&DoctorObservations { renewable: Some(Err(stuck.clone())), ..healthy() });
    assert_eq!(
        found[0],
        DoctorCheck { subject: DoctorSubject::Config, health: Health::Warning, message: stuck.message, help: None }
    );
    assert_eq!(found[1..], checks(&healthy())[1..]);
}

#[test]
fn tokens_that_were_not_kept_are_a_failure() {
    let lost = problem("the new tokens could not be stored");
    let found = checks(&DoctorObservations { lost: Some(lost.clone()), ..healthy() });
    assert_eq!(
        found[0],
        DoctorCheck { subject: DoctorSubject::Config, health: Health::Failed, message: lost.message, help: None }
    );
    assert_eq!(found[1..], checks(&healthy())[1..]);
}
