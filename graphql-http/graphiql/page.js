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

function start({ endpoint, title, tabs }) {
  // The client for subscriptions is inside graphiql.min.js. It is given the Headers tab for `connection_init`, where the
  // API looks for credentials too; the browser adds its own to the upgrade.
  const subscriptionUrl = new URL(endpoint, location).href.replace(/^http/, 'ws');
  const fetcher = GraphiQL.createFetcher({ url: endpoint, subscriptionUrl, fetch: send, enableIncrementalDelivery: false });
  const logo = React.createElement(GraphiQL.Logo, null, title);
  const settings = { fetcher, storage, defaultTabs: JSON.parse(tabs), shouldPersistHeaders: false };
  ReactDOM.createRoot(root).render(React.createElement(GraphiQL, settings, logo));
}

if (window.GraphiQL && window.React && window.ReactDOM) {
  start(root.dataset);
} else {
  const api = new URL(root.dataset.endpoint, location);
  root.firstElementChild.textContent = `GraphiQL could not be loaded. The API itself answers at ${api}.`;
}
