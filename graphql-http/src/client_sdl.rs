//! The schema for clients. Generators of clients read no `extend schema @link`, and have no use for the other directives of
//! Apollo Federation.

/// Directives of Apollo Federation 2 that async-graphql writes.
const FEDERATION: [&str; 12] = [
    "composeDirective",
    "external",
    "inaccessible",
    "interfaceObject",
    "key",
    "link",
    "override",
    "provides",
    "requires",
    "requiresScopes",
    "shareable",
    "tag",
];

/// Takes the directives of Apollo Federation out of a schema in text form. Nothing else changes: what is inaccessible
/// in the graph of a gateway is there for the clients of the service itself.
#[must_use]
pub fn client_sdl(sdl: &str) -> String {
    let mut client = String::with_capacity(sdl.len());
    let mut rest = sdl;
    // A string may look like a directive, so strings are tokens too.
    while let Some(start) = rest.find(['"', '@']) {
        let (before, token) = rest.split_at(start);
        client.push_str(before);
        let length = if token.starts_with('"') { string_length(token) } else { directive_length(token) };
        let (token, after) = token.split_at(length);
        if is_federation(token) {
            client.truncate(client.trim_end_matches(' ').len());
        } else {
            client.push_str(token);
        }
        rest = after;
    }
    client.push_str(rest);
    client.replace("extend schema\n", "")
}

fn is_federation(token: &str) -> bool {
    token.strip_prefix('@').is_some_and(|token| FEDERATION.contains(&&token[..name_length(token)]))
}

fn directive_length(text: &str) -> usize {
    let name = 1 + name_length(&text[1..]);
    name + arguments_length(&text[name..])
}

fn name_length(text: &str) -> usize {
    text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len())
}

/// The length of the arguments in brackets that `text` begins with, or 0.
fn arguments_length(text: &str) -> usize {
    let mut length = 0;
    while text.starts_with('(') {
        let Some(next) = text[length..].find(['"', ')']) else { return text.len() };
        length += next;
        if text[length..].starts_with(')') {
            return length + 1;
        }
        length += string_length(&text[length..]);
    }
    length
}

/// The length of the string or block string that `text` begins with.
fn string_length(text: &str) -> usize {
    let quotes = if text.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    let mut length = quotes.len();
    while let Some(next) = text[length..].find(quotes) {
        let is_escaped = text[..length + next].ends_with('\\');
        length += next + quotes.len();
        if !is_escaped {
            return length;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, SDLExportOptions, Schema, SimpleObject};
    use rstest::rstest;

    use super::client_sdl;

    #[rstest]
    #[case::of_a_type("type A implements Node @key(fields: \"id\") @shareable {", "type A implements Node {")]
    #[case::before_interfaces("interface A @key(fields: \"id\") implements B {", "interface A implements B {")]
    #[case::of_a_field("  ): Node @shareable @inaccessible", "  ): Node")]
    #[case::with_brackets("  a: A @requires(fields: \"b(c: 1)\") @deprecated", "  a: A @deprecated")]
    #[case::with_quotes("  a: A @tag(name: \"\\\"b\\\")\")", "  a: A")]
    fn directives_of_federation_are_left_out(#[case] sdl: &str, #[case] client: &str) {
        assert_eq!(client_sdl(sdl), client);
    }

    #[rstest]
    #[case::other_directives("scalar A @specifiedBy(url: \"https://a.example/@key\")")]
    #[case::longer_names("  a: A @keys @tagged(name: \"b\")")]
    #[case::definitions("directive @skip(if: Boolean!) on FIELD")]
    #[case::descriptions("\"\"\"\nThe @key of \"it\" @tag(name: \"a\").\n\"\"\"\ntype A {")]
    #[case::reasons("  a: A @deprecated(reason: \"say \\\"b\\\" @external\")")]
    #[case::unfinished("  a: A @deprecated(reason: \"")]
    fn everything_else_stays(#[case] sdl: &str) {
        assert_eq!(client_sdl(sdl), sdl);
    }

    #[derive(SimpleObject)]
    struct Note {
        id: ID,
        #[graphql(shareable, inaccessible, tag = "a)")]
        text: String,
    }

    struct Query;

    #[Object]
    impl Query {
        #[graphql(entity)]
        async fn note(&self, id: ID) -> Note {
            Note { id, text: String::new() }
        }
    }

    #[test]
    fn a_subgraph_becomes_a_plain_schema() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let client = client_sdl(&schema.sdl_with_options(SDLExportOptions::new().federation()));
        assert!(client.starts_with("type Note {\n\tid: ID!\n\ttext: String!\n}\n"), "{client}");
        assert!(client.ends_with("on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT\n"), "{client}");
    }
}
