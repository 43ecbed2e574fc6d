'use strict';
// Interaction in the page. Everything is in the page already: without this script nothing is missing.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};
// A copy of an image that screen readers have announced already: it has no label.
const copy = image => {
  const twin = image.cloneNode();
  twin.removeAttribute('role');
  twin.removeAttribute('aria-label');
  return twin;
};
const root = document.documentElement;

// What the page leaves out because it is the same on every card of an action: words, links, names for screen readers.
const finish = element => {
  const heading = element.querySelector('h3');
  if (!heading.firstElementChild) heading.replaceChildren(make('bdi', {}, ...heading.childNodes));
  const name = heading.lastElementChild;
  const link = make('a', { href: `#${element.id}` });
  name.replaceWith(link);
  link.append(name);
  element.tabIndex = -1;
  const say = (image, words) => {
    image.role = 'img';
    image.ariaLabel = words;
  };
  if (element.matches('.tile')) {
    all(':scope>.p:not(.none)', element).forEach(image => say(image, name.textContent));
    return;
  }
  const word = ['create', 'replace', 'delete', 'rename', 'unknown'].find(word => element.classList.contains(word));
  const figures = all(':scope>figure', element);
  const inGrid = element.matches('.grid>*');
  if (word) heading.prepend(make('em', {}, word), ' ');
  for (const figure of figures) {
    const { className } = figure;
    const [image, ...words] = figure.childNodes;
    const side = className || (word ? 'after' : '');
    if (!['before', 'diff'].includes(className)) figure.classList.add('after');
    if (className === 'diff') say(image, `changed pixels of ${name.textContent}`);
    else {
      if (!image.matches('.none')) say(image, `${name.textContent} ${side}`.trim());
      // The one image of a create or a delete needs no label, unless it is not what the portal has now.
      if (side && (!inGrid || side === 'planned')) words.unshift(make('b', {}, side), ' ');
    }
    figure.replaceChildren(image, make('figcaption', {}, ...words));
  }
  const header = make('header', {}, make('span', { className: 'mark' }), heading, ...all(':scope>p', element));
  element.prepend(header, make('div', { className: 'row' }, ...figures));
};
all('.card,.tile').forEach(finish);
const entries = all('.card,.tile').map(element => ({
  element,
  // The search skips captions: every card has before and after.
  text: all('h3,header p,.findings', element).map(part => part.textContent).join(' ').toLowerCase(),
  action: ['create', 'replace', 'delete', 'rename', 'unknown', 'unchanged', 'declared'].find(word => element.classList.contains(word)),
  kind: element.classList.contains('icon') ? 'icon' : 'logo',
  findings: element.querySelector('.findings') !== null,
}));
const search = document.getElementById('search');
const shown = document.getElementById('shown');

const groups = all('.group');

// The position among the entries that are shown, in numbers.
let current = null;
const place = make('span', { className: 'place' }, '');
const standing = () => {
  const visible = entries.filter(entry => !entry.element.hidden).map(entry => entry.element);
  return [visible, visible.indexOf(current)];
};
const showPlace = () => {
  const [visible, at] = standing();
  place.textContent = `${at < 0 ? '–' : at + 1} / ${visible.length}`;
};

// Filters: pressed counts of one sort widen, those of different sorts and the search narrow.
const pressed = { action: new Set(), kind: new Set(), findings: new Set() };
const filter = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const entry of entries) {
    const visible = (!pressed.action.size || pressed.action.has(entry.action))
      && (!pressed.kind.size || pressed.kind.has(entry.kind))
      && (!pressed.findings.size || entry.findings)
      && words.every(word => entry.text.includes(word));
    if (entry.element.hidden === visible) entry.element.hidden = entry.thumb.hidden = !visible;
    count += visible;
  }
  for (const group of groups) group.hidden = !group.querySelector(':is(.card,.tile):not([hidden])');
  shown.textContent = count === entries.length ? `all ${count} shown` : `${count} of ${entries.length} shown`;
  showPlace();
};
for (const chip of all('.chips li')) {
  const [sort, value] = Object.entries(chip.dataset)[0];
  const button = make('button', { type: 'button', ariaPressed: 'false' }, ...chip.childNodes);
  button.addEventListener('click', () => {
    const press = !pressed[sort].delete(value);
    if (press) pressed[sort].add(value);
    button.ariaPressed = String(press);
    filter();
  });
  chip.replaceChildren(button);
}
const clear = () => {
  search.value = '';
  Object.values(pressed).forEach(values => values.clear());
  all('.chips button').forEach(button => { button.ariaPressed = 'false'; });
  filter();
};
let soon = 0;
search.addEventListener('input', () => {
  clearTimeout(soon);
  soon = setTimeout(filter, 80);
});
for (const name of ['size', 'ground', 'theme']) {
  document.getElementById(name).addEventListener('change', event => { root.dataset[name] = event.target.value; });
}

// At a glance: every entry at its own size, each a link to its card.
const glance = document.querySelector('.glance');
for (const entry of entries) {
  const { element, action, kind } = entry;
  const images = all('.before>.p,.after>.p', element);
  const link = make('a', { href: `#${element.id}`, className: `thumb ${action} ${kind}`, title: element.querySelector('h3').textContent });
  link.setAttribute('aria-label', link.title);
  link.append(make('span', { className: 'mark' }), ...(images.length ? images : all('.p', element)).map(copy));
  entry.thumb = link;
}
glance.append(...entries.map(entry => entry.thumb));
glance.hidden = entries.length < 2;

// What a card gets when it comes into sight: swipe and onion skin, and the portal's grounds at the portal's size.
const compare = (card, before, after) => {
  const name = card.querySelector('h3 a').textContent;
  const stage = make('div', { className: 'stage swipe' }, copy(before), copy(after));
  const range = make('input', { type: 'range', min: 0, max: 100 });
  range.setAttribute('aria-label', `Before and after of ${name}`);
  const is = way => stage.classList.contains(way);
  // Swipe: before is left of the line, after right of it. Onion skin: how much of after lies over before. Flip: all or none.
  const slide = value => {
    range.value = value;
    range.setAttribute('aria-valuetext', is('swipe') ? `line at ${range.value} percent` : `${range.value} percent after`);
    stage.style.setProperty('--at', `${range.value}%`);
  };
  const drag = event => {
    const box = stage.getBoundingClientRect();
    slide((event.clientX - box.left) / box.width * 100);
  };
  range.addEventListener('input', () => slide(range.value));
  stage.addEventListener('pointerdown', event => {
    stage.setPointerCapture(event.pointerId);
    if (is('flip')) slide(100 - range.value);
    else drag(event);
  });
  stage.addEventListener('pointermove', event => { if (event.buttons && !is('flip')) drag(event); });
  // What the range shows at its ends. A line at the left uncovers all of what is right of it.
  const ends = make('p', { className: 'ends' });
  const nameEnds = () => ends.replaceChildren(...(is('swipe') ? ['all after', 'all before'] : ['before', 'after']).map(end => make('span', {}, end)));
  const ways = [['swipe', 'swipe'], ['onion', 'onion skin'], ['flip', 'flip']].map(([way, words]) => {
    const radio = make('input', { type: 'radio', name: `way ${card.id}`, checked: way === 'swipe' });
    radio.addEventListener('change', () => {
      stage.className = `stage ${way}`;
      range.step = way === 'flip' ? 100 : 1;
      slide(way === 'flip' ? 100 : 50);
      nameEnds();
    });
    return make('label', {}, radio, words);
  });
  slide(50);
  nameEnds();
  return make('figure', { className: 'over' }, framed(stage), range, ends, make('figcaption', {}, ...ways));
};
// What scrolls sideways can be reached by keyboard, and nothing else is an extra stop.
const reachable = new ResizeObserver(seen => {
  for (const { target } of seen) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute('tabindex');
  }
});
const framed = (inside, plain) => make('div', { className: 'frame' }, make('div', { className: plain ? 'ground plain' : 'ground' }, inside));
const spots = {
  icon: ['blue', 'green', 'red', 'white'].map(tone => [tone, `marker ${tone}`]),
  logo: ['sky', 'rose', 'grey', 'sand'].map(tone => [tone, `logotile ${tone}`]),
};
const spot = (style, image) => make('span', { className: style.startsWith('spot') ? style : `spot ${style}` }, copy(image));
const fewGrounds = (kind, image) => {
  const row = make('div', { className: 'grounds' }, ...spots[kind].map(([, style]) => spot(style, image)));
  row.role = 'group';
  row.ariaLabel = `At 1× on the portal’s grounds: ${spots[kind].map(([tone]) => tone).join(', ')}`;
  return row;
};
const grounds = (kind, rows) => {
  const places = [...spots[kind], ['light', 'spot light'], ['dark', 'spot dark']];
  const head = make('tr', {}, make('td'), ...places.map(([name]) => make('th', { scope: 'col' }, name)));
  const body = rows.map(([when, image]) => make('tr', {}, make('th', { scope: 'row' }, when),
    ...places.map(([, style]) => make('td', {}, spot(style, image)))));
  const table = make('table', {}, make('thead', {}, head), make('tbody', {}, ...body));
  table.setAttribute('aria-label', 'At 1×, on the portal’s grounds and on light and dark pages');
  return make('div', { className: 'grounds' }, table);
};
const dress = card => {
  const entry = entries.find(entry => entry.element === card);
  const row = card.querySelector('.row');
  const image = side => row.querySelector(`.${side}>.p:not(.none)`);
  const [before, after] = [image('before'), image('after')];
  const rows = [['before', before], [row.querySelector('.planned') ? 'planned' : 'after', after]].filter(([, image]) => image);
  const extras = [];
  if (row.querySelector('.diff')) extras.push(compare(card, before, after));
  if (card.matches('.grid>*')) {
    if (rows.length) row.after(fewGrounds(entry.kind, after ?? before));
  } else if (rows.length) extras.push(grounds(entry.kind, rows));
  for (const image of all('figure>.p:not(.none)', row)) {
    const figure = image.parentElement;
    figure.prepend(framed(image, figure.className === 'diff'));
  }
  row.append(...extras);
  all('.frame,.grounds', card).forEach(scrolled => reachable.observe(scrolled));
};
const near = new IntersectionObserver(seen => {
  for (const { target, isIntersecting } of seen) {
    if (isIntersecting) {
      near.unobserve(target);
      dress(target);
    }
  }
}, { rootMargin: '800px' });
// A page that is not long is drawn completely, so that one screenshot has everything.
all('.card').forEach(card => { if (root.querySelector('.many')) near.observe(card); else dress(card); });

// The target of a link is placed below the tools, however high these are.
const tools = document.querySelector('.tools');
const padding = [...document.styleSheets[0].cssRules].find(rule => rule.selectorText === 'html');
new ResizeObserver(() => {
  const over = getComputedStyle(tools).position === 'sticky' ? tools.offsetHeight : 0;
  padding.style.scrollPaddingTop = `${over + 16}px`;
}).observe(tools);

// Deep links: the card is shown even if a filter hides it, and has the focus.
const follow = () => {
  const entry = document.getElementById(location.hash.slice(1))?.closest('.card,.tile');
  if (!entry) return;
  if (entry.hidden) clear();
  entry.focus({ preventScroll: true });
  entry.scrollIntoView({ block: 'start' });
  // An entry gets its true height only when it comes into sight: scroll again when it has.
  requestAnimationFrame(() => setTimeout(() => entry.scrollIntoView({ block: 'start' })));
};
addEventListener('hashchange', follow);

// From entry to entry, by button or key.
const step = forward => {
  const [visible, at] = standing();
  const next = visible[forward ? at + 1 : Math.max(at, 1) - 1];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
};
addEventListener('focusin', event => {
  current = event.target.closest('.card,.tile') ?? current;
  showPlace();
});
const arrow = (forward, label, sign, key) => {
  const button = make('button', { type: 'button', ariaLabel: label, title: `${label} (${key})` }, sign);
  button.setAttribute('aria-keyshortcuts', key);
  button.addEventListener('click', () => step(forward));
  return button;
};
shown.before(make('span', { className: 'steps' }, arrow(false, 'previous entry', '‹', 'k'), place, arrow(true, 'next entry', '›', 'j')));

// Keys: / to the search, j and k from card to card, Escape to empty the search.
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches('input,select,textarea')) {
    if (event.key === 'Escape' && event.target === search) clear();
    return;
  }
  if (event.key === '/') {
    event.preventDefault();
    search.focus();
  } else if (event.key === 'j' || event.key === 'k') {
    step(event.key === 'j');
  }
});
document.querySelector('.choices').hidden = false;
filter();
// The browser's own jump to the fragment comes after this script, and can take the focus away.
addEventListener('load', () => requestAnimationFrame(() => setTimeout(follow)));
