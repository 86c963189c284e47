//! Tokens with a single defect each: all are refused at every entrance, while the same token without it passes.

use ring::hmac;
use serde_json::{Value, json};
use testkit::Socket;

use super::{
    Api,
    issuer::{AUDIENCE, Issuer},
    serve,
    signer::{Signer, encode, signed_part},
};

/// The issuer's keys, and one that is not the issuer's.
struct Keys {
    rsa: Signer,
    ec: Signer,
    foreign: Signer,
}

/// A right token.
fn right(issuer: &Issuer, keys: &Keys) -> String {
    keys.rsa.sign(&header(), &issuer.claims())
}

fn header() -> Value {
    json!({ "alg": "RS256", "kid": "rsa", "typ": "at+jwt" })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().expect("an object").remove(name);
    object
}

/// Signed by a secret that everybody knows: the public key.
fn signed_with_the_public_key(issuer: &Issuer, keys: &Keys) -> String {
    let signed = signed_part(&json!({ "alg": "HS256", "kid": "rsa" }), &issuer.claims());
    let secret = hmac::Key::new(hmac::HMAC_SHA256, keys.rsa.jwk("rsa").to_string().as_bytes());
    format!("{signed}.{}", encode(hmac::sign(&secret, signed.as_bytes()).as_ref()))
}

/// Defects of form, header and signature, each with a word of the description.
fn forged(issuer: &Issuer, keys: &Keys) -> Vec<(&'static str, String)> {
    let (claims, token) = (issuer.claims(), right(issuer, keys));
    let by_rsa = |header: Value| keys.rsa.sign(&header, &claims);
    let unsigned = |header: Value| format!("{}.", signed_part(&header, &claims));
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    vec![
        ("8 KiB", by_rsa(with(header(), "filler", "x".repeat(6 * 1024).into()))),
        ("no JWT", "czNjcmV0".to_owned()),
        ("no JWT", signed.to_owned()),
        ("no JWT", format!("{token}.x")),
        ("no JWT", format!("{signed}.{signature}=")),
        ("no JWT", format!("e30.{}", &token[token.find('.').expect("parts") + 1..])),
        ("signature", format!("{signed}.{}", &signature[..signature.len() - 6])),
        ("signature", format!("{signed}.")),
        ("signature", format!("{}.{signature}", signed_part(&header(), &with(claims.clone(), "sub", "bruno".into())))),
        ("signature", keys.foreign.sign(&json!({ "alg": "ES256", "kid": "ec" }), &claims)),
        ("signature", keys.ec.sign(&header(), &claims)),
        ("signature", keys.rsa.sign(&json!({ "alg": "ES256", "kid": "ec" }), &claims)),
        ("kid and alg", keys.ec.sign(&json!({ "alg": "RS256", "kid": "ec" }), &claims)),
        ("kid and alg", by_rsa(with(header(), "kid", "unknown".into()))),
        ("kid and alg", by_rsa(with(header(), "alg", "EdDSA".into()))),
        (
            "kid and alg",
            keys.foreign.sign(&json!({ "alg": "ES256", "kid": "own", "jwk": keys.foreign.jwk("own") }), &claims),
        ),
        ("alg", unsigned(json!({ "alg": "none" }))),
        ("alg", unsigned(json!({ "alg": "None", "kid": "rsa" }))),
        ("alg", by_rsa(with(header(), "alg", "RS384".into()))),
        ("alg", by_rsa(with(header(), "alg", "PS256".into()))),
        ("alg", by_rsa(with(header(), "alg", "rs256".into()))),
        ("alg", signed_with_the_public_key(issuer, keys)),
        ("crit", by_rsa(with(header(), "crit", json!(["exp"])))),
        ("crit", by_rsa(with(header(), "crit", json!(null)))),
        ("typ", by_rsa(with(header(), "typ", "logout+jwt".into()))),
        ("typ", by_rsa(with(header(), "typ", "dpop+jwt".into()))),
    ]
}

/// Defects of the claims, each with a word of the description.
fn with_wrong_claims(issuer: &Issuer, keys: &Keys) -> Vec<(&'static str, String)> {
    let claims = issuer.claims();
    let now = claims["nbf"].as_i64().expect("a time");
    let changed = |name: &str, value: Value| keys.rsa.sign(&header(), &with(claims.clone(), name, value));
    let missing = |name: &str| keys.rsa.sign(&header(), &without(claims.clone(), name));
    vec![
        ("claim iss", missing("iss")),
        ("claim aud", missing("aud")),
        ("claim exp", missing("exp")),
        ("claim sub", missing("sub")),
        ("issuer", changed("iss", "https://issuer.example".into())),
        ("issuer", changed("iss", format!("{}/", issuer.url()).into())),
        ("claim iss", changed("iss", json!([issuer.url()]))),
        ("audience", changed("aud", "https://other.example".into())),
        ("audience", changed("aud", json!([format!("{AUDIENCE}/"), "other"]))),
        ("audience", changed("aud", json!([]))),
        ("claim aud", changed("aud", json!({ "0": AUDIENCE }))),
        ("expired", changed("exp", (now - 60).into())),
        ("expired", changed("exp", 0.into())),
        ("claim exp", changed("exp", "4102444800".into())),
        ("claim exp", changed("exp", (-1).into())),
        ("claim exp", changed("exp", Value::Null)),
        ("not valid yet", changed("nbf", (now + 60).into())),
        ("claim nbf", changed("nbf", "0".into())),
        ("claim sub", changed("sub", "".into())),
        ("claim sub", changed("sub", "x".repeat(256).into())),
        ("claim sub", changed("sub", "ana\nroot".into())),
        ("claim sub", changed("sub", 7.into())),
        ("ID token", changed("at_hash", "x".into())),
        ("claim iss", keys.rsa.sign(&header(), &json!("claims"))),
    ]
}

async fn api() -> (Issuer, Keys, Api) {
    let keys = Keys { rsa: Signer::rs256(), ec: Signer::es256(), foreign: Signer::es256() };
    let issuer = Issuer::of(&keys.foreign);
    issuer.rotate_to(vec![keys.rsa.jwk("rsa"), keys.ec.jwk("ec")]);
    let api = serve(issuer.setting()).await;
    (issuer, keys, api)
}

async fn assert_refused(api: &Api, word: &str, token: &str) {
    let authorization = format!("Bearer {token}");
    let answer = api.ask(&authorization, "mutation { touch }").await;
    assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{word}: {token}");
    let challenge = answer.headers["www-authenticate"].to_str().expect("a text");
    let expected = "Bearer realm=\"demo\", error=\"invalid_token\", error_description=\"";
    assert!(challenge.starts_with(expected) && challenge.contains(word), "{word}: {challenge}, {token}");

    let events = api.client().post().header("authorization", &authorization).header("accept", "text/event-stream");
    let events = events.header("content-type", "application/json").body(r#"{"query": "mutation { touch }"}"#);
    assert_eq!(events.send().await.expect("an answer").status(), 401, "{word}: {token}");
    let upgrade = Socket::connect(&api.client().base, &[("authorization", &authorization)]).await;
    assert_eq!(upgrade.expect_err("refused").as_u16(), 401, "{word}: {token}");
    let mut socket = Socket::connect(&api.client().base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
    assert_eq!(socket.closed().await, 4403, "{word}: {token}");
}

#[tokio::test]
async fn a_forged_token_is_refused_at_every_entrance_and_nothing_runs() {
    let (issuer, keys, _) = api().await;
    for (word, token) in forged(&issuer, &keys) {
        // Each at a service of its own: forged tokens are throttled.
        let api = serve(issuer.setting()).await;
        assert_refused(&api, word, &token).await;
        assert_eq!((api.status(&right(&issuer, &keys)).await, api.touched()), (200, 1), "{word}");
    }
}

#[tokio::test]
async fn a_token_with_a_wrong_claim_is_refused_at_every_entrance_and_nothing_runs() {
    let (issuer, keys, api) = api().await;
    for (word, token) in with_wrong_claims(&issuer, &keys) {
        assert_refused(&api, word, &token).await;
    }
    assert_eq!((api.status(&right(&issuer, &keys)).await, api.touched()), (200, 1));
}

#[tokio::test]
async fn a_token_without_a_kid_is_accepted_only_if_one_key_fits() {
    let (issuer, keys, api) = api().await;
    let token = keys.ec.sign(&json!({ "alg": "ES256" }), &issuer.claims());
    assert_eq!(api.status(&token).await, 200);
    issuer.rotate_to(vec![keys.ec.jwk("ec"), keys.foreign.jwk("new")]);
    let api = serve(issuer.setting()).await;
    assert_refused(&api, "no kid", &token).await;
}
