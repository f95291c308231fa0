//! Answers as they come: the documented ones, and the forms that PHP gives them.

use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn error(status: u16, body: &str) -> RestErrorKind {
    single(status, body.as_bytes(), NOW).expect_err("an error answer")
}

#[test]
fn a_result_keeps_its_digits_and_tells_the_next_page() {
    let body = br#"{"result":{"sum":0.1000000000000000055511151231257827},"next":50,"total":73}"#;
    let reply = single(200, body, NOW).unwrap();
    assert_eq!(reply.result.get(), r#"{"sum":0.1000000000000000055511151231257827}"#);
    assert_eq!(reply.next, Some(50));
}

#[test]
fn an_error_code_is_a_number_or_a_text_or_empty() {
    assert_eq!(
        error(400, r#"{"error":200540400001,"error_description":"x"}"#),
        RestErrorKind::NoSuchOrder
    );
    assert_eq!(error(400, r#"{"error":"200540400001"}"#), RestErrorKind::NoSuchOrder);
    for code in ["0", "100", r#""""#] {
        let kind = error(400, &format!(r#"{{"error":{code},"error_description":"no"}}"#));
        let code = code.trim_matches('"').to_owned();
        assert_eq!(kind, RestErrorKind::Invalid { code, description: "no".into() });
    }
    let zero = error(200, r#"{"error":0,"error_description":"error"}"#);
    assert!(matches!(zero, RestErrorKind::Invalid { .. }), "an error under HTTP 200 is an error");
}

#[test]
fn the_code_decides_and_then_the_status() {
    let kind = |status, code: &str| error(status, &format!(r#"{{"error":"{code}"}}"#)).to_string();
    let table = [
        (503, "QUERY_LIMIT_EXCEEDED", "refuses further requests"),
        (429, "", "refuses further requests"),
        (503, "OVERLOAD_LIMIT", "REST is blocked"),
        (503, "SOMETHING", "failed (HTTP 503, SOMETHING)"),
        (400, "INTERNAL_SERVER_ERROR", "failed (HTTP 400"),
        (500, "ERROR_UNEXPECTED_ANSWER", "failed (HTTP 500"),
        (408, "", "failed (HTTP 408"),
        (401, "expired_token", "webhook is not known (expired_token)"),
        (401, "NEW_IN_2027", "webhook is not known (NEW_IN_2027)"),
        (403, "insufficient_scope", "no right to this"),
        (400, "200040300020", "no right to this"),
        (400, "200540400001", "no such order"),
        (400, "200640400001", "no such entity (200640400001)"),
        (400, "201140400001", "no such entity (201140400001)"),
        (400, "100", "refused (100)"),
    ];
    for (status, code, means) in table {
        assert!(kind(status, code).contains(means), "{status} {code}: {}", kind(status, code));
    }
}

#[test]
fn a_paused_method_tells_its_end_and_without_one_a_minute_is_kept() {
    let now = OffsetDateTime::from_unix_timestamp(1_760_000_000).unwrap();
    let kind = |tail: &str| {
        let body = format!(r#"{{"error":"OPERATION_TIME_LIMIT"{tail}}}"#);
        single(429, body.as_bytes(), now).expect_err("a pause")
    };
    let told = r#","time":{"operating":480.5,"operating_reset_at":1760000030}"#;
    let until =
        |seconds| RestErrorKind::OperationTimeLimit { until: now + Duration::seconds(seconds) };
    assert_eq!(kind(told), until(30));
    assert_eq!(kind(""), until(60));
    assert_eq!(
        kind(r#","time":{"operating_reset_at":1759990000}"#),
        until(60),
        "a past end is none"
    );
}

#[test]
fn what_is_not_bitrix_is_judged_by_its_status() {
    let html = b"<html>502</html>";
    assert!(matches!(single(502, html, NOW), Err(RestErrorKind::ServerError { status: 502, .. })));
    assert!(matches!(single(200, html, NOW), Err(RestErrorKind::Garbled { status: 200 })));
    assert!(matches!(single(200, b"{\"result\":", NOW), Err(RestErrorKind::Garbled { .. })));
    assert!(matches!(single(302, b"", NOW), Err(RestErrorKind::Invalid { .. })));
    assert!(matches!(single(500, b"{\"result\":1}", NOW), Err(RestErrorKind::ServerError { .. })));
}

#[test]
fn each_command_of_a_batch_gets_its_own() {
    let body = br#"{"result":{"result":{"c00":{"order":{"id":1}},"c03":[]},
        "result_error":{"c01":{"error":200540400001,"error_description":""},
            "c02":{"error":"OPERATION_TIME_LIMIT","error_description":""}},
        "result_total":[],"result_next":{"c03":50},
        "result_time":{"c02":{"operating_reset_at":40}}},"time":{"start":1.5}}"#;
    let mut replies = batch(200, body, 5, NOW).unwrap().into_iter();
    let mut next = || replies.next().expect("five answers");
    assert_eq!(next().unwrap().result.get(), r#"{"order":{"id":1}}"#);
    assert_eq!(next().unwrap_err(), RestErrorKind::NoSuchOrder);
    let until = NOW + Duration::seconds(40);
    assert_eq!(next().unwrap_err(), RestErrorKind::OperationTimeLimit { until });
    assert_eq!(next().unwrap().next, Some(50));
    assert!(matches!(next().unwrap_err(), RestErrorKind::Garbled { .. }), "a command left out");
}

#[test]
fn a_batch_that_failed_as_a_whole_fails_for_all() {
    let body = br#"{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}"#;
    assert_eq!(batch(503, body, 2, NOW).unwrap_err(), RestErrorKind::QueryLimit);
    let lists =
        br#"{"result":{"result":[],"result_error":{"c00":{"error":"insufficient_scope"}}}}"#;
    let one = batch(200, lists, 1, NOW).unwrap().remove(0);
    assert!(matches!(one, Err(RestErrorKind::Forbidden { .. })));
}

#[test]
fn ids_are_numbers_or_digits() {
    let ids: Vec<Id> = serde_json::from_str(r#"[236, "255"]"#).unwrap();
    assert_eq!(ids, [Id(236), Id(255)]);
    assert!(serde_json::from_str::<Id>(r#""x""#).is_err());
}
