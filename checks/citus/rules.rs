//! What Citus refuses in a statement on a table of its own, as `TargetlistAndFunctionsSupported` and
//! `SingleShardUpdateDeleteSupported` of its `multi_router_planner.c` do.

use std::collections::HashMap;

use crate::tree::Node;

const UPDATE: &str = "2";
const INSERT: &str = "3";
const DELETE: &str = "4";

/// A query that changes a table, in the text of a tree.
pub(crate) const CHANGES: [&str; 3] = [":commandType 2 ", ":commandType 3 ", ":commandType 4 "];

/// Volatility of functions by their oids, and of the input functions of types: `i`, `s` or `v`.
#[derive(Debug)]
pub(crate) struct Volatility {
    pub(crate) functions: HashMap<String, char>,
    pub(crate) inputs: HashMap<String, char>,
}

/// What Citus refuses in a query, its common table expressions included.
pub(crate) fn refusals(query: &Node, volatility: &Volatility) -> Vec<&'static str> {
    let mut refusals = of_query(query, volatility);
    let within = query.children().flat_map(|child| queries(child)).flat_map(|query| of_query(query, volatility));
    refusals.extend(within);
    refusals
}

fn queries(node: &Node) -> Vec<&Node> {
    let own = (node.name == "QUERY").then_some(node);
    own.into_iter().chain(node.children().flat_map(queries)).collect()
}

fn of_query(query: &Node, volatility: &Volatility) -> Vec<&'static str> {
    let command = query.word("commandType").unwrap_or_default();
    let mut refusals = Vec::new();
    if matches!(command, UPDATE | DELETE) {
        if query.any(&|node| volatility.of(node) == 'v') {
            refusals.push("a VOLATILE function in an UPDATE or a DELETE");
        }
        for expression in changed(query) {
            refusals.extend(irreducible(expression, volatility).1);
        }
    }
    if matches!(command, UPDATE | INSERT | DELETE)
        && query.nodes("returningList").iter().any(|node| node.any(&|node| volatility.of(node) != 'i'))
    {
        refusals.push("a function that is not IMMUTABLE in RETURNING");
    }
    if command == INSERT && query.nodes("rtable").iter().flat_map(|entry| entry.nodes("subquery")).any(reads_a_table) {
        refusals.push("an INSERT of what its own SELECT reads from a table, outside WITH");
    }
    refusals
}

/// What a change sets, and its conditions.
fn changed(query: &Node) -> impl Iterator<Item = &Node> {
    let set = query.nodes("targetList").iter().filter(|target| target.word("resjunk") != Some("true"));
    set.flat_map(|target| target.nodes("expr"))
        .chain(query.nodes("jointree").iter().flat_map(|join| join.nodes("quals")))
}

/// Whether it has a column, and what Citus could neither compute on the coordinator nor leave to a worker.
fn irreducible(node: &Node, volatility: &Volatility) -> (bool, Option<&'static str>) {
    match node.name.as_str() {
        // Releases of PostgreSQL differ in these names.
        "COALESCE" | "COALESCEEXPR" | "CASE" | "CASEEXPR" => {
            let is_mutable = node.any(&|node| volatility.of(node) != 'i');
            return (false, is_mutable.then_some("a function that is not IMMUTABLE in CASE or COALESCE"));
        }
        "VAR" => return (true, None),
        // Sub-queries are planned by themselves.
        "QUERY" => return (false, None),
        _ => {}
    }
    let (mut has_column, mut refusal) = (false, None);
    for child in node.children() {
        let (column, refused) = irreducible(child, volatility);
        has_column |= column;
        refusal = refusal.or(refused);
    }
    if volatility.of(node) == 's' {
        let of_column = has_column.then_some("a STABLE function of a column");
        // What is above sees a value.
        return (false, refusal.or(of_column));
    }
    (has_column, refusal)
}

/// Whether a query reads a table itself. What it reads from WITH is another query's.
fn reads_a_table(query: &Node) -> bool {
    query.any(&|node| matches!(node.name.as_str(), "RTE" | "RANGETBLENTRY") && node.word("rtekind") == Some("0"))
}

impl Volatility {
    /// Of a node by itself.
    fn of(&self, node: &Node) -> char {
        let function = match node.name.as_str() {
            "FUNCEXPR" => node.word("funcid"),
            "SQLVALUEFUNCTION" | "NEXTVALUEEXPR" => return 's',
            "COERCEVIAIO" => {
                let of_type = node.word("resulttype").and_then(|of_type| self.inputs.get(of_type));
                return of_type.copied().unwrap_or('v');
            }
            _ => node.word("opfuncid"),
        };
        function.map_or('i', |function| self.functions.get(function).copied().unwrap_or('v'))
    }
}
