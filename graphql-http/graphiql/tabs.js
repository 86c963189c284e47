'use strict';

// The tabs of the editor: those that the page offers, with ids that are new at each visit, and the one of a link.

// Stands in a tab's variables for a random id.
const RANDOM_ID = '{uuid}';

// How many of the last random ids are known again: those of a few windows, which share the storage.
const REMEMBERED = 20;

// GraphiQL's own keys, and one for the ids that were made here: what a person typed in their place stays.
const [STATE, QUERY, VARIABLES, MADE] = ['tabState', 'query', 'variables', 'randomIds'].map((key) => `graphiql:${key}`);

/** Writes the tabs to where GraphiQL reads them as it starts. That alone makes it show the variables of the first. */
function restoreTabs(offered, link) {
  const state = stored() ?? { tabs: offered.map((tab) => record(tab)), activeTabIndex: 0 };
  const made = [parsed(localStorage.getItem(MADE)) ?? []].flat();
  const fresh = [];
  for (const { query } of offered.filter((tab) => tab.variables.includes(RANDOM_ID))) {
    const tab = state.tabs.find(({ id }) => id === nameOf(query));
    if (tab) tab.variables = withFreshIds(tab.variables ?? '', made, fresh);
  }
  if (link) state.activeTabIndex = place(link, state.tabs);
  const active = state.tabs[state.activeTabIndex] ?? state.tabs[0];
  localStorage.setItem(MADE, JSON.stringify([...fresh, ...made].slice(0, REMEMBERED)));
  localStorage.setItem(STATE, JSON.stringify(state));
  localStorage.setItem(QUERY, active.query ?? '');
  localStorage.setItem(VARIABLES, active.variables ?? '');
}

/** The operation in the page's address, or nothing. It is for a person to read and run, never for the page. */
function linkedTab() {
  const address = new URLSearchParams(location.search);
  const query = address.get('query');
  if (!query) return null;
  // A reload shows the tab as it was left, not the link again.
  history.replaceState(null, '', location.pathname);
  const variables = indented(address.get('variables') ?? '');
  return { query, variables, operationName: address.get('operationName') };
}

/** The tabs after an answer: each that takes a value from it has the value in its variables. */
function tabsAfter(answer, tabs, active, offered) {
  const data = parsed(answer)?.data;
  return tabs.map((tab) => {
    const takes = offered.find(({ query }) => nameOf(query) === tab.id)?.takes;
    if (!data || !takes || tab === active) return tab;
    return takes.reduce((taking, { from, to }) => {
      const value = at(data, from.split('.'));
      return value == null ? taking : { ...taking, variables: withValue(taking.variables, to, value) };
    }, tab);
  });
}

function stored() {
  const state = parsed(localStorage.getItem(STATE));
  const isTab = (tab) => typeof tab?.id === 'string' && typeof tab.title === 'string';
  return Array.isArray(state?.tabs) && state.tabs.length && state.tabs.every(isTab) ? state : null;
}

/** A tab as GraphiQL stores it. */
function record({ query, variables, operationName = nameOf(query) }, id = nameOf(query)) {
  return { id, title: operationName ?? '<untitled>', query, variables, headers: null, operationName, response: null };
}

/** The position of a tab with this content, which is added unless it is there. */
function place(link, tabs) {
  const known = tabs.findIndex(({ query, variables }) => query === link.query && (variables ?? '') === link.variables);
  if (known >= 0) return known;
  return tabs.push(record({ ...link, operationName: link.operationName ?? nameOf(link.query) }, uuid())) - 1;
}

const nameOf = (query) => /^(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1] ?? null;

/** The text with each id that was made before, and each that is wanted, replaced by one that is added to `fresh`. */
function withFreshIds(text, made, fresh) {
  const renew = () => fresh[fresh.push(uuid()) - 1];
  return [RANDOM_ID, ...made].reduce((renewed, old) => renewed.replaceAll(old, renew), text);
}

/** The JSON text with a value at a path as in `input.id`; the same text if it is no JSON or has no such place. */
function withValue(text, path, value) {
  const variables = parsed(text);
  const names = path.split('.');
  const last = names.pop();
  const object = at(variables, names);
  if (typeof object !== 'object' || object === null) return text;
  object[last] = value;
  return JSON.stringify(variables, null, 2);
}

const at = (value, names) => names.reduce((object, name) => object?.[name], value);

function indented(text) {
  const value = parsed(text);
  return value === null ? text : JSON.stringify(value, null, 2);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `crypto.randomUUID` is there in secure contexts only, which plain HTTP to another machine is not. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
