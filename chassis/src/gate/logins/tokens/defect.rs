//! What can be wrong with a token. The texts are for the client's developer and for the log: they say nothing that is in
//! the token.

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum Defect {
    #[error("it is over 8 KiB")]
    TooLarge,
    #[error("it is no JWT: want three parts of base64url, of which the first two are JSON")]
    Malformed,
    #[error("its typ is neither at+jwt nor JWT")]
    Type,
    #[error("it has the header crit, and no extension is supported")]
    Critical,
    #[error("its alg is none of RS256, ES256 and EdDSA")]
    Algorithm,
    #[error("the issuer has no key of its kid and alg")]
    UnknownKey,
    #[error("it has no kid, and several keys of the issuer have its alg")]
    AmbiguousKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it has no claim {0} of the right type")]
    Claim(&'static str),
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is an ID token; send the access token")]
    IdToken,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
}

impl Defect {
    /// Whether the issuer has signed the token: claims are only read afterwards.
    pub(in super::super) fn is_of_signed_token(self) -> bool {
        match self {
            Self::Claim(_) | Self::Issuer | Self::IdToken | Self::Audience | Self::Expired | Self::NotYetValid => true,
            Self::TooLarge
            | Self::Malformed
            | Self::Type
            | Self::Critical
            | Self::Algorithm
            | Self::UnknownKey
            | Self::AmbiguousKey
            | Self::Signature => false,
        }
    }
}
