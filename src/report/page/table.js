/* The model of the page: rows (trials, or means over seeds) and the columns both have, and the table that shows them. */

const data = JSON.parse(document.getElementById('data').textContent);
for (const table of [data.trials, data.others, data.recipes, data.variants, data.epochs.curves]) table.rows = tableRows(table);

const SHARES = new Set(['val_top1', 'val_top5', 'test_top1', 'test_top5', 'val_top1_sd', 'test_top1_sd']);
/* Shown when they differ between rows; the others can be chosen. */
const AXES = ['base_e', 'incr_e', 'freq', 'sr', 'pct3x3', 'also', 'bypass', 'pools', 'fires', 'pool_rounding', 'conv1_filters', 'conv1_kernel',
  'conv1_stride', 'conv1_pad', 'conv10_relu', 'conv10_pad', 'input', 'classes', 'epochs_planned', 'batch', 'accumulate',
  'optimizer', 'lr', 'momentum', 'nesterov', 'schedule', 'warmup', 'weight_decay', 'decay_biases', 'clip', 'smoothing', 'dropout', 'init',
  'beta1', 'beta2', 'epsilon', 'flip', 'crop_pad', 'crop_border', 'lanes', 'winograd', 'numerics'];
const TITLES = {sr: 'SR', model_mib: 'MiB', val_top1: 'val_top1 %', val_top5: 'val_top5 %', test_top1: 'test_top1 %', test_top5: 'test_top5 %',
  val_top1_sd: 'sd, points', test_top1_sd: 'sd, points'};

function indexById(table) {
  const map = new Map();
  for (const row of table.rows) map.set(row[0], row);
  return map;
}
const variantById = indexById(data.variants), recipeById = indexById(data.recipes), curveByTrial = indexById(data.epochs.curves);
const column = (table, name) => data[table].columns.indexOf(name);
const T = Object.fromEntries(data.trials.columns.map((name, i) => [name, i]));
const V = Object.fromEntries(data.variants.columns.map((name, i) => [name, i]));
const R = Object.fromEntries(data.recipes.columns.map((name, i) => [name, i]));
const NOTHING = [];

/* What a trial goes by, its own name first: blocks, and points whose layers are equal. None: its block and its variant's values. */
const namesOf = new Map();
for (const values of data.others.rows) {
  const name = Object.fromEntries(data.others.columns.slice(1).map((column, i) => [column, values[i + 1]]));
  if (!namesOf.has(values[0])) namesOf.set(values[0], []);
  namesOf.get(values[0]).push(name);
}

/* Rows: t the trial's values, v its variant's, r its recipe's. */
const trialRows = data.trials.rows.map((t) => ({t, v: variantById.get(t[T.variant]) || NOTHING, r: recipeById.get(t[T.recipe]) || NOTHING,
  names: namesOf.get(t[T.trial]) || NOTHING})).map((row) => ({...row, as: row.names[0]}));

function spread(values) {
  if (!values.length) return [null, null];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const sd = values.length > 1 ? Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1)) : null;
  return [mean, sd];
}

/* A training of a search's shorter rung: in the table, but no result. */
const isShorter = (row) => (row.t ? row.t[T.shorter_rung] : row.m.shorter_rung) === 1;

/* No spec names it any more: likewise. */
const isOutside = (row) => (row.t ? row.t[T.outside] : row.m.outside) === 1;

/* Trials that differ in nothing but the seed. */
const groupOf = (row) => ['variant', 'recipe', 'data', 'outside'].map((name) => row.t[T[name]]).join('/');

/* One row for each variant, recipe and data: means over its finished seeds; those outside the spec apart. */
function meanRows() {
  const groups = new Map();
  for (const row of trialRows) {
    const key = groupOf(row);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  return [...groups.values()].map((rows) => {
    const done = rows.filter((row) => row.t[T.state] === 'done');
    const of = (name) => spread(done.map((row) => row.t[T[name]]).filter((v) => v !== null));
    const m = {rung: rows[0].t[T.rung], shorter_rung: Math.min(...rows.map((row) => row.t[T.shorter_rung])), outside: rows[0].t[T.outside], seeds: rows.length, done: done.length, sweep: rows[0].t[T.sweep], block: rows[0].t[T.block], also: rows[0].t[T.also], variant: rows[0].t[T.variant], recipe: rows[0].t[T.recipe], data: rows[0].t[T.data],
      epochs: Math.max(...rows.map((row) => row.t[T.epochs]))};
    for (const name of ['val_top1', 'val_top5', 'val_loss', 'test_top1', 'test_top5', 'test_loss', 'train_s'])
      [m[name], m[`${name}_sd`]] = of(name);
    return {m, v: rows[0].v, r: rows[0].r, names: rows.flatMap((row) => row.names), as: rows[0].as};
  });
}

function differs(rows, get) {
  for (const row of rows) if (get(row) !== get(rows[0])) return true;
  return false;
}

function makeColumns(view, rows) {
  const own = view === 'trials' ? (name) => (row) => row.t[T[name]] : (name) => (row) => row.m[name];
  const ownNames = view === 'trials' ? data.trials.columns
    : ['variant', 'recipe', 'data', 'sweep', 'block', 'also', 'rung', 'shorter_rung', 'outside', 'seeds', 'done', 'epochs', 'val_top1', 'val_top1_sd', 'test_top1', 'test_top1_sd', 'test_top5', 'val_top5', 'val_loss', 'test_loss', 'train_s'];
  const variant = data.variants.columns.filter((n) => !['variant', 'names', 'widths', 'clamped', 'shape'].includes(n));
  const recipe = data.recipes.columns.filter((n) => n !== 'recipe');
  const all = new Map();
  const add = (name, own) => {
    const get = data.others.columns.includes(name) ? (row) => row.as && name in row.as ? row.as[name] : own(row) : own;
    all.set(name, {name, get, title: TITLES[name] || name});
  };
  for (const name of variant) add(name, (row) => row.v[V[name]]);
  add('model_mib', (row) => row.v[V.model_bytes] / 1048576);
  for (const name of recipe) add(name, (row) => row.r[R[name]]);
  for (const name of ownNames) add(name, own(name));
  /* A block has one name in two spellings: alone, and with its sweep's before it. */
  const block = all.get('block'), sweep = all.get('sweep');
  block.spellings = (row) => {
    const name = block.get(row) ?? null, whole = `${sweep.get(row)}/`;
    if (name === null) return [null];
    const bare = name.startsWith(whole) ? name.slice(whole.length) : name;
    return [bare, whole + bare];
  };
  /* What a row is and what came of it stands first, in view also on a phone; what makes it different behind. */
  const order = ['trial', 'variant', 'val_top1', 'val_top1_sd', 'test_top1', 'test_top1_sd', 'model_mib', 'params', 'latency_ms', 'state', 'seed', 'seeds', 'done',
    ...AXES, 'data', 'sweep', 'block', 'rung', 'epochs', 'train_s', 'message', ...ownNames, 'macs'].filter((n) => all.has(n));
  const columns = [...new Set([...order, ...all.keys()])].map((n) => all.get(n));
  for (const c of columns) {
    c.empty = !rows.some((row) => (c.get(row) ?? null) !== null);
    c.number = c.empty || rows.some((row) => typeof c.get(row) === 'number');
    Object.assign(c, {type: c.number ? 'number' : 'text', unit: c.number ? 'plain' : 'any', share: SHARES.has(c.name)}, data.names[c.name]);
    c.shown = shownAtFirst(c, rows);
  }
  return columns;
}

function shownAtFirst(c, rows) {
  if (['variant', 'params', 'model_mib', 'test_top1', 'val_top1', 'state', 'done', 'trial'].includes(c.name))
    return ['trial', 'variant', 'params', 'model_mib', 'state', 'done'].includes(c.name) || rows.some((row) => (c.get(row) ?? null) !== null);
  if (c.name === 'train_s' || c.name === 'epochs' || c.name === 'latency_ms' || c.name === 'message' || c.name.endsWith('_sd')) return rows.some((row) => (c.get(row) ?? null) !== null);
  return (AXES.includes(c.name) || ['data', 'sweep', 'block', 'rung', 'seed'].includes(c.name)) && differs(rows, c.get);
}

function shown(c, v) {
  if (v === null || v === undefined) return '–';
  if (typeof v !== 'number') return String(v);
  if (SHARES.has(c.name)) return (100 * v).toFixed(2);
  if (c.name === 'model_mib') return v.toFixed(3);
  if (c.name.endsWith('_s')) return v.toFixed(1);
  if (Number.isInteger(v)) return Math.abs(v) >= 1e4 ? v.toLocaleString('en-US') : String(v);
  return String(Number(v.toPrecision(5)));
}

const views = {};
function view(name) {
  if (!views[name]) {
    const rows = name === 'trials' ? trialRows : meanRows();
    const columns = makeColumns(name, rows);
    const byName = new Map(columns.map((c) => [c.name.toLowerCase(), c]));
    views[name] = {name, rows, columns, byName, text: null};
  }
  return views[name];
}

/* Each row's words, made when somebody searches for the first time. */
function rowTexts(v) {
  if (!v.text) v.text = v.rows.map((row) => v.columns.map((c) => c.get(row) ?? '').join('\u0001').toLowerCase());
  return v.text;
}

/* Rows that meet the filter; throws FilterError. */
function filterRows(v, text) {
  const wanted = text.trim();
  if (!wanted) return v.rows.slice();
  if (looksLikeCondition(wanted, v.byName)) {
    const test = compileFilter(wanted, v.byName);
    return v.rows.filter((row) => row.names.length ? row.names.some((as) => test({...row, as})) : test(row));
  }
  const words = wanted.toLowerCase().split(/\s+/), texts = rowTexts(v);
  return v.rows.filter((_, i) => words.every((w) => texts[i].includes(w)));
}

const collator = new Intl.Collator('en', {numeric: true});
/* Numbers as numbers, texts as people sort them, rows without a value last in either order. */
function sortRows(v, rows, by, descending) {
  const c = v.columns.find((x) => x.name === by);
  if (!c) return rows;
  const keyed = rows.map((row, i) => ({row, i, key: c.get(row) ?? null}));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.i - b.i;
    const order = typeof a.key === 'number' && typeof b.key === 'number' ? a.key - b.key : collator.compare(String(a.key), String(b.key));
    return (descending ? -order : order) || a.i - b.i;
  });
  return keyed.map((k) => k.row);
}

/* What is shown now. */
const state = {view: 'trials', filter: '', sort: '', descending: false, page: 0, size: 50, rows: [], wrong: '', words: false};
const $ = (id) => document.getElementById(id);

function applyFilter() {
  const v = view(state.view), input = $('filter'), message = $('filter-message');
  try {
    state.words = state.filter.trim() !== '' && !looksLikeCondition(state.filter, v.byName);
    state.rows = sortRows(v, filterRows(v, state.filter), state.sort, state.descending);
    state.wrong = '';
  } catch (problem) {
    if (!(problem instanceof FilterError)) throw problem;
    state.wrong = problem.message; /* the rows of before stay */
  }
  const all = v.rows.length.toLocaleString('en-US'), what = state.view === 'trials' ? 'trials' : differs(v.rows, (row) => row.m.data) ? 'variants, recipes and data' : 'variants and recipes';
  message.textContent = state.wrong || (state.filter.trim() ? `${state.rows.length.toLocaleString('en-US')} of ${all} ${what} ${state.words ? 'contain these words' : 'match'}` : `${all} ${what}`);
  message.className = state.wrong ? 'wrong' : '';
  input.setAttribute('aria-invalid', state.wrong ? 'true' : 'false');
  state.page = 0;
}

function drawHead(v) {
  const row = el('tr');
  for (const c of v.columns.filter((x) => x.shown)) {
    const sorted = c.name === state.sort;
    const button = el('button', {type: 'button', 'data-sort': c.name}, c.title);
    const th = el('th', {scope: 'col', 'data-title': c.title, class: c.number ? 'number' : null, 'aria-sort': sorted ? (state.descending ? 'descending' : 'ascending') : 'none'}, button);
    row.append(th);
  }
  document.querySelector('#table thead').replaceChildren(row);
}

function cell(c, row) {
  const value = c.get(row), text = shown(c, value);
  if (c.name === 'variant') return el('td', {class: 'number'}, el('a', {href: `#variant-${value}`}, text));
  if (c.name === 'state') return el('td', {class: 'state'}, el('i', {class: `s-${String(value)}`, 'aria-hidden': 'true'}), text.replace('_', ' '));
  if (c.name === 'rung' && isShorter(row)) return el('td', {class: 'number'}, `${text}, shorter`);
  if (c.name === 'sweep' && isOutside(row)) return el('td', {}, 'outside the spec');
  return el('td', {class: c.number ? 'number' : null, title: text.length > 40 ? text : null}, text);
}

function drawBody(v) {
  const columns = v.columns.filter((c) => c.shown), from = state.page * state.size;
  const rows = state.rows.slice(from, from + state.size).map((row) => el('tr', {class: isShorter(row) ? 'shorter' : isOutside(row) ? 'outside' : null}, ...columns.map((c) => cell(c, row))));
  document.querySelector('#table tbody').replaceChildren(...(rows.length ? rows : [el('tr', {}, el('td', {colspan: Math.max(1, columns.length)}, 'No row matches.'))]));
  const last = Math.max(0, Math.ceil(state.rows.length / state.size) - 1);
  $('pages').textContent = state.rows.length ? `${from + 1} to ${Math.min(from + state.size, state.rows.length)} of ${state.rows.length.toLocaleString('en-US')}` : 'none';
  for (const button of document.querySelectorAll('[data-page]'))
    button.disabled = ['first', 'back'].includes(button.dataset.page) ? state.page === 0 : state.page >= last;
}

function drawTable() {
  const v = view(state.view);
  drawHead(v);
  drawBody(v);
}

function drawColumnChoice() {
  const v = view(state.view);
  $('columns').replaceChildren(el('legend', {}, 'Columns shown'), ...v.columns.map((c) => {
    const box = el('input', {type: 'checkbox', 'data-column': c.name});
    box.checked = c.shown;
    return el('label', {}, box, ` ${c.name}`);
  }));
}

/* RFC 4180; a text that a spreadsheet would run as a formula gets a blank before it. */
function csvLines(names, rows) {
  const field = (v) => {
    if (v === null || v === undefined) return '';
    let text = String(v);
    if (typeof v !== 'number' && /^[=+\-@]/.test(text)) text = ` ${text}`;
    return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows].map((row) => row.map(field).join(',')).join('\n') + '\n';
}

function csvText(rows = state.rows, columns = view(state.view).columns.filter((c) => c.shown)) {
  return csvLines(columns.map((c) => c.name), rows.map((row) => columns.map((c) => c.get(row))));
}

/* Every epoch of the page's learning curves. */
function csvOfCurves() {
  const columns = view('trials').columns.filter((c) => ['trial', 'variant', 'recipe', 'seed', 'block'].includes(c.name) || ([...AXES, 'data'].includes(c.name) && c.shown));
  const series = data.epochs.curves.columns.slice(2), rows = [];
  for (const row of trialRows) {
    const [epochs, ...values] = (curveByTrial.get(row.t[T.trial]) || []).slice(1).map(differences), before = columns.map((c) => c.get(row));
    (epochs || []).forEach((epoch, i) => rows.push([...before, epoch, ...values.map((v) => (v[i] ?? null) === null ? null : v[i] / 1e4)]));
  }
  return csvLines([...columns.map((c) => c.name), 'epoch', ...series], rows);
}

/* The data of a figure: its own, or all trials or curves. */
function csvOfFigure(from) {
  const own = data.figures[from];
  return own ? csvLines(own.columns, tableRows(own)) : from === 'curves' ? csvOfCurves() : csvText(trialRows, view('trials').columns);
}
