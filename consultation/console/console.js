// Refreshes the page every 5 s: what is live is changed where it differs. Focus and scroll stay.
'use strict';

const INTERVAL = 5_000;
// A page takes at most 5 s of the database.
const TIMEOUT = 15_000;
const PAUSED = 'console:paused';

const content = document.getElementById('content');
const live = document.getElementById('live');
const news = document.getElementById('news');
const pause = document.getElementById('pause');
if (live && pause) start();

function start() {
  // The message of a retry is of this moment: a reload does not say it again.
  if (location.search) history.replaceState(null, '', location.pathname);
  let isPaused = wasPaused();
  let refreshing = new AbortController();
  let timer;
  const stop = () => {
    clearTimeout(timer);
    refreshing.abort();
  };
  const wait = () => { timer = setTimeout(next, INTERVAL); };
  const next = async () => {
    stop();
    if (isPaused || document.hidden) return;
    refreshing = new AbortController();
    const { signal } = refreshing;
    const goesOn = await refresh(signal);
    if (signal.aborted) return;
    if (goesOn) wait();
    else end();
  };
  const end = () => {
    document.removeEventListener('visibilitychange', next);
    pause.hidden = true;
  };
  const label = () => { pause.textContent = isPaused ? pause.dataset.resume : pause.dataset.pause; };
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    remember(isPaused);
    label();
    next();
  });
  document.addEventListener('visibilitychange', next);
  label();
  pause.hidden = false;
  if (!isPaused && !document.hidden) wait();
}

/** Asks for the page as it is now. Returns whether to ask again. */
async function refresh(signal) {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
    const answer = await fetch(location.href, { cache: 'no-store', signal: limited });
    return take(answer.status, new DOMParser().parseFromString(await answer.text(), 'text/html'));
  } catch {
    if (!signal.aborted) lose(news.dataset.lost);
    return true;
  }
}

/** Takes over what the console has answered. Returns whether the next answer may differ. */
function take(status, fresh) {
  const part = fresh.getElementById('live');
  if (part) {
    replace(part);
  } else if ([401, 403, 404].includes(status) && fresh.getElementById('message')) {
    document.title = fresh.title;
    become(content, fresh.getElementById('content'));
    content.focus();
    return false;
  } else if ([401, 403].includes(status)) {
    // To ask again would be one more login that fails.
    lose(news.dataset.refused);
    return false;
  } else {
    lose(news.dataset.lost);
  }
  return true;
}

/** Takes over what differs. The first section says in words what is new. */
function replace(fresh) {
  const before = live.querySelector('[data-news]')?.dataset.news;
  const focused = document.activeElement?.id;
  document.getElementById('notice')?.remove();
  become(live, fresh);
  if (focused && document.activeElement?.id !== focused) focus(focused);
  const now = live.querySelector('[data-news]')?.dataset.news;
  if (now !== before) say(now);
  else if (document.body.classList.contains('lost')) say('');
  document.body.classList.remove('lost');
}

/** Changes a node into another, and as little as possible: what is focused, pressed or selected stays so. */
function become(node, fresh) {
  if (node.isEqualNode(fresh)) return;
  if (node.nodeName !== fresh.nodeName || node.id !== fresh.id) {
    node.replaceWith(document.importNode(fresh, true));
  } else if (node.nodeType === Node.TEXT_NODE) {
    node.nodeValue = fresh.nodeValue;
  } else {
    for (const { name } of [...node.attributes]) if (!fresh.hasAttribute(name)) node.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    const [before, after] = [[...node.childNodes], [...fresh.childNodes]];
    before.slice(after.length).forEach((child) => child.remove());
    after.forEach((child, place) => {
      if (place < before.length) become(before[place], child);
      else node.append(document.importNode(child, true));
    });
  }
}

/** Focuses what had the focus; when it has gone, the beginning of the content. */
function focus(id) {
  const target = document.getElementById(id) ?? live.querySelector('h2');
  target?.focus({ preventScroll: true });
}

function say(text) {
  if (news.textContent !== text) news.textContent = text;
}

/** Tells that what is shown is old. */
function lose(text) {
  say(text);
  document.body.classList.add('lost');
}

/** The browser may refuse to remember anything. A pause is then of this page alone. */
function wasPaused() {
  try {
    return localStorage.getItem(PAUSED) !== null;
  } catch {
    return false;
  }
}

function remember(isPaused) {
  try {
    if (isPaused) localStorage.setItem(PAUSED, '');
    else localStorage.removeItem(PAUSED);
  } catch { /* as above */ }
}
