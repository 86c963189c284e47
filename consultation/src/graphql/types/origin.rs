//! Where a consultation comes from, as the API tells it.

use async_graphql::Enum;
use entity::consultation::Origin;

/// Where a consultation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ConsultationOrigin {
    /// A client of this service started it.
    Started,
    /// Finance had its payment, and an operator took it over from there after this service had lost it.
    Adopted,
    /// An operator imported it from the system that this one succeeds.
    Imported,
}

impl From<Option<Origin>> for ConsultationOrigin {
    fn from(origin: Option<Origin>) -> Self {
        match origin {
            None => Self::Started,
            Some(Origin::Adopted) => Self::Adopted,
            Some(Origin::Imported) => Self::Imported,
        }
    }
}
