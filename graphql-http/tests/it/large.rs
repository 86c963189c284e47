//! Documents of any size.

/// A document of this many bytes.
pub(super) fn greeting(length: usize) -> String {
    let without_name = "{ hello(name: \"\") }";
    format!("{{ hello(name: \"{}\") }}", "x".repeat(length - without_name.len()))
}

pub(super) fn nested(levels: usize) -> String {
    format!("{{ {}value{} }}", "nested { ".repeat(levels - 1), " }".repeat(levels - 1))
}

pub(super) fn aliases(count: usize) -> String {
    format!("{{ nested {{ {} }} }}", many(count, |n| format!("a{n}: value ")))
}

pub(super) fn directives(count: usize) -> String {
    let fields =
        fields(count).replace("value", "value @include(if: true)").replace("nested", "nested @include(if: true)");
    format!("{{ nested {{ {fields} }} }}")
}

/// An operation with this many root fields, three of them by a fragment or beside its fields.
pub(super) fn root_fields(count: usize) -> String {
    let others = many(count - 3, |n| format!("a{n}: hello "));
    format!("{{ ...F hello {others} }} fragment F on Query {{ hello nested {{ value }} }}")
}

/// A field this often in one object, four times by fragments.
pub(super) fn repeats(count: usize) -> String {
    let plain = "value ".repeat(count - 4);
    format!("{{ nested {{ ...F {plain} ...F }} }} fragment F on Nested {{ ... {{ value }} value }}")
}

/// This many fields within an object, none of them more than 20 times in one place.
pub(super) fn fields(count: usize) -> String {
    let values = count.min(20);
    let objects = match count - values {
        0 => String::new(),
        1 => "__typename ".to_owned(),
        rest => {
            let objects = (rest / 21).clamp(1, 20);
            many(objects, |n| {
                let share = rest / objects + usize::from(n < rest % objects);
                format!("nested {{ {}}} ", fields(share - 1))
            })
        }
    };
    format!("{}{objects}", "value ".repeat(values))
}

/// A row of fragments. Each spreads the next one twice.
pub(super) fn bomb(rows: usize) -> String {
    let row = |at| format!("fragment F{at} on Query {{ ...F{next} ...F{next} }} ", next = at + 1);
    format!("{{ ...F0 }} {}fragment F{rows} on Query {{ hello }}", many(rows, row))
}

/// A row of fragments. Each spreads the next one twice, once within an object.
pub(super) fn nested_bomb(rows: usize) -> String {
    let row = |at| format!("fragment F{at} on Nested {{ ...F{next} nested {{ ...F{next} }} }} ", next = at + 1);
    format!("{{ nested {{ ...F0 }} }} {}fragment F{rows} on Nested {{ value }}", many(rows, row))
}

/// A row of fragments. Each spreads the next one.
pub(super) fn chain(rows: usize) -> String {
    let row = |at| format!("fragment F{at} on Query {{ ...F{} }} ", at + 1);
    format!("{{ ...F0 }} {}fragment F{rows} on Query {{ hello }}", many(rows, row))
}

/// A document in which one name, of a `what`, has this many characters.
pub(super) fn named(what: &str, length: usize) -> String {
    let document = match what {
        "alias" => "{ NAME: hello }",
        "operation" => "query NAME { hello }",
        "variable" => "query ($NAME: String!=\"you\") { hello(name:$NAME) }",
        _ => "{...NAME} fragment NAME on Query{hello}",
    };
    document.replace("NAME", &"n".repeat(length))
}

pub(super) fn lists(count: usize, length: usize) -> String {
    format!("{{ {} }}", format!("sum(numbers: [{}]) ", "1 ".repeat(length)).repeat(count))
}

pub(super) fn pages(count: usize) -> String {
    let page = |n| format!("a{n}: page(first: 100) {{ value nested {{ value }} }} ");
    format!("{{ {} }}", many(count, page))
}

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().concat()
}
