//! PostgreSQL's trees of analysed statements, as it prints them with `debug_print_parse`:
//! `{QUERY :commandType 2 :targetList ({TARGETENTRY :expr {CONST ...} ...}) ...}`.

/// A node.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    fields: Vec<Field>,
}

/// A field, with what its lists hold.
#[derive(Debug, Default)]
struct Field {
    name: String,
    words: Vec<String>,
    nodes: Vec<Node>,
}

impl Node {
    /// Parses the first node of a text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = words(text).into_iter();
        words.find(|word| word == "{")?;
        Self::rest(&mut words)
    }

    fn rest(words: &mut impl Iterator<Item = String>) -> Option<Self> {
        let mut node = Self { name: words.next()?, fields: Vec::new() };
        loop {
            let word = words.next()?;
            match word.as_str() {
                "}" => return Some(node),
                "{" => node.fields.last_mut()?.nodes.push(Self::rest(words)?),
                name if name.starts_with(':') => {
                    node.fields.push(Field { name: name[1..].to_owned(), ..Field::default() });
                }
                _ => node.fields.last_mut()?.words.push(word),
            }
        }
    }

    /// The first word of a field.
    pub(crate) fn word(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|found| found.name == field)?.words.first().map(String::as_str)
    }

    /// The nodes of a field.
    pub(crate) fn nodes(&self, field: &str) -> &[Self] {
        self.fields.iter().find(|found| found.name == field).map_or(&[], |found| &found.nodes)
    }

    /// The nodes of all fields.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        self.fields.iter().flat_map(|field| &field.nodes)
    }

    /// Whether it or a node in it is so.
    pub(crate) fn any(&self, is_so: &impl Fn(&Self) -> bool) -> bool {
        is_so(self) || self.children().any(|child| child.any(is_so))
    }
}

/// Braces are words of their own, unless a backslash is before them. Parentheses only make lists.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_escaped = false;
    for character in text.chars() {
        match character {
            _ if is_escaped => words.last_mut().expect("one").push(character),
            '\\' => {}
            '{' | '}' => words.extend([character.to_string(), String::new()]),
            '(' | ')' => words.push(String::new()),
            character if character.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().expect("one").push(character),
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    words.retain(|word| !word.is_empty());
    words
}
