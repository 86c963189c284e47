// Refreshes the page every 5 s: what is live is changed where it differs. Focus and scroll stay.
'use strict';

const INTERVAL = 5_000;
const PAUSED = 'console:paused';

const live = document.getElementById('live');
const news = document.getElementById('news');
const pause = document.getElementById('pause');
if (live && pause) start();

function start() {
  // The message of a retry is of this moment: a reload does not say it again.
  if (location.search) history.replaceState(null, '', location.pathname);
  let timer;
  const isPaused = () => localStorage.getItem(PAUSED) !== null;
  const label = () => { pause.textContent = isPaused() ? pause.dataset.resume : pause.dataset.pause; };
  const wait = () => {
    clearTimeout(timer);
    if (!isPaused() && !document.hidden) timer = setTimeout(next, INTERVAL);
  };
  const next = async () => {
    await refresh();
    wait();
  };
  pause.addEventListener('click', () => {
    if (isPaused()) localStorage.removeItem(PAUSED);
    else localStorage.setItem(PAUSED, '');
    label();
    if (isPaused()) wait();
    else next();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || isPaused()) wait();
    else next();
  });
  label();
  pause.hidden = false;
  wait();
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: 'no-store' });
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live');
    if (!fresh) throw new Error(`status ${answer.status}`);
    replace(fresh);
  } catch {
    say(news.dataset.lost);
    document.body.classList.add('lost');
  }
}

/** Takes over what differs. The first section says in words what is new. */
function replace(fresh) {
  const before = live.querySelector('[data-news]')?.dataset.news;
  const focused = document.activeElement?.id;
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
