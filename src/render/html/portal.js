'use strict';
// Search and copying. Everything that the page shows is in it already.
const entries = [...document.querySelectorAll('.holding')];
const search = document.getElementById('search');
const shown = document.getElementById('shown');
const said = document.getElementById('said');
const mock = document.querySelector('.mock');
const groups = [...document.querySelectorAll('.group')];

// Words narrow; an entry is found by its code, and by its description.
const texts = new Map(entries.map(entry => {
  const code = decodeURIComponent(entry.querySelector('.copy').dataset.code);
  return [entry, `${code} ${entry.querySelector('div').textContent}`.toLowerCase()];
}));
const filter = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const [entry, text] of texts) {
    entry.hidden = !words.every(word => text.includes(word));
    count += !entry.hidden;
  }
  for (const group of groups) group.hidden = !group.querySelector('.holding:not([hidden])');
  // Show the results at once, not below a picture of something else.
  if (mock) mock.hidden = words.length > 0;
  shown.textContent = count === entries.length ? `all ${count} shown` : `${count} of ${entries.length} shown`;
};
search.addEventListener('input', filter);

// Where a browser gives no clipboard, the code is marked, ready to be copied by hand.
let soon = 0;
const say = text => {
  said.textContent = text;
  clearTimeout(soon);
  soon = setTimeout(() => { said.textContent = ''; }, 3000);
};
const copy = async button => {
  const code = button.closest('.holding').querySelector('code');
  try {
    await navigator.clipboard.writeText(decodeURIComponent(button.dataset.code));
    say(`Copied ${code.textContent}`);
  } catch {
    getSelection().selectAllChildren(code);
    say('Marked: copy it with the keyboard');
  }
};
for (const button of document.querySelectorAll('.copy')) {
  button.hidden = false;
  button.addEventListener('click', () => copy(button));
}

// Keys: / to the search, Escape to empty it, j and k from entry to entry, c to copy the code of the one with the focus.
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === search) {
    if (event.key === 'Escape') {
      search.value = '';
      filter();
    }
    return;
  }
  const focused = document.activeElement.closest('.holding');
  if (event.key === '/') {
    event.preventDefault();
    search.focus();
  } else if (event.key === 'j' || event.key === 'k') {
    const visible = entries.filter(entry => !entry.hidden);
    const at = visible.indexOf(focused);
    const next = visible[event.key === 'j' ? at + 1 : Math.max(at, 1) - 1];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: 'nearest' });
  } else if (event.key === 'c' && focused) {
    copy(focused.querySelector('.copy'));
  }
});
document.querySelector('.tools').hidden = false;
filter();
