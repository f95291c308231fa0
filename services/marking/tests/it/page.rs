//! The interface for programs and the storekeeper's page, over HTTP.

use std::sync::Arc;

use reqwest::{Client, Response, StatusCode, redirect::Policy};
use runtime::Worker as _;
use serde_json::{Value, json};

use crate::{
    files::{GTIN, OTHER_GTIN, code},
    order::{created, order},
    world::World,
};

const ANNA: &str = "anna-key-0123456789";
const SITE: &str = "site-key-0123456789";

struct House {
    world: World,
    http: Client,
    base: String,
}

impl House {
    async fn open() -> Self {
        let world = World::new().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Arc::clone(&world.marking).routes();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { world, http, base }
    }

    async fn call(&self, key: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.base);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let answer = request.header("x-api-key", key).send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap())
    }

    /// Signs in; answers the cookie and the token of the forms.
    async fn sign_in(&self) -> (String, String) {
        let answer = self.form("/login", "", "key=anna-key-0123456789").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = self.page("/", &cookie).await;
        let (_, after) = page.split_once("name=\"csrf\" value=\"").unwrap();
        (cookie, after.split('"').next().unwrap().to_owned())
    }

    async fn form(&self, path: &str, cookie: &str, body: &str) -> Response {
        let request = self.http.post(format!("{}{path}", self.base)).header("cookie", cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body.to_owned()).send().await.unwrap()
    }

    async fn page(&self, path: &str, cookie: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.base)).header("cookie", cookie);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn programs_scan_import_and_fetch_full_codes_with_their_keys() {
    let house = House::open().await;
    let text: String = (1..4).map(|number| code(GTIN, number) + "\n").collect();
    let import = house.http.post(format!("{}/imports?name=a.csv", house.base)).body(text);
    let done: Value = import.header("x-api-key", ANNA).send().await.unwrap().json().await.unwrap();
    assert_eq!((&done["added"], &done["again"]), (&json!(3), &json!(false)));
    let order = order(1, house.world.now(), &[(7, GTIN, 2, 59_050)]);
    house.world.tell(created(&order)).await;
    let scan = |code: String| Some(json!({"shop": "acme", "code": code}));
    let (status, said) = house.call(ANNA, "/orders/1/scans", scan(code(GTIN, 3))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(said, json!({"product": "Футболка 7", "scanned": 1, "count": 2}));
    for (id, text, status, word) in [
        (1, code(GTIN, 3), 409, "scanned_already"),
        (1, code(OTHER_GTIN, 1), 409, "wrong_product"),
        (1, "1.04654E+45".to_owned(), 409, "no_ai_01"),
        (2, code(GTIN, 1), 404, "order_unknown"),
    ] {
        let (said, body) = house.call(ANNA, &format!("/orders/{id}/scans"), scan(text)).await;
        assert_eq!((said.as_u16(), body["error"].as_str().unwrap()), (status, word));
        assert!(body["message"]["ru"].as_str().unwrap().ends_with('.'));
    }
    let (_, view) = house.call(ANNA, "/orders/1?shop=acme", None).await;
    assert_eq!(view["lines"][0]["scanned"], 1);
    let (status, _) = house.call(ANNA, "/orders/1/codes?shop=acme", None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "tails are not for everybody");
    let (status, codes) = house.call(SITE, "/orders/1/codes?shop=acme", None).await;
    assert_eq!((status, codes.as_array().unwrap().len()), (StatusCode::OK, 1));
    let (_, counts) = house.call(ANNA, "/counts", None).await;
    assert_eq!(counts["codes"]["in_order"], 2);
    assert_eq!(counts["documents"], json!({"waiting": 0, "refused": 0, "unknown": 0}));
    let (status, rows) = house.call(ANNA, &format!("/imports/{}/rows", done["id"]), None).await;
    assert_eq!((status, rows), (StatusCode::OK, json!([])));
    let (status, _) = house.call("nobody", "/counts", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_guesses_keys_is_told_to_stop() {
    let house = House::open().await;
    let mut last = StatusCode::OK;
    for number in 0..60 {
        last = house.call(&format!("wrong-{number}"), "/counts", None).await.0;
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_storekeeper_signs_in_scans_and_imports() {
    let house = House::open().await;
    house.world.stock(GTIN, 1..4).await;
    let order = order(1, house.world.now(), &[(7, GTIN, 2, 59_050)]);
    house.world.tell(created(&order)).await;
    let away = house.http.get(format!("{}/", house.base)).send().await.unwrap();
    assert_eq!(away.headers()["location"], "/login");
    let wrong = house.form("/login", "", "key=somebody").await;
    assert_eq!(wrong.headers()["location"], "/login?wrong=key");
    let (cookie, csrf) = house.sign_in().await;
    let page = house.page("/scan?shop=acme&number=A-1", &cookie).await;
    assert!(page.contains("Футболка 7") && page.contains("Код с товара"), "{page}");
    // A browser has dropped the separators that the scanner typed.
    let typed = encoded(&code(GTIN, 2).replace('\u{1d}', ""));
    let body = format!("csrf={csrf}&shop=acme&number=A-1&code={typed}");
    let page = house.form("/scan", &cookie, &body).await.text().await.unwrap();
    assert!(page.contains("Футболка 7: привязан, 1 / 2."), "{page}");
    let page = house.form("/scan", &cookie, &body).await.text().await.unwrap();
    assert!(page.contains("Этот код уже отсканирован."), "{page}");
    assert!(!page.contains(&crate::files::crypto(2)), "a page shows no tail");
    let english = format!("{cookie}; marking_language=en");
    let page = house.form("/scan", &english, &body).await.text().await.unwrap();
    assert!(page.contains("This code is scanned already."), "{page}");
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--x\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"new.csv\"\r\n\r\n{}\n{}\r\n--x--\r\n",
        code(GTIN, 50),
        "мусор"
    );
    let import = |form: String| {
        let request = house.http.post(format!("{}/import", house.base)).header("cookie", &cookie);
        request.header("content-type", "multipart/form-data; boundary=x").body(form).send()
    };
    let done = import(form.clone()).await.unwrap();
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let report = house.page(done.headers()["location"].to_str().unwrap(), &cookie).await;
    assert!(report.contains("new.csv") && report.contains("отклонён"), "{report}");
    assert_eq!(house.world.statuses(GTIN, 50..51).await, ["in_stock"]);
    let forged = import(form.replace(&csrf, "guess")).await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    house.form("/logout", &cookie, &format!("csrf={csrf}")).await;
    let page =
        house.http.get(format!("{}/", house.base)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.headers()["location"], "/login");
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let house = House::open().await;
    house.world.stock(GTIN, 1..4).await;
    let order = order(1, house.world.now(), &[(7, GTIN, 2, 59_050)]);
    house.world.tell(created(&order)).await;
    let (cookie, csrf) = house.sign_in().await;
    let code = encoded(&code(GTIN, 3));
    for (token, site) in
        [("guess", None), (csrf.as_str(), Some("cross-site")), (&csrf, Some("same-site"))]
    {
        let body = format!("csrf={token}&shop=acme&number=A-1&code={code}");
        let mut request = house.http.post(format!("{}/scan", house.base)).header("cookie", &cookie);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{token} {site:?}");
        assert!(
            answer.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("default-src 'none'")
        );
    }
    assert_eq!(house.world.statuses(GTIN, 3..4).await, ["in_stock"]);
}

#[tokio::test]
async fn nobody_fills_the_memory_with_a_form() {
    let house = House::open().await;
    let large = format!("key={}", "a".repeat(3 * 1024 * 1024));
    let answer = house.form("/login", "", &large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    // A file is larger, and has a bound of its own.
    let text: String = (0..60_000).map(|number| code(GTIN, number) + "\n").collect();
    assert!(text.len() > 3 * 1024 * 1024);
    let import = house.http.post(format!("{}/imports?name=a.csv", house.base)).body(text);
    let done: Value = import.header("x-api-key", ANNA).send().await.unwrap().json().await.unwrap();
    assert_eq!(done["added"], json!(60_000));
}

#[tokio::test]
async fn who_guesses_keys_elsewhere_does_not_shut_out_who_has_the_right_one() {
    let house = House::open().await;
    let call = async |from: &str, key: &str| {
        let request = house.http.get(format!("{}/counts", house.base)).header("x-api-key", key);
        let request = request.header("x-forwarded-for", format!("10.0.0.1, {from}"));
        request.send().await.unwrap().status().as_u16()
    };
    let mut last = 0;
    for number in 0..40 {
        last = call("192.0.2.7", &format!("guess-{number}")).await;
    }
    assert_eq!(last, 429, "guesses are bounded");
    assert_eq!(call("192.0.2.7", ANNA).await, 429, "also a right one among them");
    assert_eq!(call("192.0.2.8", ANNA).await, 200);
    assert_eq!(call("2001:db8::1", ANNA).await, 200);
    // A household has as many addresses as it likes, and one bound.
    for number in 0..40 {
        last = call(&format!("2001:db8:1:1::{number:x}"), "guess").await;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_session_ends_with_its_persons_key() {
    let mut house = House::open().await;
    let (cookie, _) = house.sign_in().await;
    house.page("/", &cookie).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    house.base = format!("http://{}", listener.local_addr().unwrap());
    let routes = house.world.with_key("anna", "another-key-0123456789").routes();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let request = house.http.get(&house.base).header("cookie", &cookie);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/login");
}

#[tokio::test]
async fn a_wrong_scan_is_taken_back_by_programs_and_at_the_page() {
    let house = House::open().await;
    house.world.stock(GTIN, 1..4).await;
    let order = order(1, house.world.now(), &[(7, GTIN, 2, 59_050)]);
    house.world.tell(created(&order)).await;
    let ask = |undo: bool| Some(json!({"shop": "acme", "code": code(GTIN, 3), "undo": undo}));
    assert_eq!(house.call(ANNA, "/orders/1/scans", ask(false)).await.1["scanned"], 1);
    assert_eq!(house.call(ANNA, "/orders/1/scans", ask(true)).await.1["scanned"], 0);
    let (status, said) = house.call(ANNA, "/orders/1/scans", ask(true)).await;
    assert_eq!((status.as_u16(), &said["error"]), (409, &json!("not_scanned")));
    let (cookie, csrf) = house.sign_in().await;
    let form = format!("csrf={csrf}&shop=acme&number=A-1&code={}", encoded(&code(GTIN, 3)));
    let page = house.form("/scan", &cookie, &form).await.text().await.unwrap();
    assert!(page.contains("привязан, 1 / 2.") && page.contains("Отвязать"), "{page}");
    let page = house.form("/unbind", &cookie, &form).await.text().await.unwrap();
    assert!(page.contains("отвязан, 0 / 2."), "{page}");
    assert_eq!(house.world.statuses(GTIN, 3..4).await, ["in_stock"]);
}

#[tokio::test]
async fn a_file_that_is_refused_is_refused_on_the_page_in_words() {
    let house = House::open().await;
    let (cookie, csrf) = house.sign_in().await;
    let form = format!(
        "--x\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n\
         --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nnothing\nhere\n\r\n--x--\r\n"
    );
    let request = house.http.post(format!("{}/import", house.base)).header("cookie", cookie);
    let request = request.header("content-type", "multipart/form-data; boundary=x");
    let answer = request.body(form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text().await.unwrap();
    assert!(page.contains("нет столбца с кодами маркировки") && page.contains("<main>"), "{page}");
}

#[tokio::test]
async fn quarantine_is_left_with_a_reason_and_the_registers_word_alone() {
    let house = House::open().await;
    house.world.stock(GTIN, 1..3).await;
    sqlx::query("UPDATE codes SET status = 'quarantined'")
        .execute(house.world.tables.pool())
        .await
        .unwrap();
    house
        .world
        .running
        .emulator
        .gismt
        .books()
        .receipt(&[crate::files::ki(GTIN, 2)], false, 0)
        .unwrap();
    let (_, kept) = house.call(ANNA, "/quarantine", None).await;
    assert_eq!(kept.as_array().unwrap().len(), 2);
    for (number, reason, status, word) in [
        (1, " ", 400, "reason_missing"),
        (2, "стоит на полке", 409, "not_sellable"),
        (1, "стоит на полке", 200, "in_stock"),
        (1, "стоит на полке", 409, "not_quarantined"),
    ] {
        let ask = Some(json!({"code": code(GTIN, number), "reason": reason}));
        let (said, body) = house.call(ANNA, "/quarantine/release", ask).await;
        let told = body["error"].as_str().or(body["status"].as_str()).unwrap();
        assert_eq!((said.as_u16(), told), (status, word));
    }
    let (cookie, csrf) = house.sign_in().await;
    let page = house.page("/kept", &cookie).await;
    assert!(page.contains("На остаток"), "{page}");
    house
        .world
        .running
        .emulator
        .gismt
        .books()
        .receipt(&[crate::files::ki(GTIN, 2)], true, 0)
        .unwrap();
    let code = encoded(&code(GTIN, 2));
    let form = format!("csrf={csrf}&code={code}&reason={}", encoded("вернулся по чеку"));
    let page = house.form("/kept", &cookie, &form).await.text().await.unwrap();
    assert!(page.contains("Карантин пуст"), "{page}");
}

#[tokio::test]
async fn an_order_of_which_nothing_is_known_is_not_called_complete() {
    let house = House::open().await;
    let order = order(1, house.world.now(), &[(7, GTIN, 1, 59_050)]);
    house.world.marking.store().receipted(&order.key, "123", house.world.now()).await.unwrap();
    let (cookie, _) = house.sign_in().await;
    let page = house.page("/scan?shop=acme&number=A-1", &cookie).await;
    assert!(page.contains("Паром не знает") && !page.contains("Всё отсканировано"), "{page}");
}

#[tokio::test]
async fn what_the_register_has_against_a_code_is_told_in_the_persons_language() {
    let house = House::open().await;
    house.world.stock(GTIN, 1..2).await;
    let order = order(1, house.world.now(), &[(7, GTIN, 1, 59_050)]);
    house.world.pack(&order, [1]).await;
    let mut foreign = emulator::gismt::Code::new(&crate::files::ki(GTIN, 1), "lp");
    foreign.owner_inn = "7707083893".to_owned();
    house.world.running.emulator.gismt.books().put(foreign, "7707083893");
    assert_eq!(house.world.tell(crate::order::shipped(&order)).await, "dead codes_refused");
    let (cookie, _) = house.sign_in().await;
    let page = house.page("/kept", &cookie).await;
    assert!(page.contains("он принадлежит другому участнику"), "{page}");
    let page = house.page("/kept", &format!("{cookie}; marking_language=en")).await;
    assert!(page.contains("it belongs to somebody else"), "{page}");
}
