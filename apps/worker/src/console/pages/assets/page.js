// Pages work without this script: it shows the reader's own time, progress, and what has changed since.

const reloadAfterMs = 15_000;

function showTimes(root) {
  for (const element of root.querySelectorAll('time[datetime]')) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    element.title = date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
    const text = relative(date, element.classList.contains('due'));
    if (element.textContent !== text) element.textContent = text;
  }
}

function relative(date, isDue) {
  const seconds = Math.round((date.getTime() - Date.now()) / 1_000);
  if (seconds > 0) return `in ${inWords(seconds)}`;
  if (isDue) return 'now';
  return seconds > -5 ? 'just now' : `${inWords(-seconds)} ago`;
}

function inWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 600)
    return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.trunc(minutes / 60)} h ${minutes % 60} min`;
  if (minutes < 2_880) return `${Math.round(minutes / 60)} h`;
  return `${Math.round(minutes / 1_440)} days`;
}

/** Asks in a dialog what the page behind a link would ask. */
document.addEventListener('click', (event) => {
  const opener = event.target.closest?.('[data-dialog]');
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog?.showModal !== undefined && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    dialog.showModal();
  }
  const closer = event.target.closest?.('[data-close]');
  if (closer) {
    event.preventDefault();
    closer.closest('dialog')?.close();
  }
  const copier = event.target.closest?.('[data-copy]');
  if (copier) void copy(copier);
});

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  await navigator.clipboard?.writeText(field.value).catch(() => undefined);
  button.textContent = 'Copied';
}

// A second click must not do it twice.
document.addEventListener('submit', (event) => {
  const button = event.submitter;
  if (button?.getAttribute('aria-busy') === 'true') return event.preventDefault();
  if (!button) return;
  button.setAttribute('aria-busy', 'true');
  if (button.dataset.busy) button.textContent = button.dataset.busy;
});

// A page that comes back from the browser's memory is not waiting any more.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

let isLooking = false;
let isToLookAgain = false;

/** Reads this page once more, and takes over the parts that have changed. */
async function lookAgain() {
  if (isLooking) {
    isToLookAgain = true;
    return;
  }
  isLooking = true;
  try {
    const response = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' } });
    // The session is over: the page that comes in place of this one says what to do.
    if (response.redirected || response.status === 401) return location.reload();
    tellWhetherStale(!response.ok);
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const element of document.querySelectorAll('[data-live]')) takeOver(element, fresh);
  } catch {
    tellWhetherStale(true);
  }
  isLooking = false;
  if (isToLookAgain) {
    isToLookAgain = false;
    await lookAgain();
  }
}

/** What does not change any more must not look as if it were so now. */
function tellWhetherStale(isStale) {
  const place = document.getElementById('stale');
  const text = isStale ? place.dataset.text : '';
  if (place.textContent !== text) place.textContent = text;
}

function takeOver(element, fresh) {
  const successor = fresh.getElementById(element.id);
  if (successor === null || served.get(element) === successor.innerHTML) return;
  if (element.querySelector('dialog[open], [aria-busy=true]')) return;
  const focused = element.contains(document.activeElement) ? document.activeElement.id : '';
  served.set(element, successor.innerHTML);
  element.replaceChildren(...successor.childNodes);
  showTimes(element);
  // What it said was under way is among the news now.
  if (element.id === 'news') document.getElementById('passing')?.remove();
  if (focused !== '') document.getElementById(focused)?.focus();
}

const served = new WeakMap();
for (const element of document.querySelectorAll('[data-live]')) served.set(element, element.innerHTML);
showTimes(document);
setInterval(() => {
  if (document.visibilityState === 'visible') showTimes(document);
}, 1_000);
// What a page says once, of what was just done, is not said again when it is reloaded.
if (new URLSearchParams(location.search).has('notice')) history.replaceState(null, '', location.pathname);
const { events } = document.querySelector('main').dataset;
if (events !== undefined) {
  let isPlanned = false;
  let nextLook = 0;
  const soon = () => {
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(
      async () => {
        isPlanned = false;
        const begun = Date.now();
        await lookAgain();
        // Where much happens, one look a second is enough, and less where it costs the server more.
        nextLook = Date.now() + Math.max(1_000, 10 * (Date.now() - begun));
      },
      Math.max(100, nextLook - Date.now()),
    );
  };
  const source = new EventSource(events);
  source.addEventListener('change', soon);
  // What was told while nobody listened.
  source.addEventListener('open', soon);
  setInterval(() => {
    if (document.visibilityState === 'visible') void lookAgain();
  }, reloadAfterMs);
}
