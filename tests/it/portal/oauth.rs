//! An OAuth application: which token goes where, when the pair is renewed, and what becomes of the file.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::command::{Answer, Halt};
use brandctl::domain::retry::Class;
use brandctl::ops::events::Event;
use brandctl::ops::ports::{
    PortalError, ReadPortal as _, TokenLock, TokenReplacement, TokenStore, Urgency, WriteError, WritePortal as _,
};
use brandctl::portal::{Application, Client, PendingRenewals};
use brandctl::store::TokenFile;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::server::*;

const CLIENT_SECRET: &str = "cl1entS3cr3t";

/// A portal and a token server on one address, as the sandbox is: tokens are `access-N` and `refresh-N`.
struct Portal {
    server: Server,
    folder: tempfile::TempDir,
}

/// A token file that nobody can rewrite.
struct Stuck(TokenFile);

impl TokenStore for Stuck {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn read(&self) -> io::Result<Vec<u8>> {
        self.0.read()
    }
    fn try_lock(&self) -> io::Result<Option<TokenLock>> {
        self.0.try_lock()
    }
    fn prepare(&self) -> io::Result<Box<dyn TokenReplacement>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// The state of the server: which pair is good.
#[derive(Clone)]
struct Good(Arc<Mutex<u32>>);

impl Good {
    fn get(&self) -> u32 {
        *self.0.lock().unwrap()
    }
}

impl Portal {
    /// The file holds pair 1, and pair `good` is the one that the server takes. `renew` answers renewals.
    async fn new(good: u32, renew: impl FnMut(&Request, &Good) -> Step + Send + 'static) -> Self {
        Self::seeing(good, renew, |_, _| {}).await
    }

    /// `look` gets each call that carries a good token, before it is answered, and where the file is.
    async fn seeing(
        good: u32,
        mut renew: impl FnMut(&Request, &Good) -> Step + Send + 'static,
        mut look: impl FnMut(&Request, &Path) + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, good) = (folder.path().join("oauth.json"), Good(Arc::new(Mutex::new(good))));
        let server = Server::deciding(move |request| {
            if request.target().starts_with("/oauth/token/") {
                return renew(request, &good);
            }
            let body = request.json();
            if body["auth"] == json!(format!("access-{}", good.get())) {
                look(request, &file);
                answer(200, &result(&body))
            } else {
                Step::Late(Duration::from_millis(50), plain(401, "application/json", br#"{"error":"expired_token"}"#))
            }
        })
        .await;
        let portal = Self { server, folder };
        portal.write(1);
        portal
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("oauth.json")
    }

    fn contents(&self, pair: u32) -> Value {
        json!({
            "domain": "oauth.bitrix.info", "access_token": format!("access-{pair}"), "expires": pair,
            "refresh_token": format!("refresh-{pair}"), "client_id": "local.1", "client_secret": CLIENT_SECRET,
            "client_endpoint": format!("http://{}/rest/", self.server.address),
            "server_endpoint": format!("http://{}/rest/", self.server.address), "member_id": "kept",
        })
    }

    fn write(&self, pair: u32) {
        std::fs::write(self.file(), self.contents(pair).to_string()).unwrap();
        std::fs::set_permissions(self.file(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn read(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    fn token_file(&self) -> TokenFile {
        TokenFile::new(&self.file(), "the file of BITRIX24_OAUTH_FILE")
    }

    fn client(&self) -> Client {
        self.client_for(Duration::from_secs(30))
    }

    /// A client of a command that is given so much time.
    fn client_for(&self, time: Duration) -> Client {
        client(Application::open(Box::new(self.token_file())).unwrap(), time, |_| {})
    }

    /// The methods that were asked, renewals among them.
    fn asked(&self) -> Vec<String> {
        let last = |request: &Request| {
            request.target().split('?').next().unwrap().rsplit('/').find(|part| !part.is_empty()).unwrap().to_owned()
        };
        self.server.requests().iter().map(last).collect()
    }

    fn renewals(&self) -> usize {
        self.asked().iter().filter(|method| *method == "token").count()
    }

    /// Nothing is left lying about beside the token file.
    fn is_tidy(&self) {
        let names: Vec<_> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["oauth.json"]);
    }
}

/// What a batch of lists, or of one delete, is answered.
fn result(body: &Value) -> Value {
    let result = if body["cmd"].get("icons").is_some() {
        json!({"icons": {"icons": []}, "logos": {"logos": []}})
    } else {
        json!({"c0": true})
    };
    json!({"result": {"result": result, "result_error": [], "result_total": []}})
}

/// The server gives out the next pair, in the vendor's way.
fn next_pair(good: &Good) -> Step {
    let mut good = good.0.lock().unwrap();
    *good += 1;
    let pair = json!({
        "access_token": format!("access-{good}"), "refresh_token": format!("refresh-{good}"), "expires": *good,
        "expires_in": 3600, "domain": "oauth.bitrix.info", "scope": "crm", "member_id": "other",
    });
    answer(200, &pair)
}

#[track_caller]
fn tells_nothing(error: &PortalError) {
    let told = format!("{error} {error:?}");
    for secret in ["access-", "refresh-", CLIENT_SECRET, "grant_type"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert!(!error.message.ends_with('.') && !error.message.contains('\n'), "{told}");
}

#[tokio::test]
async fn the_token_goes_into_the_body_and_nowhere_else() {
    let portal = Portal::new(1, |_, _| Step::Close).await;
    portal.client().list().await.unwrap();
    let requests = portal.server.requests();
    assert_eq!(requests[0].target(), "/rest/batch.json");
    assert!(!requests[0].head.contains("access-1"), "{}", requests[0].head);
    assert_eq!(requests[0].json()["auth"], "access-1");
    assert_eq!(requests[0].json()["cmd"]["icons"], "crm.timeline.icon.list");
    portal.is_tidy();
}

#[tokio::test]
async fn twenty_calls_with_an_expired_token_are_one_renewal() {
    let portal = Portal::new(7, |request, good| {
        let query = request.target();
        assert!(request.head.starts_with("GET "), "{}", request.head);
        for part in
            ["grant_type=refresh_token", "client_id=local.1", "client_secret=cl1entS3cr3t", "refresh_token=refresh-1"]
        {
            assert!(query.contains(part), "{query}");
        }
        next_pair(good)
    })
    .await;
    let client = portal.client();
    let all = join_all((0..20).map(|_| client.list())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(portal.renewals(), 1);
    assert_eq!(portal.asked().len(), 41, "each call was repeated once");
    let kept = Value::Object(portal.contents(8).as_object().unwrap().clone());
    assert_eq!(portal.read(), kept, "unknown keys are kept, and `domain` is not the answer's");
    assert_eq!(std::fs::metadata(portal.file()).unwrap().permissions().mode() & 0o777, 0o600);
    portal.is_tidy();
}

#[tokio::test]
async fn the_new_pair_is_on_the_disk_before_it_is_used() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let portal = Portal::seeing(
        7,
        |_, good| next_pair(good),
        move |_, file| {
            let stored: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            noted.lock().unwrap().push((stored["access_token"].clone(), stored["refresh_token"].clone()));
        },
    )
    .await;
    portal.client().list().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(json!("access-8"), json!("refresh-8"))]);
}

#[tokio::test]
async fn a_write_is_repeated_once_after_its_token_expired() {
    let portal = Portal::new(7, |_, good| next_pair(good)).await;
    let answers = portal.client().write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap();
    assert_eq!(answers, [Answer::Done]);
    assert_eq!(portal.asked(), ["batch.json", "token", "batch.json"]);
    let requests = portal.server.requests();
    assert_eq!(requests[0].json()["cmd"], requests[2].json()["cmd"]);
}

#[tokio::test]
async fn what_another_process_stored_is_used_instead_of_a_renewal() {
    let portal = Portal::new(2, |_, good| next_pair(good)).await;
    let client = portal.client();
    portal.write(2);
    client.list().await.unwrap();
    assert_eq!(portal.asked(), ["batch.json", "batch.json"]);
    // Pair 2 expires, too: that of the file is renewed.
    let client = {
        let stale = portal.client();
        portal.write(1);
        stale
    };
    client.list().await.unwrap();
    assert_eq!(portal.renewals(), 0);
}

#[tokio::test]
async fn a_stored_token_that_expired_as_well_is_renewed() {
    let portal = Portal::new(7, |request, good| {
        assert!(request.target().contains("refresh_token=refresh-2"), "the file's own, not that of the beginning");
        next_pair(good)
    })
    .await;
    let client = portal.client();
    portal.write(2);
    client.list().await.unwrap();
    assert_eq!(portal.asked(), ["batch.json", "batch.json", "token", "batch.json"]);
}

#[tokio::test]
async fn processes_that_share_a_file_renew_once() {
    let portal = Portal::new(7, |_, good| match next_pair(good) {
        Step::Bytes(bytes) => Step::Late(Duration::from_millis(300), bytes),
        other => other,
    })
    .await;
    // Each client has its own idea of the token and its own lock, as a process has.
    let clients: Vec<_> = (0..4).map(|_| portal.client()).collect();
    let all = join_all(clients.iter().map(Client::list)).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(portal.renewals(), 1);
}

/// The next pair, after the server took its time.
fn late_pair(good: &Good, after: Duration) -> Step {
    match next_pair(good) {
        Step::Bytes(bytes) => Step::Late(after, bytes),
        other => other,
    }
}

#[tokio::test]
async fn a_renewal_outlives_whoever_waits_for_it() {
    let portal = Portal::new(7, |_, good| late_pair(good, Duration::from_millis(300))).await;
    let pending = PendingRenewals::default();
    let client = portal.client().with_pending(pending.clone());
    let renewing = async {
        while portal.server.asked() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await
        }
    };
    tokio::select! {
        listed = client.list() => panic!("{listed:?}"),
        () = renewing => {}
    }
    assert_eq!(portal.read(), portal.contents(1));
    pending.finished().await;
    assert_eq!(portal.read(), portal.contents(8));
    client.list().await.unwrap();
    assert_eq!(portal.asked(), ["batch.json", "token", "batch.json", "batch.json"]);
    portal.is_tidy();
}

#[tokio::test]
async fn one_that_nobody_waits_for_is_taken_up_by_the_next_call() {
    let portal = Portal::new(7, |_, good| late_pair(good, Duration::from_millis(300))).await;
    let client = portal.client();
    let renewing = async {
        while portal.server.asked() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await
        }
    };
    tokio::select! {
        listed = client.list() => panic!("{listed:?}"),
        () = renewing => {}
    }
    client.list().await.unwrap();
    assert_eq!(portal.renewals(), 1);
    assert_eq!(portal.read(), portal.contents(8));
}

#[tokio::test]
async fn the_end_of_the_command_does_not_cut_a_renewal_and_begins_none() {
    let portal = Portal::new(7, |_, good| late_pair(good, Duration::from_secs(3))).await;
    let error = portal.client_for(Duration::from_secs(2)).list().await.unwrap_err();
    assert_eq!((error.class, portal.renewals()), (Class::Deadline, 1), "{error}");
    assert_eq!(portal.read(), portal.contents(8));
    // This write is refused when the time is over.
    let portal = Portal::new(7, |_, good| next_pair(good)).await;
    let client = portal.client_for(Duration::from_millis(20));
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_eq!((error.class, portal.renewals()), (Class::Deadline, 0), "{error}");
    assert_eq!(portal.read(), portal.contents(1));
}

#[tokio::test]
async fn an_answer_does_not_say_where_tokens_go() {
    let portal = Portal::new(7, |_, good| {
        let mut good = good.0.lock().unwrap();
        *good += 1;
        answer(
            200,
            &json!({
                "access_token": format!("access-{good}"), "refresh_token": format!("refresh-{good}"), "expires": *good,
                "server_endpoint": "https://evil.example/rest/", "client_endpoint": "https://evil.example/rest/",
                "domain": "evil.example", "client_id": "evil", "client_secret": "evil", "member_id": "evil", "new": "evil",
            }),
        )
    })
    .await;
    portal.client().list().await.unwrap();
    assert_eq!(portal.read(), portal.contents(8));
    assert_eq!(portal.asked(), ["batch.json", "token", "batch.json"], "nothing went elsewhere");
}

#[tokio::test]
async fn a_lost_race_is_noticed_when_the_refresh_token_is_spent() {
    let folder = Arc::new(Mutex::new(PathBuf::new()));
    let path = Arc::clone(&folder);
    let portal = Portal::new(2, move |_, _| {
        // A program that takes no lock was faster.
        let path = path.lock().unwrap();
        let text = std::fs::read_to_string(&*path).unwrap();
        std::fs::write(&*path, text.replace("access-1", "access-2").replace("refresh-1", "refresh-2")).unwrap();
        error(400, "invalid_grant")
    })
    .await;
    *folder.lock().unwrap() = portal.file();
    portal.client().list().await.unwrap();
    assert_eq!(portal.asked(), ["batch.json", "token", "batch.json"]);
    assert_eq!(
        portal.read(),
        portal
            .contents(2)
            .as_object()
            .map(|fields| {
                let mut fields = fields.clone();
                fields.insert("expires".to_owned(), json!(1));
                Value::Object(fields)
            })
            .unwrap(),
        "what the other one wrote stays"
    );
    portal.is_tidy();
}

#[tokio::test]
async fn a_spent_refresh_token_says_what_to_do() {
    for (code, fix) in [("invalid_grant", "authorised on the portal again"), ("invalid_client", "client_secret")] {
        let portal = Portal::new(7, move |_, _| error(400, code)).await;
        let before = portal.read();
        let error = portal.client().list().await.unwrap_err();
        tells_nothing(&error);
        assert_eq!((error.class, portal.renewals()), (Class::Configuration, 1), "{error}");
        assert!(error.message.contains(&format!("answered 400 and error {code}: Words")), "{error}");
        let hint = error.hint.unwrap();
        assert!(hint.contains(fix) && hint.contains("BITRIX24_OAUTH_FILE"), "{hint}");
        assert_eq!(portal.read(), before);
        portal.is_tidy();
    }
}

#[tokio::test]
async fn a_token_that_stays_expired_is_an_error_and_no_loop() {
    let portal =
        Portal::new(99, |_, _| answer(200, &json!({"access_token": "access-2", "refresh_token": "refresh-2"}))).await;
    let failure = portal.client().write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    tells_nothing(&error);
    assert_eq!(error.class, Class::Configuration);
    assert!(error.message.contains("says that a token is expired, but"), "{error}");
    assert_eq!(portal.asked(), ["batch.json", "token", "batch.json"]);
    assert_eq!(portal.read()["access_token"], "access-2", "the pair is kept all the same");
}

#[tokio::test]
async fn trouble_of_the_token_server_is_waited_out() {
    for trouble in
        [error(500, "INTERNAL"), html(502, "<html>Bad gateway"), html(200, ""), Step::Close, error(429, "slow")]
    {
        let mut first = Some(trouble);
        let portal = Portal::new(7, move |_, good| first.take().unwrap_or_else(|| next_pair(good))).await;
        portal.client().list().await.unwrap();
        assert_eq!(portal.renewals(), 2);
    }
}

#[tokio::test]
async fn trouble_of_the_token_server_is_no_reason_to_authorise_again() {
    let check = async |step: Step| {
        let portal = Portal::new(7, move |_, _| step.clone()).await;
        let error = portal.client().list().await.unwrap_err();
        tells_nothing(&error);
        let hint = error.hint.unwrap();
        assert!(hint.contains("run it again later") && !hint.contains("authorise"), "{}: {hint}", error.message);
        assert_eq!(portal.read(), portal.contents(1));
    };
    join_all([error(500, "INTERNAL"), error(503, "0"), html(502, "<html>")].map(check)).await;
    // A wait that is longer than there is time for.
    let slow = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 600\r\n\
        Content-Length: 16\r\nConnection: close\r\n\r\n{\"error\":\"slow\"}";
    check(Step::Bytes(slow.to_vec())).await;
}

#[tokio::test]
async fn what_no_token_server_answers_is_a_clear_error() {
    let half = br#"{"access_token":"access-8","refresh_to"#;
    let echo = "<html>cannot GET /oauth/token/?client_secret=cl1entS3cr3t&refresh_token=refresh-1";
    let huge = [b"<html>".to_vec(), vec![b' '; 70_000]].concat();
    let redirect =
        b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let cases = [
        (html(503, echo), Class::Transient, 5, "answered 503 with no JSON: <html>cannot GET"),
        (Step::Bytes(plain(200, "application/json", half)), Class::Transient, 5, "with JSON that breaks off"),
        (answer(200, &json!({"access_token": "access-8"})), Class::Transient, 5, "with JSON without a result"),
        (answer(200, &json!({"access_token": " ", "refresh_token": "a"})), Class::Transient, 5, "without a result"),
        (html(404, "<html>Not Found"), Class::Configuration, 1, "answered 404 with no JSON: <html>Not Found"),
        (answer(200, &json!({"result": true})), Class::Transient, 5, "with JSON without tokens"),
        (Step::Bytes(plain(200, "text/html", &huge)), Class::Refused, 1, "more than 65536 bytes"),
        (Step::Bytes(redirect.to_vec()), Class::Configuration, 1, "answered 302 and redirects"),
    ];
    let check = async |(step, class, renewals, expected): (Step, Class, usize, &str)| {
        let portal = Portal::new(7, move |_, _| step.clone()).await;
        let failure = portal.client().write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
        let WriteError::NoEffect(error) = failure else { panic!("the write was refused: {failure:?}") };
        let told = format!("{error:?}");
        assert!(!told.contains("refresh-1") && !told.contains("access-8") && !told.contains(CLIENT_SECRET), "{told}");
        assert!(error.message.contains(expected) && error.message.contains("127.0.0.1:"), "{expected}: {error}");
        assert_eq!((error.class, portal.renewals()), (class, renewals), "{error}");
        assert_eq!(portal.read(), portal.contents(1));
        portal.is_tidy();
    };
    join_all(cases.map(check)).await;
}

#[tokio::test]
async fn a_refresh_token_is_not_spent_when_the_file_cannot_be_rewritten() {
    let portal = Portal::new(7, |_, good| next_pair(good)).await;
    let stuck = || {
        let application = Application::open(Box::new(Stuck(portal.token_file()))).unwrap();
        client(application, Duration::from_secs(30), |_| {})
    };
    let error = stuck().list().await.unwrap_err();
    tells_nothing(&error);
    assert_eq!((error.class, portal.renewals()), (Class::Configuration, 0));
    assert!(error.message.contains("oauth.json) cannot be rewritten with a new one: "), "{error}");
    // A renewal by another program is followed all the same.
    let client = stuck();
    portal.write(7);
    client.list().await.unwrap();
    assert_eq!(portal.renewals(), 0);
}

#[tokio::test]
async fn a_pair_that_cannot_be_stored_is_used_and_told_of() {
    let folder = Arc::new(Mutex::new(PathBuf::new()));
    let path = Arc::clone(&folder);
    let portal = Portal::new(7, move |_, good| {
        // Something else takes the file's place while the server thinks.
        let path = path.lock().unwrap();
        std::fs::remove_file(&*path).unwrap();
        std::fs::create_dir(&*path).unwrap();
        next_pair(good)
    })
    .await;
    *folder.lock().unwrap() = portal.file();
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let application =
        Application::open(Box::new(TokenFile::new(&portal.file(), "the file of BITRIX24_OAUTH_FILE"))).unwrap();
    let client = client(application, Duration::from_secs(30), |settings| settings.observer = observer);
    client.list().await.unwrap();
    let events = told.0.lock().unwrap().clone();
    let [Event::Failed(error)] = &events[..] else { panic!("{events:?}") };
    tells_nothing(error);
    assert!(error.message.starts_with("the new tokens cannot be stored in the file of BITRIX24_OAUTH_FILE"), "{error}");
    assert!(error.hint.as_deref().unwrap().starts_with("authorise the application on the portal again"), "{error:?}");
}

/// What a client tells when it renews pair 1, and `meanwhile` happens to the file while the server thinks.
async fn renewing(good: u32, meanwhile: impl Fn(&Path, &Good) + Send + 'static) -> (Portal, Vec<Event>) {
    let file = Arc::new(Mutex::new(PathBuf::new()));
    let path = Arc::clone(&file);
    let portal = Portal::new(good, move |_, good| {
        let pair = next_pair(good);
        meanwhile(&path.lock().unwrap(), good);
        pair
    })
    .await;
    *file.lock().unwrap() = portal.file();
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let application = Application::open(Box::new(portal.token_file())).unwrap();
    client(application, Duration::from_secs(30), |settings| settings.observer = observer).list().await.unwrap();
    let events = told.0.lock().unwrap().clone();
    portal.is_tidy();
    (portal, events)
}

/// Gives the file's name to another one with a field changed here and there.
fn replace_file(file: &Path, changes: Value) {
    let mut fields: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    fields.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let new = file.with_extension("new");
    std::fs::write(&new, fields.to_string()).unwrap();
    std::fs::rename(new, file).unwrap();
}

#[tokio::test]
async fn an_authorisation_that_came_meanwhile_is_kept_and_used() {
    let theirs = json!({"access_token": "access-20", "refresh_token": "refresh-20", "expires": 20});
    let (portal, events) = renewing(7, move |file, good| {
        replace_file(file, theirs.clone());
        *good.0.lock().unwrap() = 20;
    })
    .await;
    assert_eq!(portal.read(), portal.contents(20));
    assert_eq!(portal.renewals(), 1);
    let [Event::Warning(message)] = &events[..] else { panic!("{events:?}") };
    let expected = "got other tokens from elsewhere during the renewal";
    assert!(message.contains("oauth.json) ") && message.contains(expected), "{message}");
    assert!(!message.contains("access-") && !message.contains("refresh-"), "{message}");
}

#[tokio::test]
async fn a_file_that_was_replaced_meanwhile_gets_the_new_pair_unless_it_is_another_authorisation() {
    // The same tokens, a pair that lacks its half, and none.
    for changes in [json!({}), json!({"access_token": "access-20", "refresh_token": ""}), json!({"access_token": null})]
    {
        let (portal, events) = renewing(7, move |file, _| replace_file(file, changes.clone())).await;
        assert_eq!(portal.read(), portal.contents(8));
        assert!(events.is_empty(), "{events:?}");
    }
    let (portal, _) = renewing(7, |file, _| replace_file(file, json!({"member_id": "of now"}))).await;
    let (mut expected, now) = (portal.contents(8), json!("of now"));
    expected["member_id"] = now;
    assert_eq!(portal.read(), expected, "what else was changed stays");
    let (portal, events) = renewing(7, |file, _| std::fs::remove_file(file).unwrap()).await;
    assert_eq!(portal.read(), portal.contents(8));
    assert!(events.is_empty(), "{events:?}");
}

#[tokio::test]
async fn a_link_that_was_led_elsewhere_meanwhile_leaves_no_pair_where_nobody_looks_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let (link, other) = (folder.path().join("link.json"), folder.path().join("other.json"));
    let relink = (link.clone(), other.clone());
    let portal = Portal::new(7, move |_, good| {
        std::fs::remove_file(&relink.0).unwrap();
        std::os::unix::fs::symlink(&relink.1, &relink.0).unwrap();
        next_pair(good)
    })
    .await;
    std::fs::copy(portal.file(), &other).unwrap();
    std::os::unix::fs::symlink(portal.file(), &link).unwrap();
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let application = Application::open(Box::new(TokenFile::new(&link, "test"))).unwrap();
    client(application, Duration::from_secs(30), |settings| settings.observer = observer).list().await.unwrap();
    let events = told.0.lock().unwrap().clone();
    let [Event::Failed(error)] = &events[..] else { panic!("{events:?}") };
    assert!(error.message.contains("leads to another file"), "{error}");
}

#[tokio::test]
async fn a_link_leads_to_the_file_that_is_rewritten() {
    let portal = Portal::new(7, |_, good| next_pair(good)).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.json");
    std::os::unix::fs::symlink(portal.file(), &link).unwrap();
    let application = Application::open(Box::new(TokenFile::new(&link, "test"))).unwrap();
    client(application, Duration::from_secs(30), |_| {}).list().await.unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(portal.read()["refresh_token"], "refresh-8");
}

#[tokio::test]
async fn an_inner_error_renews_for_reads_and_ends_the_one_write() {
    // The server looks at the token once a request; if one did so for each command, a batch could be half done.
    let inner = json!({"c0": {"error": "expired_token"}, "c1": {"error": "expired_token"}});
    let refused = batch(json!([]), inner, json!([]));
    let mut first = Some(refused);
    let server = Server::deciding(move |_| first.take().unwrap_or(Step::Close)).await;
    let portal = Portal { server, folder: tempfile::tempdir().unwrap() };
    portal.write(1);
    let answers =
        portal.client().write(&[delete("a"), delete("b")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap();
    assert!(
        answers.iter().all(|answer| matches!(answer, Answer::Refused { class: Class::Expired, .. })),
        "{answers:?}"
    );
    assert_eq!(portal.asked(), ["batch.json"], "a batch of writes is not sent again for the sake of one");

    let mut script = vec![
        batch(json!([]), json!({"c0": {"error": "expired_token"}}), json!([])),
        answer(200, &json!({"access_token": "access-2", "refresh_token": "refresh-2"})),
        batch(json!({"c0": {"icon": entry("a")}}), json!([]), json!([])),
    ]
    .into_iter();
    let server = Server::deciding(move |_| script.next().unwrap_or(Step::Close)).await;
    let portal = Portal { server, folder: tempfile::tempdir().unwrap() };
    portal.write(1);
    portal.client().get(&[Address::new(Kind::Icon, Code::new("a"))]).await.unwrap();
    assert_eq!(portal.asked(), ["batch.json", "token", "batch.json"]);
}

#[tokio::test]
async fn hints_speak_of_the_application() {
    for code in ["INVALID_CREDENTIALS", "insufficient_scope", "ACCESS_DENIED", "PORTAL_DELETED", "INVALID_REQUEST"] {
        let portal =
            Portal { server: Server::answering([error(401, code)]).await, folder: tempfile::tempdir().unwrap() };
        portal.write(1);
        let error = portal.client().list().await.unwrap_err();
        tells_nothing(&error);
        let hint = error.hint.unwrap();
        assert!(!hint.contains("ebhook") && !hint.contains("WEBHOOK"), "{code}: {hint}");
        assert!(hint.contains("application") || hint.contains("BITRIX24_OAUTH_FILE"), "{code}: {hint}");
    }
}

#[test]
fn a_file_that_is_no_token_file_is_told_apart_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("oauth.json");
    let whole = json!({
        "domain": "acme.bitrix24.com", "access_token": "access-1", "refresh_token": "refresh-1",
        "client_id": "local.1", "client_secret": CLIENT_SECRET,
    });
    let open = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Application::open(Box::new(TokenFile::new(&file, "the file of BITRIX24_OAUTH_FILE")))
    };
    let with = |field: &str, value: Value| {
        let mut changed = whole.clone();
        changed[field] = value;
        changed.to_string()
    };
    assert_eq!(open(&format!("\u{feff}{whole}")).unwrap().host(), "acme.bitrix24.com");
    assert_eq!(
        open(&with("client_endpoint", json!("https://B24.example:8443/x/rest/"))).unwrap().host(),
        "b24.example:8443"
    );
    for (text, expected) in [
        (String::new(), "does not hold a JSON object"),
        ("access-1".to_owned(), "does not hold a JSON object"),
        ("[\"access-1\"]".to_owned(), "does not hold a JSON object"),
        (with("access_token", json!(null)), "has no text in its field `access_token`"),
        (with("refresh_token", json!(" ")), "has no text in its field `refresh_token`"),
        (with("client_id", json!(7)), "has no text in its field `client_id`"),
        (with("client_secret", json!({})), "has no text in its field `client_secret`"),
        (with("domain", json!("")), "has no text in its field `domain`"),
        (with("domain", json!("acme.example/access-1")), "address in its field `domain`"),
        (with("domain", json!("access-1@acme.example")), "address in its field `domain`"),
        (with("client_endpoint", json!("https://acme.example/rest/api/")), "REST 3.0"),
        (with("client_endpoint", json!("http://acme.example/rest/")), "address in its field `client_endpoint`"),
        (with("client_endpoint", json!("https://acme.example/rest/?auth=access-1")), "field `client_endpoint`"),
        (with("server_endpoint", json!("http://oauth.example/rest/")), "address in its field `server_endpoint`"),
    ] {
        let error = open(&text).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(told.contains("BITRIX24_OAUTH_FILE") && !told.contains("access-1"), "{told}");
    }
    let error = Application::open(Box::new(TokenFile::new(&folder.path().join("absent"), "test"))).unwrap_err();
    assert!(error.to_string().contains("absent) cannot be read: "), "{error}");
    let application = open(&whole.to_string()).unwrap();
    let told = format!("{application:?}");
    assert!(told.contains("acme.bitrix24.com") && !told.contains("access-1"), "{told}");
}
