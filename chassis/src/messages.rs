//! Messages of the chassis for people.

use std::sync::LazyLock;

use crate::language::Messages;

pub(crate) static MESSAGES: LazyLock<Messages> =
    LazyLock::new(|| Messages::new(include_str!("messages/en.ftl"), include_str!("messages/pt-BR.ftl")));
