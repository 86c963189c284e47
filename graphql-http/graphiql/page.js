'use strict';

// Starts GraphiQL in the element that the page prepared. Its settings are data attributes, so that the page needs no
// inline script and its Content-Security-Policy can forbid all of them.
const root = document.getElementById('graphiql');

// GraphiQL shows the body of an answer as JSON. What else may come, a refusal in plain text or no answer at all, is put
// in the shape of a GraphQL error, so that the reader sees the status instead of a parser's complaint.
async function send(url, init) {
  let message;
  try {
    // The browser's own Basic credentials go along, and to this origin only.
    const answer = await fetch(url, { ...init, credentials: 'same-origin' });
    if (answer.headers.get('content-type')?.includes('json')) return answer;
    message = `HTTP ${answer.status}: ${(await answer.text()).slice(0, 500)}`;
  } catch (error) {
    message = `The API did not answer: ${error.message}`;
  }
  return Response.json({ errors: [{ message }] });
}

// GraphiQL keeps tabs, sizes and theme here. Its history would keep the Headers tab too, credentials included, whatever
// `shouldPersistHeaders` says, and this version always has a history: so it lasts as long as the page does.
const memoryOnly = ['graphiql:queries', 'graphiql:favorites'];
const storage = {
  getItem: (key) => (memoryOnly.includes(key) ? null : localStorage.getItem(key)),
  setItem: (key, value) => memoryOnly.includes(key) || localStorage.setItem(key, value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length;
  },
};

// The page's corner: its title and the link to another page. It also puts values of answers into the tabs that take them,
// since GraphiQL gives its state to components inside it only.
function Corner({ title, other, offered, link }) {
  const { tabs, activeTabIndex, moveTab, queryEditor, setOperationName } = GraphiQL.React.useEditorContext();
  const active = tabs[activeTabIndex];
  const taken = React.useRef({}); // by tab: coming back to an answer takes nothing again
  React.useEffect(() => {
    if (!active.response || taken.current[active.id] === active.response) return;
    taken.current[active.id] = active.response;
    const after = tabsAfter(active.response, tabs, active, offered);
    if (after.some((tab, index) => tab !== tabs[index])) moveTab(after);
  }, [active.response]);
  React.useEffect(() => {
    if (queryEditor && link?.operationName) setOperationName(link.operationName);
  }, [queryEditor]);
  const anchor = other && React.createElement('a', { className: 'graphiql-other', href: other.url }, other.title);
  return React.createElement(React.Fragment, null, title, anchor);
}

// Whether a browser that reached this page can reach the address too: loopback is another machine elsewhere.
function isReached({ url }) {
  const isLoopback = ({ hostname }) => /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  return !isLoopback(new URL(url)) || isLoopback(location);
}

function start({ endpoint, title, tabs, other }) {
  // The client for subscriptions is inside graphiql.min.js. It is given the Headers tab for `connection_init`, where the
  // API looks for credentials too; the browser adds its own to the upgrade.
  const subscriptionUrl = new URL(endpoint, location).href.replace(/^http/, 'ws');
  const fetcher = GraphiQL.createFetcher({ url: endpoint, subscriptionUrl, fetch: send, enableIncrementalDelivery: false });
  const [offered, page, link] = [JSON.parse(tabs), JSON.parse(other), linkedTab()];
  try {
    restoreTabs(offered, link);
  } catch (error) {
    console.warn('The tabs could not be prepared, for want of storage:', error); // GraphiQL opens with those it has
  }
  const corner = React.createElement(Corner, { title, other: page && isReached(page) ? page : null, offered, link });
  const logo = React.createElement(GraphiQL.Logo, null, corner);
  const settings = { fetcher, storage, shouldPersistHeaders: false, defaultEditorToolsVisibility: 'variables' };
  ReactDOM.createRoot(root).render(React.createElement(GraphiQL, settings, logo));
}

if (window.GraphiQL && window.React && window.ReactDOM) {
  start(root.dataset);
} else {
  const api = new URL(root.dataset.endpoint, location);
  root.firstElementChild.textContent = `GraphiQL could not be loaded. The API itself answers at ${api}.`;
}
