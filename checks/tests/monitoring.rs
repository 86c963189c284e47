//! What is written about metrics agrees: rules, panels, runbooks and the list of metrics. Needs no Prometheus.

use std::{collections::BTreeSet, fs, path::Path};

use checks::metrics::{BOTH, CONFIGURED, CONSULTATION, READ_REPLICA, TEXTFILE, metric, named_in};
use serde_json::Value;

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What follows `key` in the lines that begin with it.
fn values<'a>(text: &'a str, key: &str) -> BTreeSet<&'a str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(key)).map(str::trim).collect()
}

fn alerts(rules: &str) -> BTreeSet<&str> {
    values(rules, "- alert: ")
}

/// The expressions of a file of rules: in their line, or in indented lines after a `|`.
fn expressions(rules: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut indentation = None;
    for line in rules.lines() {
        let depth = line.len() - line.trim_start().len();
        if let Some(first) = line.trim_start().strip_prefix("expr: ") {
            indentation = Some(depth);
            found.push(first.trim_start_matches('|').to_owned());
        } else if indentation.is_some_and(|outer| depth > outer) {
            let expression = found.last_mut().expect("one");
            *expression += "\n";
            *expression += line;
        } else {
            indentation = None;
        }
    }
    found
}

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&text("docker/grafana/dashboards/clinic.json")).expect("JSON");
    dashboard["panels"].as_array().expect("panels").clone()
}

fn queries(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    targets.iter().map(|target| target["expr"].as_str().expect("a query").to_owned()).collect()
}

#[test]
fn every_alert_has_an_entry_in_the_runbooks_and_every_entry_an_alert() {
    let (rules, runbooks) = (text("docker/prometheus/alerts.yml"), text("docs/runbooks.md"));
    let alerts = alerts(&rules);
    assert!(alerts.len() > 10, "{alerts:?}");
    let entries: BTreeSet<_> = values(&runbooks, "## ").into_iter().filter(|title| !title.contains(' ')).collect();
    assert_eq!(alerts, entries);
    for alert in alerts {
        let tried = runbooks.lines().any(|line| line.starts_with(&format!("| `{alert}` |")));
        assert!(tried, "the table of docs/runbooks.md says which fault fires {alert}");
    }
}

#[test]
fn every_alert_says_how_severe_it_is_and_where_its_entry_is() {
    let rules = text("docker/prometheus/alerts.yml");
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().expect("a name");
        let has = |key: &str| values(rule, key).first().is_some_and(|value| !value.is_empty());
        let severities = ["critical", "warning", "info"].map(|severity| format!("labels: {{ severity: {severity} }}"));
        assert!(severities.iter().any(|severity| rule.contains(severity)), "{name}: severity");
        assert!(has("summary: ") && has("description: "), "{name}: summary, description");
        let entry = format!("docs/runbooks.md#{}", name.to_lowercase());
        assert_eq!(values(rule, "runbook_url: "), BTreeSet::from([entry.as_str()]), "{name}");
    }
}

#[test]
fn every_alert_has_a_unit_test_that_fires_it_and_one_that_does_not() {
    let (rules, tests) = (text("docker/prometheus/alerts.yml"), text("docker/prometheus/alerts.test.yml"));
    for alert in alerts(&rules) {
        assert!(
            tests.contains(&format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}")),
            "{alert} never fires"
        );
        assert!(tests.contains(&format!("{{ alertname: {alert}, eval_time: ")), "{alert} always fires");
    }
}

#[test]
fn rules_and_panels_use_metrics_that_there_are() {
    let rules = ["recordings", "alerts"].map(|file| text(&format!("docker/prometheus/{file}.yml"))).concat();
    let recorded = values(&rules, "- record: ");
    let in_panels = panels().iter().flat_map(queries).collect::<Vec<_>>();
    let expressions = [expressions(&rules), in_panels].concat();
    assert!(expressions.len() > 30, "{expressions:?}");
    for expression in expressions {
        let names = named_in(&expression);
        assert!(!names.is_empty(), "{expression}");
        for name in &names {
            let name = metric(name);
            let lists: [&[&str]; 5] = [&BOTH, &CONSULTATION, &CONFIGURED, &READ_REPLICA, &TEXTFILE];
            let is_known = name == "up" || recorded.contains(name) || lists.iter().any(|list| list.contains(&name));
            assert!(is_known, "{name} in {expression}");
        }
    }
}

#[test]
fn every_metric_is_documented() {
    let documented = text("docs/operating.md");
    let words: BTreeSet<_> =
        documented.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
    let all = BOTH.iter().chain(&CONSULTATION).chain(&CONFIGURED).chain(&READ_REPLICA);
    let undocumented: Vec<_> = all.filter(|name| !words.contains(*name)).collect();
    assert!(undocumented.is_empty(), "docs/operating.md lacks {undocumented:?}");
}

#[test]
fn every_panel_has_a_place_a_unit_and_queries_of_the_provisioned_source() {
    let source = text("docker/grafana/provisioning/datasources/prometheus.yml");
    let panels = panels();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "ids are unique");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().expect("a title");
        assert!(!queries(panel).is_empty(), "{title}: queries");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}: a unit");
        assert!(panel["gridPos"]["w"].as_u64().is_some_and(|width| width <= 24), "{title}: a place");
        let uid = panel["datasource"]["uid"].as_str().expect("a source");
        assert!(source.contains(&format!("uid: {uid}")), "{title}: {uid} is not provisioned");
    }
}

#[test]
fn the_names_in_an_expression_are_found() {
    let expression = "sum by (le, http_route) (rate(a_bucket{b_c=\"d_e\"}[5m])) / on (f_g) (h_max > 1) or vector(0) * 14.4 \
                      and on () i:j:rate1h > time() - up";
    assert_eq!(named_in(expression), ["a_bucket", "h_max", "i:j:rate1h", "up"].map(str::to_owned).into());
}
