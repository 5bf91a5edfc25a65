//! What the first-run page asks of who runs the server, over the wire: who may point at whose files.

use reqwest::{Client, Response};
use tunelocker::accounts::{MatchPolicy, SetUpState};

use crate::harness::TestApp;

/// What lies between two words of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("{from}: {page}")).1;
    rest.split_once(to).unwrap().0
}

/// Fills the form in as a browser does, with these fields besides the name and password.
async fn set_up(app: &TestApp, fields: &[(&str, &str)]) -> Response {
    let client = Client::builder().cookie_store(true).build().unwrap();
    let link = app.services.accounts.set_up_token().await.unwrap().unwrap();
    let form = client.get(app.url(&format!("/setup?token={link}"))).send().await.unwrap();
    assert_eq!(form.status(), 200);
    let page = form.text().await.unwrap();
    assert!(page.contains("name=\"match\" value=\"server\""), "it is offered: {page}");
    assert!(!page.contains("name=\"match\" value=\"server\" checked"), "and not chosen: {page}");
    let token = between(&page, "name=\"token\" value=\"", "\"");
    let mut all =
        vec![("token", token), ("link", &link), ("name", "root"), ("password", "a long one")];
    all.extend_from_slice(fields);
    client.post(app.url("/setup")).form(&all).send().await.unwrap()
}

#[tokio::test]
async fn whose_files_may_be_pointed_at_is_chosen_at_the_first_run() {
    for (mode, matching, policy) in [
        ("household", Some("server"), MatchPolicy::Server),
        ("household", None, MatchPolicy::Own),
        ("household", Some("own"), MatchPolicy::Own),
        // Strangers are not told what others have, whatever a form says.
        ("hosting", Some("server"), MatchPolicy::Own),
        ("hosting", None, MatchPolicy::Own),
    ] {
        let why = format!("{mode} {matching:?}");
        let app = TestApp::spawn().await;
        let mut fields = vec![("mode", mode)];
        fields.extend(matching.map(|policy| ("match", policy)));
        let answer = set_up(&app, &fields).await;
        assert_eq!(answer.status(), 200, "{why}: {}", answer.text().await.unwrap());
        let accounts = &app.services.accounts;
        assert!(matches!(accounts.set_up_state().await.unwrap(), SetUpState::Done(_)), "{why}");
        assert_eq!(accounts.match_policy().await.unwrap(), policy, "{why}");
    }
}

#[tokio::test]
async fn what_is_no_policy_sets_nothing_up() {
    let app = TestApp::spawn().await;
    let answer = set_up(&app, &[("mode", "household"), ("match", "everybody")]).await;
    assert_eq!(answer.status(), 400);
    let accounts = &app.services.accounts;
    assert_eq!(accounts.set_up_state().await.unwrap(), SetUpState::Needed);
    assert_eq!(accounts.match_policy().await.unwrap(), MatchPolicy::Own);
}
