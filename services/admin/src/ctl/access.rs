//! Users and tokens, straight in the database: before the first admin nobody could sign in.

use std::io::Read;

use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::{Failed, Token, User, table::print};
use crate::{
    people::{self, Fresh, Role},
    store::{Changed, Store},
};

/// Who changes users from a shell.
const WHO: &str = "paromctl";

async fn store() -> Result<Store, Failed> {
    let url = match std::env::var("DATABASE_URL_FILE") {
        Ok(file) => std::fs::read_to_string(file).map(|text| text.trim().to_owned()).ok(),
        Err(_) => std::env::var("DATABASE_URL").ok(),
    };
    let url = url.ok_or_else(|| Failed::new("DATABASE_URL is not set"))?;
    let options: PgConnectOptions =
        url.parse().map_err(|_| Failed::new("DATABASE_URL is no postgres:// address"))?;
    let options = options.options([("search_path", "admin")]);
    let pool: Result<PgPool, _> =
        PgPoolOptions::new().max_connections(1).connect_with(options).await;
    Ok(Store::new(&pool.map_err(Failed::new)?))
}

/// The password on standard input, without its line end.
fn password() -> Result<String, Failed> {
    let mut text = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut text).map_err(Failed::new)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

pub(super) async fn user(command: User, json: bool) -> Result<(), Failed> {
    let store = store().await?;
    match command {
        User::Put { login, role } => put(&store, &login, role).await,
        User::First { login } => {
            if store.users().await.map_err(Failed::new)?.is_empty() {
                return put(&store, &login, Role::Admin).await;
            }
            Ok(())
        }
        User::Disable { login } => {
            if !store.disable_user(WHO, &login).await.map_err(Failed::new)? {
                return Err(Failed(format!("there is no user {login} who may sign in")));
            }
            Ok(())
        }
        User::Enable { login } => changed(
            store.unblock_user(WHO, &login).await,
            &login,
            "there is no such user who is locked out",
        ),
        User::Role { login, role } => {
            let done = store.change_role(WHO, &login, role.name(), &role.above()).await;
            changed(done, &login, "there is no such user who may sign in")
        }
        User::Password { login } => {
            let hash = people::hash(&password()?).map_err(Failed::new)?;
            let done = store.reset_password(WHO, &login, &hash).await;
            changed(done, &login, "there is no such user who signs in with a password")
        }
        User::List => {
            let users = json!(store.users().await.map_err(Failed::new)?);
            print(json, &users, None, &["login", "role", "issuer", "created_at", "disabled_at"]);
            Ok(())
        }
    }
}

fn changed(done: sqlx::Result<Changed>, login: &str, nobody: &str) -> Result<(), Failed> {
    match done.map_err(Failed::new)? {
        Changed::Done => Ok(()),
        Changed::Nobody => Err(Failed(format!("{login}: {nobody}"))),
        Changed::LastAdmin => Err(Failed(format!(
            "{login} is the last admin: nobody could let anybody in afterwards; make another first"
        ))),
    }
}

async fn put(store: &Store, login: &str, role: Role) -> Result<(), Failed> {
    let login = people::login(login).ok_or_else(|| Failed::new(people::LOGIN))?;
    let hash = people::hash(&password()?).map_err(Failed::new)?;
    store.put_user(WHO, &login, role.name(), &hash, &role.above()).await.map_err(Failed::new)
}

#[expect(clippy::print_stdout, reason = "the token is what the caller asked for")]
pub(super) async fn token(command: Token, json: bool) -> Result<(), Failed> {
    let store = store().await?;
    match command {
        Token::Make { name, role } => {
            let fresh = Fresh::new("parom_");
            let made = store.make_token(&fresh.hash, &name, role.name(), WHO).await;
            let id = made.map_err(Failed::new)?;
            match json {
                true => println!("{}", json!({ "id": id, "token": fresh.text })),
                false => println!("{}", fresh.text),
            }
            Ok(())
        }
        Token::Revoke { id } => {
            if !store.revoke_token(WHO, id).await.map_err(Failed::new)? {
                return Err(Failed(format!("there is no token {id}")));
            }
            Ok(())
        }
        Token::List => {
            let tokens = json!(store.tokens().await.map_err(Failed::new)?);
            print(json, &tokens, None, &["id", "name", "role", "made_by", "used_at", "revoked_at"]);
            Ok(())
        }
    }
}
