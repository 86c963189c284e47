//! What the service has to say to people.

use std::sync::LazyLock;

use chassis::language::Messages;

pub(crate) static MESSAGES: LazyLock<Messages> =
    LazyLock::new(|| Messages::new(include_str!("messages/en.ftl"), include_str!("messages/pt-BR.ftl")));
