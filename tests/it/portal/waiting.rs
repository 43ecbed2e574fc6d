//! Time: the command's, the portal's and our own limits.

use std::sync::Arc;
use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::command::{Answer, Halt};
use brandctl::domain::retry::Class;
use brandctl::ops::events::Event;
use brandctl::ops::ports::{ReadPortal as _, Urgency, WriteError, WritePortal as _};
use brandctl::portal::{Client, Rate};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::server::*;

#[tokio::test]
async fn no_answer_is_waited_for_beyond_the_commands_time() {
    let server = Server::answering([Step::Silence]).await;
    let started = Instant::now();
    let error = client(server.webhook(), Duration::from_secs(1), |_| {}).list().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(20), "not the thirty that a read may take");
    assert_no_secret(&error);
    assert_eq!(error.class, Class::Deadline);
    assert!(error.message.starts_with("timed out after "), "{error}");
    assert!(error.hint.unwrap().contains("--timeout"));
}

#[tokio::test]
async fn nothing_is_sent_when_the_time_is_up() {
    let server = Server::answering([]).await;
    let client = client(server.webhook(), Duration::ZERO, |_| {});
    assert_eq!(client.list().await.unwrap_err().class, Class::Deadline);
    assert_eq!(client.download("/upload/a").await.unwrap_err().class, Class::Deadline);
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    assert!(matches!(failure, WriteError::NoEffect(error) if error.class == Class::Deadline));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_slow_read_is_tried_again() {
    let server = Server::answering([Step::Silence, lists(&json!([]), &json!([]), [0, 0])]).await;
    let client = client(server.webhook(), Duration::from_secs(30), |settings| {
        settings.read_timeout = Duration::from_secs(1);
    });
    client.list().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn our_own_limit_is_kept_and_told() {
    let found = json!({"result": {"result": {"c0": {"logo": entry("a")}}, "result_error": []}});
    let fine = || answer(200, &found);
    let server = Server::answering([fine(), fine(), fine()]).await;
    let addresses = [Address::new(Kind::Logo, Code::new("a"))];
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let client = client(server.webhook(), Duration::from_secs(30), |settings| {
        settings.rate = Rate { per_second: 0.8, burst: 2, headroom: 0 };
        settings.observer = observer;
    });
    let started = Instant::now();
    for _ in 0..3 {
        client.get(&addresses).await.unwrap();
    }
    assert!(started.elapsed() > Duration::from_millis(1000));
    server.requests();
    let events = told.0.lock().unwrap().clone();
    assert!(matches!(&events[..], [Event::Waiting { why, .. }] if why == "rate limited"), "{events:?}");
}

#[tokio::test]
async fn trouble_that_passes_is_waited_out() {
    let fine = || lists(&json!([entry("a")]), &json!([]), [1, 0]);
    let busy_inside = batch(json!([]), json!({"icons": {"error": "QUERY_LIMIT_EXCEEDED"}}), json!([]));
    for step in [error(500, "INTERNAL_SERVER_ERROR"), html(502, "<html>"), Step::Close, busy_inside] {
        let server = Server::answering([step, fine()]).await;
        assert_eq!(server.client().list().await.unwrap().entries.len(), 1);
        server.requests();
    }
}

#[tokio::test]
async fn the_moment_that_the_portal_names_is_waited_for() {
    let time = json!({"finish": 1000.0, "operating": 480, "operating_reset_at": 1600});
    let found =
        |time: &Value| json!({"result": {"result": {"c0": {"logo": entry("a")}}, "result_error": []}, "time": time});
    let server = Server::answering([answer(200, &found(&time)), error(429, "OPERATION_TIME_LIMIT")]).await;
    let client = server.client();
    client.get(&[Address::new(Kind::Logo, Code::new("a"))]).await.unwrap();
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_eq!(error.class, Class::Deadline, "ten minutes are more than there are: {error}");
    assert_eq!(error.code.as_deref(), Some("OPERATION_TIME_LIMIT"));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_write_that_was_refused_inside_an_answer_waits_for_the_moment_that_it_names() {
    let used_up = |seconds: f64| {
        let time = json!({"c0": {"finish": 1000.0, "operating": 480, "operating_reset_at": 1000.0 + seconds}});
        let errors = json!({"c0": {"error": "OPERATION_TIME_LIMIT", "error_description": "Words."}});
        answer(200, &json!({"result": {"result": [], "result_error": errors, "result_time": time}}))
    };
    let done = || batch(json!({"c0": true}), json!([]), json!([]));
    let write = async |client: &Client, urgency| client.write(&[delete("a")], Halt::Never, urgency, &|_| {}).await;

    let server = Server::answering([used_up(2.0), lists(&json!([]), &json!([]), [0, 0]), done()]).await;
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let client = client(server.webhook(), Duration::from_secs(30), |settings| settings.observer = observer);
    let answers = write(&client, Urgency::Ordinary).await.unwrap();
    assert!(matches!(&answers[..], [Answer::Refused { class: Class::Busy, .. }]), "{answers:?}");
    let started = Instant::now();
    let told_before = told.0.lock().unwrap().len();
    client.list().await.unwrap();
    assert_eq!(told.0.lock().unwrap().len(), told_before, "a read does not wait");
    assert_eq!(write(&client, Urgency::Ordinary).await.unwrap(), [Answer::Done]);
    assert!(started.elapsed() > Duration::from_secs(2), "{:?}", started.elapsed());
    server.requests();
    let events = told.0.lock().unwrap().clone();
    assert!(
        matches!(&events[..], [Event::Waiting { why, .. }] if why.starts_with("the portal's time allowance for writes")),
        "{events:?}"
    );

    let server = Server::answering([used_up(600.0), done()]).await;
    let client = server.client();
    write(&client, Urgency::Ordinary).await.unwrap();
    let failure = write(&client, Urgency::Ordinary).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_no_secret(&error);
    assert!(error.class == Class::Deadline && error.hint.is_some(), "{error}");
    assert_eq!(server.asked(), 1, "ten minutes are more than there are");
    assert_eq!(
        write(&client, Urgency::Completing).await.unwrap(),
        [Answer::Done],
        "a replace is completed if it can be"
    );
    server.requests();
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_deadline() {
    let drip = || Step::Drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{".to_vec());
    let server = Server::answering([drip(), drip(), drip()]).await;
    let started = Instant::now();
    let short = client(server.webhook(), Duration::from_secs(1), |_| {});
    let error = short.list().await.unwrap_err();
    assert_no_secret(&error);
    assert_eq!(error.class, Class::Deadline, "{error}");
    let short = client(server.webhook(), Duration::from_secs(1), |_| {});
    let error = short.download("/upload/a").await.unwrap_err();
    assert_eq!(error.class, Class::Deadline, "{error}");
    let impatient = client(server.webhook(), Duration::from_secs(30), |settings| {
        settings.write_timeout = Duration::from_secs(1);
    });
    let failure = impatient.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    let WriteError::Unanswered(error) = failure else { panic!("{failure:?}") };
    assert!(error.message.contains("did not answer within 1 s"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
    server.requests();
}

/// A write that was sent is waited for past the end, and that is told when it begins.
#[tokio::test]
async fn going_on_past_the_commands_time_is_told_once() {
    let server = Server::answering([Step::Silence, Step::Silence, lists(&json!([]), &json!([]), [0, 0])]).await;
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let client = client(server.webhook(), Duration::from_secs(1), |settings| {
        settings.write_timeout = Duration::from_secs(2);
        settings.observer = observer;
    });
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    assert!(matches!(failure, WriteError::Unanswered(_)), "{failure:?}");
    client.begin_grace_period();
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Completing, &|_| {}).await.unwrap_err();
    assert!(matches!(failure, WriteError::Unanswered(_)), "{failure:?}");
    client.list().await.unwrap();
    let told: Vec<_> = told.0.lock().unwrap().clone();
    let expected = "the time of --timeout is up: finishing what was begun on the portal, or finding out its outcome, for at most 180 s";
    assert_eq!(told, [Event::Warning(expected.to_owned())]);
}

/// An answer to a delete and an add, with what is said of their time inside it and nowhere else.
fn pair_done(add: &Value) -> Step {
    let delete = json!({"finish": 1000.0, "operating": 1, "operating_reset_at": 1600});
    let results = json!({"c0": true, "c1": {"icon": entry("a")}});
    answer(200, &json!({"result": {"result": results, "result_error": [], "result_time": {"c0": delete, "c1": add}}}))
}

#[tokio::test]
async fn a_replace_waits_for_the_reset_that_an_answer_names_inside() {
    let pair = [delete("a"), add("a", PNG)];
    let two_pairs = [pair.clone(), pair.clone()].concat();
    let time = |operating: f64, reset: f64| json!({"finish": 1000.0, "operating": operating, "operating_reset_at": 1000.0 + reset});
    let server =
        Server::answering([pair_done(&time(1.0, 600.0)), pair_done(&time(479.9, 2.0)), pair_done(&time(479.9, 600.0))])
            .await;
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let client = client(server.webhook(), Duration::from_secs(30), |settings| settings.observer = observer);
    let write = async || client.write(&pair, Halt::OnError, Urgency::Ordinary, &|_| {}).await.unwrap();
    assert_eq!(client.permitted_pairs(&two_pairs).await.unwrap(), 2, "nothing is known");
    write().await;
    assert_eq!(client.permitted_pairs(&two_pairs).await.unwrap(), 2);
    write().await;
    // There is more in two seconds; what may be sent then, the portal is to be asked again.
    let started = Instant::now();
    let failure = client.permitted_pairs(&two_pairs).await.unwrap_err();
    assert!(started.elapsed() > Duration::from_secs(2));
    assert!(matches!(&failure, WriteError::NoEffect(error) if error.class == Class::Waited), "{failure:?}");
    let events = told.0.lock().unwrap().clone();
    let expected = "the portal's time allowance for crm.timeline.icon.add may not last for another replace";
    assert!(matches!(&events[..], [Event::Waiting { why, .. }] if why == expected), "{events:?}");
    assert_eq!(client.permitted_pairs(&two_pairs).await.unwrap(), 2, "what is used is not known any more");
    write().await;
    let failure = client.permitted_pairs(&two_pairs).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_no_secret(&error);
    assert_eq!((error.class, error.hint.is_some()), (Class::Deadline, true));
    let message =
        format!("the time allowance of {} for crm.timeline.icon.add may not last for another replace", server.address);
    let message = format!("{message} and resets in 600 s, and --timeout leaves no time to wait");
    assert_eq!(error.message, message);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn what_completes_a_replace_is_sent_until_the_allowance_is_there_and_told_past_the_end() {
    let used_up = || json!({"result": {"result": [], "result_error": {"c0": {"error": "OPERATION_TIME_LIMIT"}}}});
    let done = batch(json!({"c0": {"icon": entry("a")}}), json!([]), json!([]));
    let server =
        Server::answering([answer(200, &used_up()), error(429, "OPERATION_TIME_LIMIT"), answer(200, &used_up()), done])
            .await;
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let client = client(server.webhook(), Duration::from_secs(2), |settings| settings.observer = observer);
    let answers = client.write(&[add("a", PNG)], Halt::Never, Urgency::Completing, &|_| {}).await.unwrap();
    assert_eq!(answers, [Answer::Done]);
    assert_eq!(server.requests().len(), 4);
    let events = told.0.lock().unwrap().clone();
    let before =
        "the portal's time allowance for crm.timeline.icon.add is used up: the image of icon/a is sent again in ";
    let is_warning = |event: &&Event| match event {
        Event::Warning(text) => {
            text.strip_prefix(before).is_some_and(|rest| rest.ends_with(" s, after the time of --timeout"))
        }
        _ => false,
    };
    assert!(events.iter().filter(is_warning).count() > 0, "{events:?}");
    // An ordinary write by itself is given back after the wait.
    let server = Server::answering([error(429, "OPERATION_TIME_LIMIT")]).await;
    let failure = server.client().write_single(&delete("a"), Urgency::Ordinary, &|_| {}).await.unwrap_err();
    assert!(matches!(&failure, WriteError::NoEffect(error) if error.class == Class::Waited), "{failure:?}");
    server.requests();
}
