//! Currency: the ISO 4217 code that all amounts of a deployment are in.
//!
//! Amounts are stored as cents: a currency without cents, or with a thousandth, is refused. The list is here since a crate
//! would add the names and symbols of all countries.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

/// The codes of ISO 4217 in use whose amounts have two decimals, as of 2026; without funds and metals. In order.
const TWO_DECIMALS: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE \
    CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR \
    KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB \
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY \
    TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

/// A currency whose amounts have two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(&'static str);

/// Refusal of a text that is no such code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("want the ISO 4217 code of a currency with two decimals, in capital letters, as in BRL")]
pub struct CurrencyError;

impl Currency {
    /// The code of ISO 4217: three capital letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        TWO_DECIMALS.split(' ').find(|code| *code == text).map(Self).ok_or(CurrencyError)
    }
}

impl Display for Currency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_a_code_of_iso_4217_with_two_decimals() {
        for code in ["AED", "BRL", "EUR", "USD", "ZWG"] {
            assert_eq!(code.parse().map(Currency::code), Ok(code));
        }
        for text in ["", "R$", "brl", "BR", "BRL ", "BRL EUR", "BRLX", "JPY", "KWD", "XAU", "XXX", "DEM", "ÄÖÜ"] {
            assert_eq!(text.parse::<Currency>(), Err(CurrencyError), "{text}");
        }
    }

    #[test]
    fn the_codes_are_in_order_and_have_three_capital_letters() {
        let codes: Vec<_> = TWO_DECIMALS.split(' ').collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        assert!(codes.iter().all(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
    }
}
