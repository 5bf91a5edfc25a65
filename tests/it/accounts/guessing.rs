//! Guessing is limited at the verifier, whatever the door; the family gets in all the same.

use std::{collections::BTreeSet, time::Duration};

use tunelocker::{accounts::Credentials, error::AuthFailure};

use super::{ANN_PASSWORD, Household, failure, from, password};

#[tokio::test(flavor = "multi_thread")]
async fn of_200_parallel_guesses_few_are_looked_at() {
    let house = Household::new().await;
    let guesses = (0..200).map(|number| {
        let accounts = house.accounts.clone();
        tokio::spawn(async move {
            let here = from("192.0.2.1");
            match failure(
                accounts.authenticate(password("ann", &format!("guess {number}")), &here).await,
            ) {
                AuthFailure::Wrong => true,
                AuthFailure::Limited(wait) => {
                    assert!(Duration::from_secs(1) <= wait && wait <= Duration::from_mins(15));
                    false
                }
                other => panic!("{other:?}"),
            }
        })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        looked_at += usize::from(guess.await.unwrap());
    }
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn a_limited_place_still_takes_random_secrets_and_sessions() {
    let house = Household::new().await;
    let (accounts, here) = (&house.accounts, from("192.0.2.1"));
    let new = accounts.create_app_password(&house.ann, "phone").await.unwrap();
    let (cookie, _) = accounts.sign_in("ann", ANN_PASSWORD, &here).await.unwrap();
    // A fresh process knows no verified login.
    accounts.set_password(&house.admin, "ann", "a new one for ann").await.unwrap();
    let (cookie_after, _) =
        accounts.sign_in("ann", "a new one for ann", &from("198.51.100.7")).await.unwrap();
    assert_eq!(
        failure(accounts.authenticate(Credentials::Session(cookie.value), &here).await),
        AuthFailure::Missing
    );
    let mut answers = BTreeSet::new();
    for number in 0..20 {
        let guess = password("ann", &format!("guess {number}"));
        answers.insert(failure(accounts.authenticate(guess, &here).await).to_string());
    }
    assert!(
        answers.iter().any(|answer| answer.starts_with("Too many wrong passwords")),
        "{answers:?}"
    );
    accounts.authenticate(password("ann", &new.secret), &here).await.unwrap();
    accounts.authenticate(Credentials::ApiKey(new.secret.clone()), &here).await.unwrap();
    accounts.authenticate(super::token("ann", &new.secret, "salt"), &here).await.unwrap();
    accounts.authenticate(Credentials::Session(cookie_after.value), &here).await.unwrap();
    accounts.sign_in("ann", "a new one for ann", &from("203.0.113.9")).await.unwrap();
    accounts.sign_in("root", super::ADMIN_PASSWORD, &here).await.unwrap();
}

#[tokio::test]
async fn unknown_names_are_limited_like_known_ones() {
    let house = Household::new().await;
    let mut answers = Vec::new();
    for name in ["ann", "nobody"] {
        let mut of = Vec::new();
        for _ in 0..8 {
            let answer =
                house.accounts.authenticate(password(name, "a guess"), &from("192.0.2.1")).await;
            of.push(std::mem::discriminant(&failure(answer)));
        }
        answers.push(of);
    }
    assert_eq!(answers[0], answers[1]);
}
