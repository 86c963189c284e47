//! Tokens that are accepted, the roles that they give, and the schemes beside each other.

use chassis::config::{Access, TokenIssuer};
use serde_json::{Value, json};

use super::{
    issuer::{AUDIENCE, Issuer, KID},
    serve, serve_to,
    signer::Signer,
};
use crate::guarded::basic;

#[tokio::test]
async fn tokens_of_each_algorithm_are_accepted_and_name_issuer_and_subject() {
    for signer in [Signer::rs256(), Signer::es256(), Signer::eddsa()] {
        let issuer = Issuer::of(&signer);
        let api = serve(issuer.setting()).await;
        let answer = api.ask(&format!("bearer {}", issuer.token(&signer, KID)), "{ caller }").await;
        let expected = json!({ "data": { "caller": format!("{}#ana", issuer.url()) } });
        assert_eq!(answer.body, expected, "{}", signer.algorithm());
    }
}

#[tokio::test]
async fn a_token_may_leave_out_what_the_standards_leave_open() {
    let signer = Signer::es256();
    let issuer = Issuer::of(&signer);
    let api = serve(issuer.setting()).await;
    let with = |changes: Value| {
        let mut claims = issuer.claims();
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    };
    let exp = issuer.claims()["exp"].as_f64().expect("a number");
    for claims in [
        json!({ "aud": ["https://other.example", AUDIENCE] }),
        json!({ "exp": exp + 0.5 }),
        json!({ "exp": exp - 600.0 - 20.0 }),
        json!({ "nbf": exp - 600.0 + 20.0 }),
        json!({ "roles": "openid writer profile" }),
    ] {
        for header in
            [json!({ "alg": "ES256" }), json!({ "alg": "ES256", "typ": "JWT", "jku": "https://evil.example" })]
        {
            assert_eq!(api.status(&signer.sign(&header, &with(claims.clone()))).await, 200, "{header} {claims}");
        }
    }
}

#[tokio::test]
async fn roles_are_those_of_the_claim_that_the_service_knows() {
    let signer = Signer::eddsa();
    let issuer = Issuer::of(&signer);
    let api = serve(TokenIssuer { roles_claim: "/realm_access/roles".to_owned(), ..issuer.setting() }).await;
    let ask = async |roles: Value, query: &str| {
        let mut claims = issuer.claims();
        claims["realm_access"] = json!({ "roles": roles });
        let token = signer.sign(&json!({ "alg": "EdDSA", "kid": KID }), &claims);
        api.ask(&format!("Bearer {token}"), query).await
    };
    assert_eq!(ask(json!(["admin", "reader"]), "{ caller }").await.status, 200);
    for (roles, own) in [
        (json!(["admin", "reader"]), "has reader"),
        (json!(["admin"]), "has no role"),
        (json!([]), "has no role"),
        (json!(["WRITER", 1, null]), "has no role"),
        (json!({ "writer": true }), "has no role"),
        (json!(null), "has no role"),
    ] {
        let refused = ask(roles.clone(), "mutation { touch }").await;
        assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN"), "{roles}");
        assert!(
            refused.body["errors"][0]["message"].as_str().is_some_and(|text| text.contains(own)),
            "{}",
            refused.body
        );
        assert_eq!(ask(roles, "{ __typename }").await.status, 200);
    }
    assert_eq!(api.touched(), 0);
}

#[tokio::test]
async fn each_scheme_that_is_on_is_accepted_and_challenged() {
    let signer = Signer::eddsa();
    let issuer = Issuer::of(&signer);
    let user = || Access::User { username: "admin".to_owned(), password: "s3cret".into() };
    let both = serve_to(user(), Some(issuer.setting())).await;
    let (tokens, passwords) = (serve(issuer.setting()).await, serve_to(user(), None).await);
    let (password, token) = (basic("admin:s3cret"), format!("Bearer {}", issuer.token(&signer, KID)));
    let (basic, bearer) = ("Basic realm=\"demo\", charset=\"UTF-8\"", "Bearer realm=\"demo\"");
    for (api, schemes, by_password, by_token) in [
        (&both, vec![basic, bearer], None, None),
        (&tokens, vec![bearer], Some("accepts no passwords"), None),
        (&passwords, vec![basic], None, Some("accepts no tokens")),
    ] {
        for (credentials, refusal) in [(&password, by_password), (&token, by_token), (&String::new(), Some("required"))]
        {
            let answer = api.ask(credentials, "{ caller }").await;
            let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            let Some(refusal) = refusal else {
                assert_eq!((answer.status, challenges.len()), (200, 0), "{}", answer.body);
                continue;
            };
            assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"));
            assert_eq!(challenges, schemes);
            assert!(answer.body.to_string().contains(refusal), "{}", answer.body);
        }
    }
}
