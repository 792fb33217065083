/* The part of the page about one variant, made when its link is followed. */

/* A list of layers with the channels, parameters and multiply-accumulates that these widths give it. */
function layerRows(shape, fires) {
  const channels = [shape.channels];
  return shape.layers.map(([name, kind, input, output, kernel, stride, pad, filters, height, width]) => {
    const cin = channels[input], fire = /^fire(\d)\.(\w+)/.exec(name);
    let cout = cin, params = 0, macs = 0;
    if (kind === 'conv') {
      const at = fire ? 3 * (Number(fire[1]) - 2) : 0;
      const widths = fire && {squeeze1x1: fires[at], expand1x1: fires[at + 1], expand3x3: fires[at + 2], bypass1x1: fires[at + 1] + fires[at + 2]};
      cout = fire ? widths[fire[2]] : filters;
      params = cout * (cin * kernel * kernel + 1);
      macs = cout * cin * kernel * kernel * height * width;
    }
    channels[output] = (kind === 'conv' ? channels[output] || 0 : 0) + cout; /* both expand layers write one tensor */
    const what = kernel ? `${kind} ${kernel}x${kernel}${stride > 1 ? `/${stride}` : ''}${pad ? `, pad ${pad}` : ''}` : kind;
    return {name, what, shape: `${cout} × ${height} × ${width}`, params, macs};
  });
}

const integer = (v) => v.toLocaleString('en-US');
const mib = (v) => `${(v / 1048576).toFixed(3)} MiB`;
const percent = (v) => v === null || v === undefined ? '–' : `${(100 * v).toFixed(2)} %`;

function plainTable(head, rows, {label, foot, rowHeads} = {}) {
  const cells = (row) => row.map((v, i) => {
    const node = v instanceof Node ? v : document.createTextNode(typeof v === 'number' ? integer(v) : String(v ?? '–'));
    const number = typeof v === 'number' || (typeof v === 'string' && /^–$|^[\d.]+( %| ± [\d.]+)?$/.test(v));
    return rowHeads && i === 0 ? el('th', {scope: 'row'}, node) : el('td', {class: number ? 'number' : null}, node);
  });
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((r) => typeof r[i] === 'number' || r[i] === null || /^[\d.]+( %)?$|^–$/.test(r[i])));
  return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label}, el('table', {class: rowHeads ? 'fires' : null},
    el('thead', {}, el('tr', {}, ...head.map((h, i) => el('th', {scope: 'col', class: numeric[i] ? 'number' : null}, h)))),
    el('tbody', {}, ...rows.map((r) => el('tr', {}, ...cells(r)))),
    foot ? el('tfoot', {}, el('tr', {}, ...cells(foot))) : null));
}

function facts(pairs) {
  return el('dl', {class: 'facts'}, ...pairs.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

function variantFacts(v) {
  const get = (name) => v[V[name]];
  const requested = (asked, real) => asked === null ? `${Number(real.toPrecision(4))} (explicit widths)`
    : Math.abs(asked - real) > 5e-4 ? `${asked} (realised ${Number(real.toPrecision(4))})` : String(asked);
  const known = (name) => get(name) === null ? '–' : String(get(name));
  return facts([
    ['base_e, incr_e, freq', ['base_e', 'incr_e', 'freq'].map(known).join(', ')],
    ['SR', requested(get('sr'), get('realised_sr'))],
    ['pct3x3', requested(get('pct3x3'), get('realised_pct3x3'))],
    ...(get('names') === null ? [] : [['Also asked for as', get('names')]]),
    ['Bypass', get('bypass')], ['Pools', `${get('pools')}, rounded ${get('pool_rounding') === 'ceil' ? 'up' : 'down'}`],
    ['conv1', `${get('conv1_filters')} filters, ${get('conv1_kernel')}x${get('conv1_kernel')}, stride ${get('conv1_stride')}, pad ${get('conv1_pad')}`],
    ['conv10', `pad ${get('conv10_pad')}, ${get('conv10_relu') ? 'ReLU' : 'no ReLU'}`], ['Input', get('input')],
    ['Parameters', integer(get('params'))],
    ['Model, float32', mib(get('model_bytes'))],
    ['Model, 8 and 6 bits', `${mib(get('model_bytes_8bit'))}, ${mib(get('model_bytes_6bit'))}`],
    ['Multiply-accumulates', integer(get('macs'))],
    ['Activations, inference', mib(get('activation_bytes'))],
    ...(get('latency_ms') === null ? [] : [
      ['Latency of one image', `${Number(get('latency_ms').toPrecision(3))} ms`],
      ['Its 95th percentile', `${Number(get('latency_p95_ms').toPrecision(3))} ms`],
      ['Measured rate', `${integer(Math.round(get('infer_img_s')))} images/s`],
      ['Memory of inference', `${get('infer_mib').toFixed(2)} MiB`]]),
    ['Identity', el('code', {}, get('arch_hash'))],
  ]);
}

function firesTable(v) {
  const fires = v[V.widths];
  if (!fires) return el('p', {}, 'Its Fires are not in the database.');
  const rows = [];
  for (let k = 0; k < 8; k++) {
    const clamped = v[V.clamped] >> k & 1;
    rows.push([`fire${k + 2}`, ...fires.slice(3 * k, 3 * k + 3), fires[3 * k + 1] + fires[3 * k + 2], ...(v[V.clamped] ? [clamped ? 'SR asked for less than one' : ''] : [])]);
  }
  return plainTable(['Fire', 's1x1', 'e1x1', 'e3x3', 'expand', ...(v[V.clamped] ? ['note'] : [])], rows, {label: 'Hyperparameters of the Fires', rowHeads: true});
}

function layersTable(v) {
  const shape = data.shapes[v[V.shape]];
  if (!shape) return el('p', {}, 'The database row describes no network, so its layers are unknown.');
  const rows = layerRows(shape, v[V.widths]);
  const sum = (name) => rows.reduce((a, r) => a + r[name], 0);
  return plainTable(['Layer', 'kind', 'output', 'params', 'MACs'], rows.map((r) => [r.name, r.what, r.shape, r.params, r.macs]),
    {label: 'Layers', foot: ['all', '', '', sum('params'), sum('macs')], rowHeads: true});
}

/* What tells recipes of this page apart. */
function recipeText(r) {
  const names = AXES.filter((n) => n in R && differs(data.recipes.rows, (row) => row[R[n]]));
  const list = names.length ? names : ['epochs_planned', 'batch', 'optimizer', 'lr'];
  return list.filter((n) => r[R[n]] !== null).map((n) => `${n} ${r[R[n]]}`).join(', '); /* no momentum: it reads none */
}

function curves(rows, what) {
  const [loss, top1] = [[], []], series = data.epochs.curves.columns;
  for (const {t} of rows) {
    const c = (curveByTrial.get(t[T.trial]) || []).slice(1).map(differences), epochs = c[0];
    c.slice(1).forEach((y, k) => {
      const name = series[k + 2];
      if (!y.length) return;
      const isLoss = name.endsWith('loss'), split = name.startsWith('val') ? 'validation' : 'training';
      (isLoss ? loss : top1).push({name: `${split}, seed ${t[T.seed]}`, split, kind: split === 'validation' ? 'k1' : 'k2',
        points: epochs.map((epoch, i) => [epoch, y[i] === null ? null : y[i] / (isLoss ? 1e4 : 100)])});
    });
  }
  const charts = [lineChart({title: 'Top-1 by epoch', lines: top1, xTitle: 'epoch', yTitle: 'top-1 %'}),
    lineChart({title: 'Loss by epoch', lines: loss, xTitle: 'epoch', yTitle: 'loss'})].filter(Boolean);
  if (!charts.length) return el('p', {class: 'note'}, `No learning curves of ${what} on this page. ${data.epochs.note}`);
  return el('div', {}, el('div', {class: 'pair'}, ...charts), data.epochs.note ? el('p', {class: 'note'}, data.epochs.note) : null);
}

function replicates(rows) {
  const has = (name) => rows.some(({t}) => t[T[name]] !== null);
  const shares = ['val_top1', 'test_top1', 'val_top5', 'test_top5'].filter(has), losses = ['val_loss', 'test_loss'].filter(has);
  const told = has('message') || has('diverged_step');
  const list = rows.map(({t}) => [t[T.trial], String(t[T.seed]), ...shares.map((n) => percent(t[T[n]])), ...losses.map((n) => t[T[n]] === null ? '–' : t[T[n]].toFixed(4)),
    t[T.train_s] === null ? '–' : t[T.train_s].toFixed(1), t[T.epochs], el('span', {class: 'state'}, el('i', {class: `s-${t[T.state]}`, 'aria-hidden': 'true'}), t[T.state].replace('_', ' ')),
    ...(told ? [t[T.message] || ''] : [])]);
  const done = rows.filter(({t}) => t[T.state] === 'done');
  const mean = (n, format) => { const [m, sd] = spread(done.map(({t}) => t[T[n]]).filter((x) => x !== null)); return m === null ? '–' : format(m) + (sd === null ? '' : ` ± ${format(sd)}`); };
  const foot = done.length > 1 ? ['mean ± sd', `n = ${done.length}`, ...shares.map((n) => mean(n, (x) => (100 * x).toFixed(2))), ...losses.map((n) => mean(n, (x) => x.toFixed(3))),
    mean('train_s', (x) => x.toFixed(1)), '', '', ...(told ? [''] : [])] : undefined;
  return plainTable(['trial', 'seed', ...shares, ...losses, 'train_s', 'epochs', 'state', ...(told ? ['message'] : [])], list, {label: 'Replicates', foot});
}

function neighbours(id) {
  const ids = [];
  for (const row of state.rows) { const v = row.v[0]; if (v !== undefined && ids.at(-1) !== v && !ids.includes(v)) ids.push(v); if (ids.length > 400 && ids.indexOf(id) >= 0 && ids.indexOf(id) < ids.length - 1) break; }
  const at = ids.indexOf(id);
  return at < 0 ? [] : [ids[at - 1], ids[at + 1]];
}

/* What tells these trials from the others of their variant. */
function groupTitle(rows) {
  const {t, r} = rows[0], recipe = `Trials by recipe ${t[T.recipe]}: ${r.length ? recipeText(r) : ''}`;
  const onData = differs(trialRows, (row) => row.t[T.data]) ? `, data ${t[T.data]}` : '';
  return `${recipe}${onData}${rows.every(isShorter) ? `, rung ${t[T.rung]} of the search` : ''}${isOutside(rows[0]) ? ', outside the spec' : ''}`;
}

function drawVariant(id) {
  const section = $('variant'), v = variantById.get(id);
  const [before, after] = v ? neighbours(id) : [];
  const links = el('div', {},
    before === undefined ? null : el('a', {href: `#variant-${before}`, rel: 'prev'}, `‹ variant ${before}`),
    after === undefined ? null : el('a', {href: `#variant-${after}`, rel: 'next'}, `variant ${after} ›`),
    el('a', {href: '#trials', id: 'variant-close'}, 'Close'));
  const top = el('div', {class: 'top'}, el('h2', {id: 'variant-heading'}, `Variant ${id}`), links);
  if (!v) {
    section.replaceChildren(top, el('p', {class: 'missing'}, `There is no variant ${id} in this report.`));
    return;
  }
  const groups = new Map();
  for (const row of trialRows) {
    if (row.v !== v) continue;
    const key = groupOf(row);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  const parts = [];
  const several = groups.size > 1 || data.recipes.rows.length > 1;
  for (const rows of groups.values())
    parts.push(el('h3', {}, several ? groupTitle(rows) : 'Trials'), replicates(rows), curves(rows, 'these trials'));
  section.replaceChildren(top, variantFacts(v), ...parts,
    el('div', {class: 'tables'}, el('div', {}, el('h3', {}, 'The 24 hyperparameters'), firesTable(v)), el('div', {}, el('h3', {}, 'Layers'), layersTable(v))));
}
