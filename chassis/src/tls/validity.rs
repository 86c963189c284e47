//! The end of a certificate's validity, read from its DER (RFC 5280). rustls checks it, but does not tell it.

use chrono::NaiveDateTime;

const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the validity in seconds since 1970; `None` if this is no certificate.
pub(super) fn not_after(certificate: &[u8]) -> Option<i64> {
    let signed = Element::first(Element::first(certificate)?.content)?;
    let first = Element::first(signed.content)?;
    // The version is optional. Then come serial number, algorithm, issuer, and validity.
    let serial = if first.tag == VERSION { first.next()? } else { first };
    let validity = serial.next()?.next()?.next()?;
    let not_after = Element::first(validity.content)?.next()?;
    let text = str::from_utf8(not_after.content).ok()?;
    let text = match not_after.tag {
        GENERALIZED_TIME => text.to_owned(),
        // Of the years 1950 to 2049.
        UTC_TIME if text < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?.and_utc().timestamp())
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn first(der: &'a [u8]) -> Option<Self> {
        let (&tag, rest) = der.split_first()?;
        let (&length, rest) = rest.split_first()?;
        // Beyond 127 it is the number of bytes that hold the length.
        let (length, rest) = if length < 0x80 {
            (usize::from(length), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length =
                bytes.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?;
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some(Self { tag, content, rest })
    }

    fn next(self) -> Option<Self> {
        Self::first(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate_until(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        params.not_after = date_time_ymd(year, 12, 31);
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").der().to_vec()
    }

    #[test]
    fn the_end_of_the_validity_is_read_in_both_formats_of_time() {
        for (year, seconds) in [(1999, 946_598_400), (2049, 2_524_521_600), (2050, 2_556_057_600)] {
            assert_eq!(not_after(&certificate_until(year)), Some(seconds), "{year}");
        }
    }

    #[test]
    fn a_torn_certificate_has_no_end() {
        let certificate = certificate_until(2030);
        assert!((0..certificate.len()).all(|length| not_after(&certificate[..length]).is_none()));
    }
}
