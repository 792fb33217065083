/* A dot for each row of the table: any number against any other, the front of what no smaller one equals. */

const MOST_DOTS = 4000;

function numberColumns(v) {
  return v.columns.filter((c) => c.number && !['trial', 'variant', 'recipe', 'data', 'rung', 'shorter_rung', 'outside'].includes(c.name) && differs(v.rows, c.get));
}

function fillChoice(select, columns, usual) {
  const before = select.value;
  select.replaceChildren(...columns.map((c) => el('option', {value: c.name}, c.title === c.name ? c.name : `${c.name}`)));
  const names = columns.map((c) => c.name), wanted = [before, ...usual].find((n) => names.includes(n));
  if (wanted) select.value = wanted;
}

function drawExploreChoices() {
  const columns = numberColumns(view(state.view));
  $('explore').hidden = columns.length < 2;
  fillChoice($('explore-x'), columns, ['model_mib', 'params', 'sr', 'lr']);
  fillChoice($('explore-y'), columns, ['test_top1', 'val_top1', 'val_loss', 'epochs']);
}

/* Evenly from all rows, so that many of them show where the many are. */
function sample(points) {
  if (points.length <= MOST_DOTS) return points;
  return Array.from({length: MOST_DOTS}, (_, i) => points[Math.floor(i * points.length / MOST_DOTS)]);
}

/* From left to right what is better than everything before it, by `merit`. */
function front(points, lowerIsBetter) {
  const sign = lowerIsBetter ? -1 : 1, best = [];
  for (const p of points.slice().sort((a, b) => a.x - b.x || sign * (b.merit - a.merit)))
    if (!best.length || sign * p.merit > sign * best.at(-1).merit) best.push(p);
  return best;
}

/* What is measured on the test images is chosen by the same on the validation images, where there are any. */
function meritOf(v, c) {
  const chosen = c.name.startsWith('test_') && v.columns.find((x) => x.name === c.name.replace('test_', 'val_'));
  return chosen && v.rows.some((row) => (chosen.get(row) ?? null) !== null) ? chosen : null;
}

const sweepsOf = (row) => [...new Set([(row.t ? row.t[T.sweep] : row.m.sweep), ...row.names.map((as) => as.sweep)])];

const COSTS = ['model_mib', 'params', 'macs', 'model_bytes', 'model_bytes_8bit', 'model_bytes_6bit', 'activation_bytes', 'train_activation_bytes', 'train_s', 'latency_ms', 'infer_mib'];

function drawExplore() {
  const v = view(state.view), find = (id) => v.columns.find((c) => c.name === $(id).value);
  const cx = find('explore-x'), cy = find('explore-y'), plot = $('explore-plot'), note = $('explore-note');
  if ($('explore').hidden || !cx || !cy) return;
  const scale = (c, value) => SHARES.has(c.name) ? 100 * value : value;
  const full = state.rows.filter((row) => !isShorter(row) && !isOutside(row));
  const isFront = COSTS.includes(cx.name) && (/_top[15]$|_loss$/.test(cy.name)), chosen = isFront ? meritOf(v, cy) : null;
  const points = [], rows = full.length ? full : state.rows; /* nothing but those: then these */
  const outside = full.length ? state.rows.filter(isOutside).length : 0, shorter = state.rows.length - rows.length - outside;
  const measured = [cx, cy].some((c) => /_top[15]$|_loss$/.test(c.name));
  let interim = 0;
  for (const row of rows) {
    const x = cx.get(row) ?? null, y = cy.get(row) ?? null;
    if (x === null || y === null) continue;
    if (measured && !(row.t ? row.t[T.state] === 'done' : row.m.done > 0)) interim++; /* no result yet */
    else points.push({x: scale(cx, x), y: scale(cy, y), merit: chosen?.get(row) ?? y, row, finished: row.t ? row.t[T.state] === 'done' : row.m.done > 0});
  }
  if (!points.length) {
    plot.replaceChildren();
    note.textContent = interim ? 'No trial with both values has finished.' : 'No row has both values.';
    return;
  }
  const width = Math.max(320, Math.min(1100, plot.clientWidth || 900));
  const chart = plane({xs: points.map((p) => p.x), ys: points.map((p) => p.y), width, height: Math.round(Math.max(250, Math.min(400, width * 0.5))), xTitle: cx.title, yTitle: cy.title,
    label: `${cy.title} against ${cx.title}, ${points.length} rows; the table below has the same values`});
  for (const p of sample(points)) {
    const what = `variant ${p.row.v[0]}${p.row.t ? `, seed ${p.row.t[T.seed]}, ${p.row.t[T.state]}` : ''}: ${cx.title} ${shortNumber(p.x)}, ${cy.title} ${shortNumber(p.y)}`;
    chart.root.append(svg('circle', {class: p.finished ? 'dot' : 'dot unfinished', cx: chart.x(p.x).toFixed(1), cy: chart.y(p.y).toFixed(1), r: points.length > 500 ? 2.5 : 4, 'data-variant': p.row.v[0]}, svg('title', {}, what)));
  }
  /* Sweeps may be on different data: each has its front. */
  const sweeps = new Set(isFront && full.length ? points.flatMap((p) => sweepsOf(p.row)) : []);
  for (const sweep of sweeps) {
    const line = front(points.filter((p) => p.finished && sweepsOf(p.row).includes(sweep)), cy.name.endsWith('_loss'));
    const d = line.map((p, i) => i ? `H${chart.x(p.x).toFixed(1)}V${chart.y(p.y).toFixed(1)}` : `M${chart.x(p.x).toFixed(1)},${chart.y(p.y).toFixed(1)}`).join('');
    if (line.length > 1) chart.root.append(svg('path', {class: 'front', d}, svg('title', {}, `front of ${sweep}`)));
  }
  plot.replaceChildren(chart.root);
  note.textContent = `${points.length.toLocaleString('en-US')} of the table's rows${points.length > MOST_DOTS ? `, ${MOST_DOTS.toLocaleString('en-US')} of them drawn` : ''}; a click opens the variant.${shorter ? ` ${shorter.toLocaleString('en-US')} of shorter rungs are in the table only.` : ''}${outside ? ` ${outside.toLocaleString('en-US')} outside the spec are in the table only.` : ''}${interim ? ` ${interim.toLocaleString('en-US')} unfinished, with values of the moment, are in the table only.` : ''}${sweeps.size ? ` Each line is the front of a sweep${chosen ? `, chosen by ${chosen.name}` : ''}: nothing to its left is better${chosen ? ' by that' : ''}.` : ''}`;
}
