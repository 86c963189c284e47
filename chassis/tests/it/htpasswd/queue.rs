//! The queue for slow hashes.

use std::time::{Duration, Instant};

use futures_util::{FutureExt, future::join_all};

use super::{FAST, SLOW, bcrypt, htpasswd};
use crate::guarded::{Guarded, guard};

#[tokio::test]
async fn a_client_that_hangs_up_does_not_free_its_place_while_its_hash_is_computed() {
    const SLOWER: u32 = SLOW + 2;
    let (_file, access) = htpasswd(&format!("slow:{}\nfast:{}", bcrypt("slow", SLOWER), bcrypt("fast", FAST)));
    let guarded = guard(&access);
    let begin = Instant::now();
    assert_eq!(guarded.from("192.0.2.1", "slow:wrong").await.status(), 401);
    let hash = begin.elapsed();

    let begin = Instant::now();
    for guess in 0..3 {
        let credentials = format!("slow:wrong{guess}");
        let mut guessing = std::pin::pin!(guarded.from("192.0.2.1", &credentials));
        // One poll starts it. Then the client is gone.
        assert!(futures_util::poll!(&mut guessing).is_pending());
    }
    assert_eq!(guarded.from("192.0.2.2", "fast:fast").await.status(), 200);
    let waited = begin.elapsed();
    assert!(waited > hash / 4, "it waited for {waited:?}, and a hash takes {hash:?}");
}

/// Runs `then` while a slow hash is computed.
async fn while_a_hash_is_computed<F: Future>(guarded: &Guarded, then: F) -> F::Output {
    let mut guessing = std::pin::pin!(guarded.from("192.0.2.1", "slow:wrong"));
    assert!(futures_util::poll!(&mut guessing).is_pending());
    then.await
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_five_seconds_is_told_to_come_again() {
    let (_file, access) = htpasswd(&format!("slow:{}", bcrypt("slow", SLOW + 2)));
    let guarded = guard(&access);
    let refusal = while_a_hash_is_computed(&guarded, async {
        let mut waiting = std::pin::pin!(guarded.from("192.0.2.2", "slow:slow"));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        tokio::time::advance(Duration::from_secs(5)).await;
        waiting.now_or_never().expect("an answer")
    });
    let refusal = refusal.await;
    assert_eq!((refusal.status().as_u16(), refusal.headers()["retry-after"].as_bytes()), (503, "5".as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn beyond_256_waiting_logins_others_are_told_to_come_again() {
    let (_file, access) = htpasswd(&format!("slow:{}", bcrypt("slow", SLOW + 2)));
    let guarded = guard(&access);
    let refusal = while_a_hash_is_computed(&guarded, async {
        let mut waiting: Vec<_> = (0..256).map(|_| Box::pin(guarded.from("192.0.2.2", "slow:slow"))).collect();
        for login in &mut waiting {
            assert!(futures_util::poll!(login).is_pending());
        }
        guarded.from("192.0.2.3", "slow:slow").now_or_never().expect("an answer")
    });
    assert_eq!(refusal.await.status(), 503);
}

#[tokio::test]
async fn of_200_guesses_at_once_ten_cost_a_hash_and_the_user_behind_them_is_let_in() {
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt("one", FAST)));
    let guarded = guard(&access);
    let guesses: Vec<_> = (0..200).map(|guess| format!("one:{guess}")).collect();
    let guessing = join_all(guesses.iter().map(|guess| guarded.from("192.0.2.1", guess)));
    let (answered, admitted) = tokio::join!(guessing, guarded.from("192.0.2.2", "one:one"));
    assert_eq!(admitted.status(), 200);
    let answers = |status: u16| answered.iter().filter(|answer| answer.status() == status).count();
    assert_eq!((answers(401), answers(429)), (10, 190));
}

#[tokio::test]
async fn logins_of_one_user_at_once_are_all_let_in() {
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt("one", FAST)));
    let guarded = guard(&access);
    let admitted = join_all((0..50).map(|_| guarded.from("192.0.2.1", "one:one"))).await;
    assert!(admitted.iter().all(|answer| answer.status() == 200));
}
