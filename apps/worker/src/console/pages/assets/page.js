// Pages work without this script: it shows the reader's own time, progress, and what has changed since.

const reloadAfterMs = 15_000;

function showTimes(root) {
  for (const element of root.querySelectorAll('time[datetime]')) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    element.title = date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
    element.textContent = relative(date);
  }
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

function relative(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  for (const [unit, length] of units)
    if (Math.abs(seconds) >= length) return words.format(Math.trunc(seconds / length), unit);
  return seconds > 0 ? 'in less than a minute' : 'just now';
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
    if (response.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const element of document.querySelectorAll('[data-live]')) takeOver(element, fresh);
  } catch {
    // The next event or the next look will do.
  }
  isLooking = false;
  if (isToLookAgain) {
    isToLookAgain = false;
    await lookAgain();
  }
}

function takeOver(element, fresh) {
  const successor = fresh.getElementById(element.id);
  if (successor === null || element.dataset.served === successor.innerHTML) return;
  if (element.querySelector('dialog[open], [aria-busy=true]')) return;
  const focused = element.contains(document.activeElement) ? document.activeElement.id : '';
  element.dataset.served = successor.innerHTML;
  element.replaceChildren(...successor.childNodes);
  showTimes(element);
  if (focused !== '') document.getElementById(focused)?.focus();
}

showTimes(document);
const { events } = document.querySelector('main').dataset;
if (events !== undefined) {
  let pending;
  const soon = () => {
    clearTimeout(pending);
    pending = setTimeout(lookAgain, 100);
  };
  const source = new EventSource(events);
  source.addEventListener('change', soon);
  // What was told while nobody listened.
  source.addEventListener('open', soon);
  setInterval(() => {
    showTimes(document);
    if (document.visibilityState === 'visible') void lookAgain();
  }, reloadAfterMs);
}
