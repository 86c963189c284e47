//! The codes of refusals as an enum, so that a compiler checks a client's `switch`.

/// Declares `UserErrorCode`, the enum of an API's refusals, and gives each of them the field `errorCode`.
///
/// An entry is the description of a value and the type of the refusal, an object with `#[graphql(complex)]`. The value has
/// the name of the type, as `NAME_TAKEN` of `NameTaken`. `INVALID_INPUT` is among them; `InvalidInput` becomes
/// the name of [`refusal::InvalidInput`](crate::refusal::InvalidInput) with this enum.
#[macro_export]
macro_rules! user_error_codes {
    ($($(#[$description:meta])+ $refusal:ident,)+) => {
        /// Kind of refusal, for programs. New kinds may come: treat an unknown one by its message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ::async_graphql::Enum)]
        pub(crate) enum UserErrorCode {
            $($(#[$description])+ $refusal,)+
            /// A well-formed argument breaks a rule.
            InvalidInput,
        }

        /// A well-formed argument breaks a rule.
        pub(crate) type InvalidInput = $crate::refusal::InvalidInput<UserErrorCode>;

        impl $crate::refusal::ErrorCode for UserErrorCode {
            const INVALID_INPUT: Self = Self::InvalidInput;
        }

        $(
            #[::async_graphql::ComplexObject]
            impl $refusal {
                /// Kind of refusal: `code` as an enum.
                pub(crate) async fn error_code(&self) -> UserErrorCode {
                    UserErrorCode::$refusal
                }
            }
        )+
    };
}
