//! One sign-in for all replicas: made once, renewed by one of them, and its refresh token lost to nobody.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use runtime::{
    Withheld,
    session::{Grant, Session, Terms},
    testing::Tables,
};
use tokio::sync::Notify;
use uuid::{Uuid, uuid};

const ACCOUNT: Uuid = uuid!("5f9b1c1e-3b0f-4a7e-9a52-1f6d0f5f0c11");
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A register that rotates: each sign-in gives the next token and the next refresh token.
#[derive(Default)]
struct Register {
    /// The refresh tokens it was asked with.
    asked: Mutex<Vec<Option<String>>>,
    refuses: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Withheld(#[from] Withheld),
    #[error("refused")]
    Refused,
}

impl Register {
    async fn sign_in(&self, refresh: Option<String>) -> Result<Grant, Failed> {
        // Others get the time to come in between.
        tokio::task::yield_now().await;
        let mut asked = self.asked.lock().unwrap();
        asked.push(refresh);
        if self.refuses.load(Ordering::Relaxed) {
            return Err(Failed::Refused);
        }
        let n = asked.len();
        let (token, refresh) = (format!("token {n}"), Some(format!("refresh {n}")));
        Ok(Grant { token, refresh, holds: DAY })
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }

    /// The token that this replica works with.
    async fn token_of(&self, session: &Session) -> Result<String, Failed> {
        Ok(session.token(|last| self.sign_in(last)).await?.value().to_owned())
    }
}

async fn tables() -> Tables {
    Tables::make("session", [], 10).await
}

fn replica(tables: &Tables) -> Session {
    let terms = Terms { margin: Duration::from_secs(300), lease: Duration::from_secs(60) };
    Session::new(tables.pool(), ACCOUNT, terms)
}

async fn run(tables: &Tables, sql: &'static str) {
    sqlx::query(sql).execute(tables.pool()).await.unwrap();
}

const DUE: &str = "UPDATE shared_sessions SET renew_at = 'epoch'";
const ENDED: &str =
    "UPDATE shared_sessions SET renew_at = 'epoch', expires_at = 'epoch', held_until = 'epoch'";
const LEASE_OVER: &str = "UPDATE shared_sessions SET held_until = 'epoch'";
const HELD_BY_ANOTHER: &str =
    "UPDATE shared_sessions SET holder = gen_random_uuid(), held_until = now() + interval '1 hour'";

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_begin_together_sign_in_once() {
    let (tables, register) = (tables().await, Register::default());
    let replicas: Vec<_> = (0..8).map(|_| replica(&tables)).collect();
    let tokens = join_all(replicas.iter().map(|replica| register.token_of(replica))).await;
    assert_eq!(tokens, vec![Ok("token 1".to_owned()); 8]);
    assert_eq!(register.asked(), [None]);
}

#[tokio::test]
async fn each_refresh_token_is_used_until_another_comes() {
    let (tables, register) = (tables().await, Register::default());
    register.token_of(&replica(&tables)).await.unwrap();
    run(&tables, ENDED).await;
    let without = replica(&tables);
    let token = without.token(async |last| {
        let given = register.sign_in(last).await?;
        Ok::<_, Failed>(Grant { refresh: None, ..given })
    });
    assert_eq!(token.await.unwrap().value(), "token 2");
    run(&tables, ENDED).await;
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 3");
    run(&tables, ENDED).await;
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 4");
    let asked = [None, Some("refresh 1"), Some("refresh 1"), Some("refresh 3")];
    assert_eq!(register.asked(), asked.map(|last| last.map(str::to_owned)));
}

#[tokio::test]
async fn only_the_token_that_was_refused_is_forgotten() {
    let (tables, register) = (tables().await, Register::default());
    let (one, other) = (replica(&tables), replica(&tables));
    let first = one.token(|last| register.sign_in(last)).await.unwrap();
    let same = other.token(|last| register.sign_in(last)).await.unwrap();
    one.forget(&first).await.unwrap();
    assert_eq!(register.token_of(&one).await.unwrap(), "token 2");
    // Who comes late with the first one takes nothing from the second.
    other.forget(&same).await.unwrap();
    assert_eq!(register.token_of(&other).await.unwrap(), "token 2");
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 2");
}

#[tokio::test]
async fn an_old_token_is_used_while_it_holds_and_nobody_can_sign_in() {
    let (tables, register) = (tables().await, Register::default());
    register.token_of(&replica(&tables)).await.unwrap();
    register.refuses.store(true, Ordering::Relaxed);
    run(&tables, DUE).await;
    let one = replica(&tables);
    assert_eq!(register.token_of(&one).await.unwrap(), "token 1");
    assert_eq!(register.asked().len(), 2);
    let pauses =
        "SELECT count(*) FROM shared_sessions WHERE holder IS NULL AND held_until > 'epoch'";
    assert_eq!(tables.number(pauses).await, 1, "nobody tries again at once");

    run(&tables, LEASE_OVER).await;
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 1");
    run(&tables, ENDED).await;
    assert_eq!(register.token_of(&one).await, Err(Failed::Refused));

    register.refuses.store(false, Ordering::Relaxed);
    run(&tables, LEASE_OVER).await;
    assert_eq!(register.token_of(&one).await.unwrap(), "token 5");
    assert!(register.asked().split_off(1).iter().all(|last| last.as_deref() == Some("refresh 1")));
}

#[tokio::test]
async fn while_another_signs_in_the_old_token_is_used_and_without_one_the_caller_comes_back() {
    let (tables, register) = (tables().await, Register::default());
    register.token_of(&replica(&tables)).await.unwrap();
    run(&tables, DUE).await;
    run(&tables, HELD_BY_ANOTHER).await;
    let one = replica(&tables);
    assert_eq!(register.token_of(&one).await.unwrap(), "token 1");

    run(&tables, ENDED).await;
    run(&tables, HELD_BY_ANOTHER).await;
    let busy = Withheld::Busy { after: Duration::from_secs(2) };
    assert_eq!(register.token_of(&one).await, Err(Failed::Withheld(busy)));
    assert_eq!(register.asked().len(), 1);
}

#[tokio::test]
async fn a_sign_in_that_hangs_keeps_nobody_of_its_own_process_waiting_while_the_old_token_holds() {
    let (tables, register) = (tables().await, Register::default());
    let (one, began) = (replica(&tables), Notify::new());
    register.token_of(&one).await.unwrap();
    run(&tables, DUE).await;
    let one = replica(&tables);
    let hangs = one.token(async |_| {
        began.notify_one();
        std::future::pending::<Result<Grant, Failed>>().await
    });
    tokio::select! {
        _ = hangs => panic!("it never ends"),
        token = async {
            began.notified().await;
            register.token_of(&one).await
        } => assert_eq!(token.unwrap(), "token 1"),
    }
}

#[tokio::test]
async fn a_sign_in_that_was_broken_off_keeps_nobody_waiting() {
    let (tables, register) = (tables().await, Register::default());
    let (one, other, began) = (replica(&tables), replica(&tables), Notify::new());
    let broken = one.token(async |_| {
        began.notify_one();
        std::future::pending::<Result<Grant, Failed>>().await
    });
    tokio::select! {
        _ = broken => panic!("it never ends"),
        () = began.notified() => {}
    }
    // The lease is the replica's own still; another takes it when it is over.
    assert_eq!(register.token_of(&one).await.unwrap(), "token 1");
    run(&tables, ENDED).await;
    run(&tables, HELD_BY_ANOTHER).await;
    run(&tables, LEASE_OVER).await;
    assert_eq!(register.token_of(&other).await.unwrap(), "token 2");
}

#[tokio::test]
async fn a_refresh_token_that_comes_after_the_lease_is_kept() {
    let (tables, register) = (tables().await, Register::default());
    let (one, other) = (replica(&tables), replica(&tables));
    let late = one.token(async |last| {
        let given = register.sign_in(last).await;
        run(&tables, LEASE_OVER).await;
        // The old refresh token is worth nothing any more.
        let refused = other.token(async |_| Err(Failed::Refused)).await;
        assert!(refused.is_err_and(|error| error == Failed::Refused));
        given
    });
    assert_eq!(late.await.unwrap().value(), "token 1");
    assert_eq!(register.token_of(&other).await.unwrap(), "token 1");
    run(&tables, ENDED).await;
    register.token_of(&replica(&tables)).await.unwrap();
    assert_eq!(register.asked(), [None, Some("refresh 1".to_owned())]);
}

#[tokio::test]
async fn a_token_that_comes_after_the_lease_replaces_no_newer_one() {
    let (tables, register) = (tables().await, Register::default());
    let (one, other) = (replica(&tables), replica(&tables));
    let late = one.token(async |last| {
        let given = register.sign_in(last).await;
        run(&tables, LEASE_OVER).await;
        assert_eq!(register.token_of(&other).await.unwrap(), "token 2");
        given
    });
    // It is good all the same, for the replica that has it.
    let late = late.await.unwrap();
    assert_eq!(
        (late.value(), register.token_of(&one).await.unwrap().as_str()),
        ("token 1", "token 1")
    );
    one.forget(&late).await.unwrap();
    assert_eq!(register.token_of(&one).await.unwrap(), "token 2");
    assert_eq!(register.asked().len(), 2);
}

#[tokio::test]
async fn what_postgresql_did_not_take_is_kept_until_it_does() {
    let (tables, register) = (tables().await, Register::default());
    let one = replica(&tables);
    let cut = one.token(async |last| {
        run(&tables, "ALTER TABLE shared_sessions RENAME TO away").await;
        register.sign_in(last).await
    });
    // What was wrong, and no word of a row.
    let away = Withheld::Away("SQLSTATE 42P01".to_owned());
    assert!(cut.await.is_err_and(|error| error == Failed::Withheld(away.clone())));
    assert_eq!(register.token_of(&one).await, Err(Failed::Withheld(away)));
    run(&tables, "ALTER TABLE away RENAME TO shared_sessions").await;
    assert_eq!(register.token_of(&one).await.unwrap(), "token 1");
    run(&tables, ENDED).await;
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 2");
    assert_eq!(register.asked(), [None, Some("refresh 1".to_owned())]);
}

#[tokio::test]
async fn a_token_shorter_than_the_margin_is_not_renewed_for_every_call() {
    let (tables, register) = (tables().await, Register::default());
    let short = replica(&tables)
        .token(async |last| {
            let given = register.sign_in(last).await?;
            Ok::<_, Failed>(Grant { holds: Duration::from_secs(200), ..given })
        })
        .await;
    assert_eq!(short.unwrap().value(), "token 1");
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 1");
    // One that holds for ever is no harm either.
    run(&tables, ENDED).await;
    let long = replica(&tables)
        .token(async |last| {
            let given = register.sign_in(last).await?;
            Ok::<_, Failed>(Grant { holds: Duration::MAX, ..given })
        })
        .await;
    assert_eq!(long.unwrap().value(), "token 2");
    assert_eq!(register.token_of(&replica(&tables)).await.unwrap(), "token 2");
}

#[tokio::test]
async fn without_postgresql_nobody_signs_in() {
    let (tables, register) = (tables().await, Register::default());
    let one = replica(&tables);
    tables.pool().close().await;
    let failed = register.token_of(&one).await;
    assert!(matches!(failed, Err(Failed::Withheld(Withheld::Away(_)))), "{failed:?}");
    assert!(register.asked().is_empty());
}
