//! What nobody should send, and what is answered: the files of
//! `tests/hostile`, replayed through the functions as the gateway calls them.
//!
//! After each the table is as it was, a good request is answered as before,
//! nothing of what was sent stands in the log, and the answer is short.

mod case;
mod piece;
mod replay;

use std::collections::{BTreeMap, BTreeSet};

use case::{cases, folders, parse};
use replay::{Town, judged_for_test};
use serde_json::json;

use crate::logs::Lines;

/// A test for each folder, so that they run side by side.
macro_rules! replayed {
    ($($folder:ident)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $folder() {
            replay(stringify!($folder)).await;
        })*

        #[test]
        fn every_folder_is_replayed() {
            let replayed = [$(stringify!($folder)),*].map(|folder| folder.replace('_', "-"));
            assert_eq!(BTreeSet::from(replayed), folders());
        }
    };
}

replayed!(auth bulk_rows envelope events filter groups headers json paging patch paths search users);

#[test]
fn names_and_requests_are_told_apart() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    for folder in folders() {
        for case in cases(&folder) {
            count += 1;
            let place = format!("{folder}/{}", case.name);
            let request = format!("{:?} {:?}", case.deployment, case.send);
            for key in [case.name, request] {
                if let Some(other) = seen.insert(key, place.clone()) {
                    panic!("{place} has the name or the request of {other}");
                }
            }
        }
    }
    assert!(count >= 300, "{count} files");
}

#[test]
fn a_file_that_checks_nothing_is_refused() {
    let file = |answer| {
        let send = json!({"method": "GET", "path": "/Users"});
        let why = "It is sent to see what the runner does.";
        json!({"why": why, "send": send, "answer": answer}).to_string()
    };
    let fault = |answer| parse(&file(answer)).map(|_| ()).unwrap_err();
    assert!(parse(&file(json!({"status": 400, "detail": "x"}))).is_ok());
    let faults = [
        json!({"status": 400}),
        json!({"status": 200}),
        json!({"status": 200, "rows": [{"status": 404}]}),
        json!({"status": 404, "detail": "x", "writes": true}),
        json!({"status": 404, "detial": "x"}),
    ];
    insta::assert_snapshot!(faults.map(fault).join("\n"), @"
    an error whose detail is not looked at
    a success that is not looked at
    a failed row whose detail is not looked at
    an error that writes or has rows
    unknown field `detial`, expected one of `status`, `scimType`, `detail`, `rows`, `body`, `writes` at line 1 column 120
    ");
}

#[test]
fn an_answer_that_differs_is_found() {
    let answer = json!({"status": 400, "scimType": "invalidValue", "detail": "userName"});
    let error = |scim_type: &str, detail: &str| {
        let schemas = [shared::scim::urn::ERROR];
        json!({"schemas": schemas, "status": "400", "scimType": scim_type, "detail": detail})
    };
    let judged = |status, body| judged_for_test(answer.clone(), status, body).len();
    assert_eq!(
        judged(400, error("invalidValue", "`userName` is missing")),
        0
    );
    assert_ne!(
        judged(200, error("invalidValue", "`userName` is missing")),
        0
    );
    assert_ne!(
        judged(400, error("invalidSyntax", "`userName` is missing")),
        0
    );
    assert_ne!(judged(400, error("invalidValue", "something")), 0);
    assert_ne!(judged(400, json!({})), 0);
    let long = error("invalidValue", &format!("userName{}", "x".repeat(10_000)));
    assert_ne!(judged(400, long), 0);
}

/// A case that writes has a town for itself.
async fn replay(test: &str) {
    let folder = test.replace('_', "-");
    let lines = Lines::default();
    let _logged = lines.listen();
    let mut towns: BTreeMap<(BTreeMap<String, String>, Option<String>), Town> = BTreeMap::new();
    let mut faults = Vec::new();
    for case in cases(&folder) {
        let own = case.answer.writes.then(|| case.name.clone());
        let key = (case.deployment.clone(), own);
        if !towns.contains_key(&key) {
            towns.insert(key.clone(), Town::found(&case, &lines).await);
        }
        for fault in towns[&key].replay(&case).await {
            faults.push(format!("{folder}/{}: {fault}", case.name));
        }
    }
    for town in towns.values() {
        town.audit().await;
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
