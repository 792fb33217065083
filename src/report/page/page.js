/* Ties the parts together: what people do, and the address, which carries filter, order and the open variant. */

function update() {
  applyFilter();
  drawTable();
  drawExplore();
}

function changeView(name) {
  state.view = name;
  for (const radio of document.querySelectorAll('input[name=view]')) radio.checked = radio.value === name;
  if (!view(name).columns.some((c) => c.name === state.sort)) state.sort = '';
  state.rows = [];
  drawColumnChoice();
  drawExploreChoices();
  update();
}

/* So that a link to what is seen can be passed on. */
function remember() {
  const words = new URLSearchParams();
  if (state.filter.trim()) words.set('filter', state.filter.trim());
  if (state.sort) words.set('sort', state.sort + (state.descending ? ':desc' : ''));
  if (state.view !== 'trials') words.set('rows', state.view);
  history.replaceState(null, '', `#trials${String(words) ? `?${words}` : ''}`);
}

function recall(text) {
  const words = new URLSearchParams(text), [sort, order] = (words.get('sort') || '').split(':');
  Object.assign(state, {filter: words.get('filter') || '', sort, descending: order === 'desc'});
  $('filter').value = state.filter;
  changeView(words.get('rows') === 'variants' ? 'variants' : 'trials');
}

let opener = null; /* what had the focus when a variant was opened */

function openVariant(id) {
  if (document.activeElement && document.activeElement !== document.body && !$('variant').contains(document.activeElement)) opener = document.activeElement;
  $('variant').hidden = false;
  drawVariant(id);
  $('variant').focus({preventScroll: true});
  $('variant').scrollIntoView();
}

function closeVariant() {
  if ($('variant').hidden) return;
  $('variant').hidden = true;
  $('variant').replaceChildren();
  const target = opener && opener.isConnected ? opener : $('trials');
  target.focus({preventScroll: true});
  target.scrollIntoView({block: target === $('trials') ? 'start' : 'center'});
  opener = null;
}

function followAddress() {
  const hash = location.hash, variant = /^#variant-(\d{1,15})$/.exec(hash), words = /^#trials\?(.*)$/.exec(hash);
  if (variant) {
    openVariant(Number(variant[1]));
    return;
  }
  if (words) recall(words[1]);
  if (/^#trials/.test(hash)) closeVariant();
  if (words) $('trials').scrollIntoView();
}

function sortBy(name) {
  const again = state.sort === name;
  state.descending = again ? !state.descending : SHARES.has(name); /* accuracies: the best first */
  state.sort = name;
  state.rows = sortRows(view(state.view), state.rows, name, state.descending);
  state.page = 0;
  drawTable();
  remember();
  document.querySelector(`#table [data-sort="${name}"]`).focus();
}

function turnPage(where) {
  const last = Math.max(0, Math.ceil(state.rows.length / state.size) - 1);
  state.page = {first: 0, back: Math.max(0, state.page - 1), next: Math.min(last, state.page + 1), last}[where];
  drawBody(view(state.view));
  $('table-scroll').scrollTop = 0;
}

/* A file that is made when its link is followed. */
function offerFile(link, text) {
  link.href = '#';
  link.addEventListener('click', () => {
    const url = URL.createObjectURL(new Blob([text()], {type: 'text/csv'}));
    link.href = url;
    setTimeout(() => { URL.revokeObjectURL(url); link.href = '#'; }, 1000);
  });
}

function listen() {
  let timer = 0;
  $('filter').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => { state.filter = $('filter').value; update(); remember(); }, 150);
  });
  $('clear').addEventListener('click', () => { $('filter').value = state.filter = ''; update(); remember(); $('filter').focus(); });
  for (const radio of document.querySelectorAll('input[name=view]'))
    radio.addEventListener('change', () => { changeView(radio.value); remember(); });
  document.querySelector('#table thead').addEventListener('click', (event) => {
    const button = event.target.closest('[data-sort]');
    if (button) sortBy(button.dataset.sort);
  });
  document.querySelector('.pager').addEventListener('click', (event) => {
    const button = event.target.closest('[data-page]');
    if (button) turnPage(button.dataset.page);
  });
  $('page-size').addEventListener('change', () => { state.size = Number($('page-size').value); state.page = 0; drawBody(view(state.view)); });
  $('columns').addEventListener('change', (event) => {
    const chosen = view(state.view).columns.find((c) => c.name === event.target.dataset.column);
    if (chosen) { chosen.shown = event.target.checked; drawTable(); }
  });
  for (const id of ['explore-x', 'explore-y']) $(id).addEventListener('change', drawExplore);
  $('explore-plot').addEventListener('click', (event) => {
    const id = event.target.closest('[data-variant]')?.dataset.variant;
    if (/^\d+$/.test(id || '')) location.hash = `#variant-${id}`;
  });
  offerFile($('csv'), () => csvText());
  for (const link of document.querySelectorAll('a.csv'))
    offerFile(link, () => csvOfFigure(link.dataset.from));
  /* Figures are in the page once; the link to save one takes it from there. */
  for (const link of document.querySelectorAll('a.svg'))
    link.href = link.closest('figure').querySelector('img').src;
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !$('variant').hidden) location.hash = '#trials';
  });
  addEventListener('hashchange', followAddress);
  /* Paper has nothing to open. */
  addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('details:not(.help, [open])')) { d.open = true; d.classList.add('for-print'); } });
  addEventListener('afterprint', () => { for (const d of document.querySelectorAll('details.for-print')) { d.open = false; d.classList.remove('for-print'); } });
  let width = innerWidth;
  addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; drawExplore(); } });
}

/* Links to parts that this database has nothing for. */
for (const link of document.querySelectorAll('nav a'))
  if (!document.getElementById(link.hash.slice(1))) link.remove();

$('explorer').hidden = trialRows.length === 0;
if (trialRows.length === 0) $('trials').append(el('p', {}, 'No trial yet.'));
changeView('trials');
listen();
followAddress();
